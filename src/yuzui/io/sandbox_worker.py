"""Runs one program of a stranger's: no network, nothing to write but a small folder in memory, nothing left behind.

A script by itself, started by `io/sandbox.py` with `python -I`; it imports nothing of ours. The job comes as JSON on
standard input, what the program prints goes to standard output, and the file descriptor that the job names is told when
the walls stand (`+`), or why they do not (`-` and a reason).

Linux. Three processes: this one makes the walls (user, mount, network, IPC and process namespaces; see namespaces(7),
mount_setattr(2)) and waits; its child is process 1 inside, so that when it ends everything inside ends; the child of
that becomes the program, and loses all capabilities then, because it is not user 0 inside (capabilities(7)). Sockets
that are files, such as those of Docker and databases, and those to the host of a virtual machine are in no network: a
filter of system calls refuses them (seccomp(2)).
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 0x1000, 0x4000, 0x40000
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY, OPEN_TREE_CLONE, EMPTY_PATH = -100, 0x8000, 1, 1, 4
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442  # the same on all architectures; since Linux 5.12
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
MODE_FILTER, LOAD, IF_EQUAL, IF_AT_LEAST, RETURN = 2, 0x20, 0x15, 0x35, 0x06
ALLOWED, REFUSED = 0x7FFF0000, 0x00050001  # the second: EPERM
SYS_IO_URING_SETUP, OTHER_ABI = 425, 0x40000000  # the first opens sockets as well; x32 counts from the second
AF_INET, AF_INET6 = 2, 10
SOCKET: Final = {
    "x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198), "riscv64": (0xC00000F3, 198),
    "loongarch64": (0xC0000102, 198),
}  # fmt: skip
"""Machine → what seccomp calls it (linux/audit.h), and the number of socket(2) there."""
NOBODY: Final = 65_534
INSIDE: Final = 1_000
"""Who the program is inside: nobody in particular, and not user 0."""

PROGRAM: Final = """
import sys
nonce = sys.stdin.readline().strip()
source = open(sys.argv[1], encoding="utf-8").read()
exec(compile(source, "answer.py", "exec"), {"__name__": "__main__"})
sys.stdout.flush()
with open(int(sys.argv[2]), "w", closefd=False) as line:
    line.write(nonce)
