"""Reading the folder: on a copy, beside a writer, and by somebody who has no Yuzui."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from yuzui.audit.proof import read_proof, verify_proof, write_proof
from yuzui.audit.record import RequestRecord, write_record
from yuzui.core.errors import GatewayFault
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.audit_reader import find_index, prove, read_head, verify_folder

ORIGIN = "log.example/audit"
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "audit.md"


def record(number: int) -> bytes:
    return write_record(RequestRecord(id=f"req_{number}", at="2026-11-22T12:00:00.000Z", error_message='id "req_7"'))


def open_log(data: Path) -> AuditFolder:
    return AuditFolder.open(data / "audit", origin=ORIGIN, private_key_file=data / "audit-key.pem")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    log = open_log(tmp_path)
    log.publish([record(number) for number in range(600)])
    log.close()
    return tmp_path / "audit"


def test_a_copy_verifies_and_every_flipped_byte_of_its_smaller_files_is_found(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert verify_folder(copy).ok
    for path in (copy / "vkey", copy / "checkpoint", copy / "tile/1/000.p/2"):
        data = path.read_bytes()
        for at in range(len(data)):
            path.write_bytes(data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :])
            assert not verify_folder(copy).ok, f"byte {at} of {path.name}"
        path.write_bytes(data)
    assert verify_folder(copy).ok


def test_strangers_in_the_folder_are_found(folder: Path) -> None:
    (folder / "notes.txt").write_text("")
    (folder / "tile" / "more").mkdir()
    (folder / "tile" / "more" / "000").write_text("")
    (folder / "link").symlink_to(folder / "tile")
    found = verify_folder(folder).problems
    assert sorted(problem.partition(":")[0] for problem in found) == ["link", "notes.txt", "tile/more/000"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX special files")
def test_pipes_devices_and_endless_folders_in_place_of_files_do_not_hold_up_the_check(folder: Path) -> None:
    (folder / "tile/0/000").unlink()
    os.mkfifo(folder / "tile/0/000")
    (folder / "tile/0/001").unlink()
    (folder / "tile/0/001").symlink_to("/dev/zero")
    levels = [f"{folder}/tile" + "/d" * depth for depth in range(1, 1_101)]  # deeper than Python's stack
    for level in levels:
        os.mkdir(level)  # noqa: PTH102 - pathlib gives up at this depth
    Path(levels[-1], "x").write_text("")
    found = verify_folder(folder).problems
    Path(levels[-1], "x").unlink()  # pytest cannot clean up at this depth either
    for level in reversed(levels):
        os.rmdir(level)  # noqa: PTH106 - see above
    assert {"tile/0/000: the file is missing", "tile/0/001: the file is missing"} <= set(found)
    assert any(problem.startswith("tile/d/d/") for problem in found)


def test_a_folder_without_a_log_is_not_well(tmp_path: Path) -> None:
    assert not verify_folder(tmp_path / "nothing").ok
    with pytest.raises(GatewayFault, match="no audit log"):
        read_head(tmp_path / "nothing")


def test_the_head_is_shown_only_when_its_signature_holds(folder: Path) -> None:
    head, signed = read_head(folder)
    assert (head.origin, head.size) == (ORIGIN, 600)
    assert signed == (folder / "checkpoint").read_bytes()
    (folder / "checkpoint").write_bytes(signed.replace(b"600", b"599"))
    with pytest.raises(GatewayFault, match="damaged"):
        read_head(folder)


@pytest.mark.parametrize("number", [0, 7, 255, 256, 599])
def test_a_request_is_found_by_its_id_and_proven(folder: Path, number: int) -> None:
    index = find_index(folder, f"req_{number}")
    assert index == number
    proof = read_proof(write_proof(prove(folder, index)))
    vkey = (folder / "vkey").read_text().strip()
    assert verify_proof(proof, record(number), vkey).size == 600


@pytest.mark.parametrize("request_id", ["req_600", "req_", "", "nonsense", '"', "\ud83d\ude00"])
def test_a_request_that_is_not_in_the_log_is_not_found(folder: Path, request_id: str) -> None:
    assert find_index(folder, request_id.encode("utf-8", "replace").decode()) is None


@pytest.mark.parametrize("damaged", ["tile/0/001", "tile/entries/001"])
def test_a_damaged_log_proves_nothing(folder: Path, damaged: str) -> None:
    path = folder / damaged
    path.write_bytes(path.read_bytes().replace(b"req_300", b"req_3OO") + b"x")
    with pytest.raises(GatewayFault, match="audit verify"):
        prove(folder, 300)


def test_verifying_finding_and_proving_work_while_a_server_publishes(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.publish([record(0)])
    stop = threading.Event()
    failures: list[BaseException] = []

    def publish() -> None:
        try:
            while not stop.is_set() and log.size < 20_000:
                log.publish([record(number) for number in range(log.size, log.size + 1 + log.size % 90)])
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=publish)
    writer.start()
    try:
        older: str | None = None
        for _ in range(25):
            report = verify_folder(tmp_path / "audit", vkey=log.vkey, checkpoint=older)
            assert report.ok, report.problems
            older = report.checkpoint.decode()
            assert find_index(tmp_path / "audit", f"req_{report.size - 1}") == report.size - 1
            proof = prove(tmp_path / "audit", report.size // 2)
            verify_proof(proof, record(report.size // 2), log.vkey)
    finally:
        stop.set()
        writer.join()
    assert not failures
    log.close()


# ---- the page for third parties -------------------------------------------------------------------------------------


def script_of_the_page() -> str:
    scripts = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(scripts) == 1
    return str(scripts[0])


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_script_of_the_documentation_needs_no_yuzui_and_is_short() -> None:
    script = script_of_the_page()
    assert len(script.splitlines()) <= 40
    assert "yuzui" not in "".join(line for line in script.splitlines() if "import" in line)


@pytest.mark.parametrize("index", [0, 300, 599])
def test_the_script_of_the_documentation_accepts_a_proof_and_prints_its_record(
    folder: Path, tmp_path: Path, index: int
) -> None:
    vkey = (folder / "vkey").read_text().strip()
    path = tmp_path / "one.tlog-proof"
    path.write_text(write_proof(prove(folder, index)), encoding="utf-8")
    done = run_script(script_of_the_page(), str(path), vkey)
    assert done.returncode == 0, done.stderr
    assert record(index).decode() in done.stdout


def test_the_script_of_the_documentation_refuses_changed_proofs_and_other_keys(folder: Path, tmp_path: Path) -> None:
    vkey = (folder / "vkey").read_text().strip()
    open_log(tmp_path / "other").close()
    other = (tmp_path / "other" / "audit" / "vkey").read_text().strip()
    text = write_proof(prove(folder, 300))
    lines = text.split("\n")
    variants = {
        "another key": (text, other),
        "another index": (text.replace("index 300", "index 301"), vkey),
        "a hash less": ("\n".join(lines[:3] + lines[4:]), vkey),
        "another record": ("\n".join([lines[0], write_proof(prove(folder, 5)).split("\n")[1], *lines[2:]]), vkey),
        "another size": (text.replace("\n600\n", "\n601\n"), vkey),
    }
    for name, (changed, key) in variants.items():
        path = tmp_path / "changed.tlog-proof"
        path.write_text(changed, encoding="utf-8")
        done = run_script(script_of_the_page(), str(path), key)
        assert done.returncode != 0, name
