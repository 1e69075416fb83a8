"""What strangers' code may not do, it cannot: no network, no files outside, no bombs, no end, nothing left behind.

Where the kernel gives no walls, the sandbox says so and runs nothing; then only that is tested.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from yuzui.core.errors import ConfigError
from yuzui.evaluation.scorers._contract import Told
from yuzui.io.sandbox import Limits, Sandbox, _hideable, _told

FILTERED = ("x86_64", "aarch64", "riscv64", "loongarch64")
QUICK = Limits(wall_s=20.0, cpu_s=5)


def has_walls() -> bool:
    try:
        Sandbox().check()
    except ConfigError:
        return False
    return True


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may write into: what keeps a program out of it are the walls alone."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:  # the usual place cannot even be seen from inside
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


walls = pytest.mark.skipif(
    sys.platform != "linux" or not has_walls(), reason="no user namespaces for us on this system"
)


def run(source: str, limits: Limits = QUICK) -> Told:
    return Sandbox(limits=limits).run(source)


@walls
def test_what_ends_well_is_ok_and_what_does_not_is_not() -> None:
    assert run("assert sum([1, 2]) == 3") == Told(ok=True)
    broken = run("print('here')\nassert 1 == 2, 'no'")
    assert (broken.ok, broken.why, broken.is_fault) == (False, "exception", False)
    assert "here" in broken.text and "AssertionError: no" in broken.text
    assert run("def f(:").why == "exception"


@walls
@pytest.mark.parametrize("leave", ["import sys; sys.exit(0)", "import os; os._exit(0)", "raise SystemExit"])
def test_a_program_that_leaves_before_its_tests_has_not_passed_them(leave: str) -> None:
    assert not run(f"{leave}\nassert False").ok


@walls
def test_there_is_no_network_not_even_to_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        told = run(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 3)")
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert not told.ok and "unreachable" in told.text
    assert not run("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))").ok


@walls
def test_files_outside_cannot_be_written_nor_made_nor_removed(open_folder: Path) -> None:
    there = open_folder / "there"
    there.write_text("as it was", "utf-8")
    there.chmod(0o666)
    for source in (f"open({str(there)!r}, 'w')", f"open({str(open_folder / 'new')!r}, 'w')",
                   f"import os; os.remove({str(there)!r})", "open('/var/tmp/yuzui-escaped', 'w')",
                   "open('/dev/shm/yuzui-escaped', 'w')"):  # fmt: skip
        told = run(source)
        assert not told.ok and "Read-only file system" in told.text
    assert there.read_text("utf-8") == "as it was" and list(open_folder.iterdir()) == [there]


@walls
def test_walls_cannot_be_taken_down_from_inside(open_folder: Path) -> None:
    told = run(f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.unshare(0x10000000 | 0x20000)  # a user namespace of one's own, with all capabilities in it
libc.mount(b"none", b"/", None, 0x1000 | 0x20, None)  # remounted writable?
libc.umount2({str(open_folder).encode()!r}, 2)
open({str(open_folder / "escaped")!r}, "w")
""")
    assert not told.ok and "Read-only file system" in told.text and not list(open_folder.iterdir())


@walls
def test_its_own_folder_is_small_and_gone_afterwards() -> None:
    told = run("import os\nopen('x', 'w').write('a')\nassert open('x').read() == 'a'\nprint(os.getcwd())")
    assert told.ok and not Path(told.text.strip()).exists()
    assert "File too large" in run("f = open('big', 'wb')\nfor _ in range(100): f.write(b'x' * 10**6)").text
    many = "for n in range(50):\n  with open(f'f{n}', 'wb') as f: f.write(b'x' * 10**6)"
    assert "No space left" in run(many).text


@walls
def test_home_data_and_processes_of_others_cannot_be_seen(open_folder: Path) -> None:
    secret = open_folder / "secret"
    secret.write_text("s", "utf-8")
    sandbox = Sandbox(limits=QUICK, hidden=(open_folder,))
    assert "No such file" in sandbox.run(f"open({str(secret)!r})").text
    told = sandbox.run("import os\nprint(os.listdir('/proc'), sorted(os.environ), os.getuid())")
    assert told.text.startswith("[] ['HOME', 'LANG', 'PATH', 'TMPDIR'] 1000")


@walls
@pytest.mark.skipif(platform.machine() not in FILTERED, reason="nobody filters system calls on this machine")
def test_sockets_that_are_files_are_shut_off_as_well(open_folder: Path) -> None:
    place = open_folder / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        place.chmod(0o777)
        listener.listen()
        told = run(f"import socket\nsocket.socket(socket.AF_UNIX).connect({str(place)!r})")
        assert not told.ok and "Operation not permitted" in told.text
    assert "Operation not permitted" in run("import socket\nsocket.socket(socket.AF_VSOCK)").text
    assert run("import asyncio, subprocess\nasyncio.run(asyncio.sleep(0))\nsubprocess.run(['/bin/true'])").ok


@walls
def test_a_single_file_is_hidden_also_when_another_takes_its_place(open_folder: Path) -> None:
    for name in ("key", "other"):
        (open_folder / name).write_text(name, "utf-8")
        (open_folder / name).chmod(0o644)
    link = open_folder / "link"
    link.symlink_to("key")
    sandbox = Sandbox(limits=QUICK, hidden=(link, open_folder / "none"))
    source = f"import os\nprint([open(os.path.join({str(open_folder)!r}, n)).read() for n in ('link', 'key', 'other')])"
    assert sandbox.run(source).text == "['', '', 'other']\n"
    link.unlink()
    link.symlink_to("other")
    assert sandbox.run(source).text == "['', 'key', '']\n"