"""
"""Says the nonce only when the whole source was run: a program that leaves early has passed no test."""


def main() -> NoReturn:
    job = json.loads(sys.stdin.readline())
    os.umask(0o022)  # the folders made here are for somebody else, too
    report = int(job["report"])
    if sys.platform == "linux":
        with suppress(OSError):  # where memory runs out, this goes first, not who started it
            Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    try:
        if job["walls"]:
            enclose(job)
        else:
            os.chdir(job["folder"])
    except (OSError, AttributeError, ValueError) as error:
        os.write(report, f"-{error}".encode()[:300])
        sys.exit(1)
    first = os.fork()
    if first == 0:  # process 1 inside; signals of limits do not reach it, so the program is another one
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        program = os.fork()
        if program == 0:
            become_program(job, report)
        os._exit(code_of(program))
    sys.exit(code_of(first))


def code_of(process: int) -> int:
    """How it ended, as shells say it: 128 and the signal."""
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return code if code >= 0 else 128 - code


def enclose(job: dict[str, Any]) -> None:
    """Make the walls around this process and its children. Raise `OSError`, which says which one does not stand."""
    libc = ctypes.CDLL(None, use_errno=True)
    kinds = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID
    map_users(lambda: call(libc, "namespaces", libc.unshare, kinds))
    call(libc, "private mounts", libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    for file in job["files"]:
        if Path(file).exists():
            call(libc, "hiding a file", libc.mount, b"/dev/null", file.encode(), None, MS_BIND, None)
    for hidden, kept in job["hidden"].items():
        hide(libc, hidden, kept)
    Path(job["folder"]).mkdir(parents=True, exist_ok=True)
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
    call(libc, "read-only files", libc.syscall, SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE,
         ctypes.byref(attributes), ctypes.sizeof(attributes))  # fmt: skip
    size = f"size={job['folder_bytes']},mode=0777".encode()
    call(libc, "folder", libc.mount, b"none", job["folder"].encode(), b"tmpfs", MS_NOSUID | MS_NODEV, size)
    os.chdir(job["folder"])


def map_users(unshare: Callable[[], None]) -> None:
    """Say who is who inside. User 0 will be somebody else when the program runs: no limit on processes holds for it."""
    user, group, me = os.getuid(), os.getgid(), os.getpid()
    maps = [("setgroups", "deny"), ("uid_map", f"{INSIDE} {user} 1"), ("gid_map", f"{INSIDE} {group} 1")]
    if user != 0:
        unshare()
        write_maps(me, maps)
        return
    # Only somebody outside may map a second user; so a child of this process stays outside until that is done.
    maps = [("uid_map", f"0 0 1\n{INSIDE} {NOBODY} 1"), ("gid_map", f"0 {group} 1\n{INSIDE} {NOBODY} 1")]
    reading, writing = os.pipe()
    outside = os.fork()
    if outside == 0:
        os.close(writing)
        os.read(reading, 1)
        try:
            write_maps(me, maps)
        except OSError as error:
            os._exit(min(error.errno or 1, 255))
        os._exit(0)
    os.close(reading)
    unshare()
    os.close(writing)
    status = os.waitstatus_to_exitcode(os.waitpid(outside, 0)[1])
    if status:
        raise OSError(status, f"mapping users: {os.strerror(status)}")


def write_maps(process: int, maps: list[tuple[str, str]]) -> None:
    for name, text in maps:
        Path(f"/proc/{process}/{name}").write_bytes(text.encode())


def hide(libc: ctypes.CDLL, folder: str, kept: list[str]) -> None:
    """An empty folder over `folder`, and in it what of it must stay: the interpreter, where it lies there."""
    trees = []
    for path in kept:
        tree = libc.syscall(SYS_OPEN_TREE, AT_FDCWD, path.encode(), OPEN_TREE_CLONE | AT_RECURSIVE)
        if tree < 0:
            raise OSError(ctypes.get_errno(), f"keeping {path}")
        trees.append((path, tree))
    call(libc, f"hiding {folder}", libc.mount, b"none", folder.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=0755")
    for path, tree in trees:
        Path(path).mkdir(parents=True, exist_ok=True)
        call(libc, f"keeping {path}", libc.syscall, SYS_MOVE_MOUNT, tree, b"", AT_FDCWD, path.encode(), EMPTY_PATH)
        os.close(tree)


def refuse_sockets(libc: ctypes.CDLL) -> None:
    """All that are not of the network that is shut off. On machines that are not in `SOCKET` those that are files stay
    open, where no folder hides them."""
    found = SOCKET.get(os.uname().machine)
    if found is None:
        return
    machine, socket = found
    steps = [
        (LOAD, 0, 0, 4), (IF_EQUAL, 0, 8, machine), (LOAD, 0, 0, 0), (IF_AT_LEAST, 6, 0, OTHER_ABI),
        (IF_EQUAL, 5, 0, SYS_IO_URING_SETUP), (IF_EQUAL, 0, 3, socket), (LOAD, 0, 0, 16), (IF_EQUAL, 1, 0, AF_INET),
        (IF_EQUAL, 0, 1, AF_INET6), (RETURN, 0, 0, ALLOWED), (RETURN, 0, 0, REFUSED),
    ]  # fmt: skip
    program = ctypes.create_string_buffer(b"".join([struct.pack("=HBBI", *step) for step in steps]))
    told = struct.pack("@HP", len(steps), ctypes.addressof(program))
    call(libc, "no sockets", libc.prctl, PR_SET_SECCOMP, MODE_FILTER, told, 0, 0)


def call(libc: ctypes.CDLL, what: str, function: Any, *arguments: Any) -> None:  # Any: C
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def become_program(job: dict[str, Any], report: int) -> NoReturn:
    """In the child: the limits, then the program in this one's place."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if job["walls"] and os.getuid() == 0:
            os.setgroups([])
            os.setresgid(INSIDE, INSIDE, INSIDE)
            os.setresuid(INSIDE, INSIDE, INSIDE)
        if sys.platform == "linux":
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        Path("answer.py").write_text(job["source"], "utf-8", errors="surrogatepass")
        limits = {
            resource.RLIMIT_CPU: job["cpu_s"],
            resource.RLIMIT_FSIZE: job["file_bytes"],
            resource.RLIMIT_NOFILE: 64,
            resource.RLIMIT_CORE: 0,
        }
        if job["walls"]:  # outside, it would count all processes of the user
            limits[resource.RLIMIT_NPROC] = job["processes"]
        if sys.platform == "linux":
            limits[resource.RLIMIT_AS] = job["memory_bytes"]
        for kind, most in limits.items():
            resource.setrlimit(kind, (most, most))
        if job["walls"]:
            refuse_sockets(libc)
        os.set_inheritable(report, True)
        os.write(report, b"+")
        os.dup2(1, 2)
        reading, writing = os.pipe()
        os.write(writing, job["nonce"].encode() + b"\n")
        os.close(writing)
        os.dup2(reading, 0)
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": job["folder"], "TMPDIR": job["folder"]}
        command = [sys.executable, "-I", "-B", "-c", PROGRAM, "answer.py", str(report)]
        os.execve(sys.executable, command, environment)
    except BaseException as error:  # the edge: nothing of ours may run on inside
        os.write(report, f"-{type(error).__name__}: {error}".encode()[:300])
    os._exit(1)


if __name__ == "__main__":
    main()