@walls
def test_what_others_keep_for_a_while_cannot_be_seen() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        assert run(f"import os\nassert not os.path.exists({name!r})\nassert os.listdir('/run') == []").ok


@walls
def test_where_memory_runs_out_the_program_goes_first() -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "import time\ntime.sleep(1)")
        found: set[str] = set()
        while not running.done():
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    if b"\0answer.py\0" in (process / "cmdline").read_bytes():
                        found.add((process / "oom_score_adj").read_text().strip())
        assert found == {"1000"}


@walls
def test_a_fork_bomb_stops_at_its_limit_and_nothing_is_left() -> None:
    mark = f"yuzui_mark_{os.getpid()}"
    told = run(f"{mark} = 1\nimport os, time\nwhile True:\n  if os.fork() == 0:\n    time.sleep(60)")
    assert not told.ok and "temporarily unavailable" in told.text
    daemon = run("import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(60)")
    assert daemon.ok
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and running_programs():
        time.sleep(0.05)
    assert not running_programs()


def running_programs() -> list[str]:
    """Programs of sandboxes of this very test: they have the folder of one in their command line's environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (
                    b"answer.py" in (entry / "cmdline").read_bytes()
                    and b"yuzui-code-" in (entry / "environ").read_bytes()
                ):
                    found.append(entry.name)
            except OSError:
                continue
    return found


@walls
def test_memory_has_an_end() -> None:
    told = run("x = bytearray(2 * 1024**3)")
    assert (told.ok, told.why) == (False, "memory")


@walls
def test_time_has_an_end_on_the_clock_and_on_the_processor() -> None:
    assert run("import time\ntime.sleep(60)", Limits(wall_s=1.0)).why == "timeout"
    began = time.monotonic()
    assert run("while True: pass", Limits(wall_s=60.0, cpu_s=1)).why == "timeout"
    assert time.monotonic() - began < 55


@walls
def test_what_it_prints_has_an_end() -> None:
    told = run("while True: print('x' * 10**6)")
    assert not told.ok and len(told.text) <= 64 * 1024


@walls
def test_it_stands_also_where_files_are_private_by_habit() -> None:
    before = os.umask(0o077)
    try:
        assert run("open('x', 'w').write('a')").ok
    finally:
        os.umask(before)


@walls
def test_two_run_at_once_without_seeing_each_other() -> None:
    told: list[Told] = []
    source = "import os, time\nassert os.listdir('.') == ['answer.py']\ntime.sleep(0.5)\nassert os.listdir('.') == ['answer.py']"
    threads = [threading.Thread(target=lambda: told.append(run(source))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.ok for one in told] == [True] * 3


@pytest.mark.skipif(os.name != "posix", reason="there are no limits there")
def test_without_walls_only_by_name_and_with_limits() -> None:
    unsafe = Sandbox(is_unsafe=True, limits=Limits(wall_s=2.0))
    unsafe.check()
    assert unsafe.run("assert True").ok
    assert not unsafe.run("import sys; sys.exit(0)").ok
    assert unsafe.run("import time\ntime.sleep(60)").why == "timeout"


def test_another_system_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ConfigError, match="needs Linux"):
        Sandbox().check()


def test_a_sandbox_that_does_not_stand_runs_nothing_and_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _told("-namespaces: Operation not permitted", "n", 1, "", is_late=False)
    assert told == Told(ok=False, why="no_sandbox", text="namespaces: Operation not permitted", is_fault=True)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Sandbox, "run", lambda self, source: told)
    with pytest.raises(ConfigError, match=r"does not work here \(namespaces"):
        Sandbox().check()


@pytest.mark.skipif(sys.platform != "linux", reason="counts what is open in /proc")
def test_what_could_not_be_started_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*arguments: object, **more: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr("subprocess.Popen", refuses)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="no more processes"):
        Sandbox(limits=QUICK).run("")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_wrong_nonce_is_no_pass() -> None:
    assert _told("+guess", "nonce", 0, "", is_late=False).why == "status 0"
    assert _told("+nonce", "nonce", 0, "", is_late=False).ok
    assert not _told("+nonce", "nonce", 1, "", is_late=False).ok


def test_what_the_interpreter_needs_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / "venv").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "home" / "venv"))
    found = _hideable([tmp_path / "home", tmp_path / "home" / "inner", tmp_path / "none", Path("/")])
    assert found == {str(tmp_path / "home"): [str(tmp_path / "home" / "venv")]}
    assert _hideable([tmp_path / "home" / "venv"]) == {}
    (tmp_path / "home" / "links").mkdir()
    (tmp_path / "home" / "links" / "python").symlink_to(Path(sys.executable).resolve())
    monkeypatch.setattr(sys, "executable", str(tmp_path / "home" / "links" / "python"))
    assert _hideable([tmp_path / "home"]) == {
        str(tmp_path / "home"): [str(tmp_path / "home" / "links"), str(tmp_path / "home" / "venv")]
    }


def test_a_user_without_a_home_has_none_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    assert Path("/proc") in Sandbox()._places


def test_a_folder_that_comes_later_is_hidden_like_one_that_was_there(tmp_path: Path) -> None:
    if not has_walls():
        pytest.skip("no walls here")
    later = tmp_path / "data"
    sandbox = Sandbox(hidden=(later,))
    later.mkdir()
    (later / "books").write_text("secret")
    assert sandbox.run(f"import os; assert not os.path.exists({str(later / 'books')!r})").ok
