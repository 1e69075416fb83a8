"""The folder on a real disk: what is there, what a crash leaves, what is refused."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuzui.audit.note import read_vkey
from yuzui.audit.proof import verify_proof
from yuzui.audit.record import RequestRecord, write_record
from yuzui.core.errors import GatewayFault, NotFound
from yuzui.io import audit_folder
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.audit_reader import verify_folder

ORIGIN = "log.example/audit"


def record(number: int) -> bytes:
    return write_record(RequestRecord(id=f"req_{number}", at="2026-11-22T12:00:00.000Z"))


RECORDS = [record(number) for number in range(9_000)]


def open_log(data: Path, *, origin: str = ORIGIN) -> AuditFolder:
    return AuditFolder.open(data / "audit", origin=origin, private_key_file=data / "audit-key.pem")


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_new_log_is_signed_from_the_start_and_holds_nothing_else(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    assert log.size == 0
    assert files_in(tmp_path / "audit") == {"checkpoint", "vkey"}
    assert (tmp_path / "audit" / "vkey").read_text() == log.vkey + "\n"
    assert read_vkey(log.vkey).name == ORIGIN
    report = verify_folder(tmp_path / "audit", vkey=log.vkey)
    assert (report.ok, report.size) == (True, 0)
    assert report.checkpoint.decode() == log.checkpoint_text()
    log.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_the_private_key_is_for_its_owner_only(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    assert (tmp_path / "audit-key.pem").stat().st_mode & 0o777 == 0o600
    assert files_in(tmp_path) == {"audit-key.pem", "audit/checkpoint", "audit/vkey"}


def test_only_the_files_of_the_present_tree_are_left(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.publish(RECORDS[:10])
    log.publish(RECORDS[10:255])
    log.publish(RECORDS[255:300])
    log.publish([])
    assert log.size == 300
    assert files_in(tmp_path / "audit") == {
        "checkpoint", "vkey", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
        "tile/entries/001.p/44",
    }  # fmt: skip
    assert not (tmp_path / "audit/tile/0/000.p").exists()
    assert verify_folder(tmp_path / "audit").ok
    log.close()


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 400), st.booleans()), min_size=1, max_size=6))
def test_however_it_grows_and_however_often_it_is_opened_the_log_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool]]
) -> None:
    data = tmp_path_factory.mktemp("log")
    log = open_log(data)
    for count, reopens in steps:
        log.publish(RECORDS[log.size : log.size + count])
        if reopens:
            size, text = log.size, log.checkpoint_text()
            log.close()
            log = open_log(data)
            assert (log.size, log.checkpoint_text()) == (size, text)
    report = verify_folder(data / "audit", vkey=log.vkey)
    assert (report.ok, report.size, report.notes) == (True, log.size, ())
    twin_data = tmp_path_factory.mktemp("twin")
    shutil.copy(data / "audit-key.pem", twin_data)
    twin = open_log(twin_data)
    twin.publish(RECORDS[: log.size])
    assert twin.checkpoint_text() == log.checkpoint_text()
    assert files_in(twin_data) == files_in(data)
    log.close()
    twin.close()


def test_a_long_catch_up_is_signed_in_steps(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.publish(RECORDS)
    assert log.size == 9_000
    assert verify_folder(tmp_path / "audit").ok
    log.close()


def test_every_entry_can_be_proven(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.publish(RECORDS[:300])
    for index in (0, 255, 256, 299):
        proof = log.prove(index)
        assert proof.extra == RECORDS[index]
        assert verify_proof(proof, RECORDS[index], log.vkey).size == 300
    with pytest.raises(NotFound, match="300 entries"):
        log.prove(300)
    log.close()


# ---- crashes --------------------------------------------------------------------------------------------------------


class Crash(BaseException):
    """Stands for the process dying: nothing catches it."""


def crash_at(monkeypatch: pytest.MonkeyPatch, call: int) -> list[int]:
    """Let the `call`-th step of the disk (sync or rename) be the last one."""
    calls = [0]
    real_sync_file, real_sync_folder, real_replace = audit_folder._sync_file, audit_folder._sync_folder, Path.replace

    def count() -> None:
        calls[0] += 1
        if calls[0] == call:
            raise Crash

    def sync_file(path: Path) -> None:
        count()
        real_sync_file(path)

    def sync_folder(path: Path) -> None:
        count()
        real_sync_folder(path)

    def replace(self: Path, target: Path) -> Path:
        count()
        return real_replace(self, target)

    monkeypatch.setattr(audit_folder, "_sync_file", sync_file)
    monkeypatch.setattr(audit_folder, "_sync_folder", sync_folder)
    monkeypatch.setattr(Path, "replace", replace)
    return calls


@pytest.mark.parametrize(("before", "after"), [(0, 3), (250, 300), (300, 303), (500, 1_100)])
def test_a_crash_at_any_step_of_a_publish_leaves_a_log_that_verifies_and_goes_on(
    tmp_path: Path, before: int, after: int
) -> None:
    step, went_through = 0, False
    while not went_through:
        step += 1
        data = tmp_path / str(step)
        log = open_log(data)
        log.publish(RECORDS[:before])
        older = log.checkpoint_text()
        with pytest.MonkeyPatch.context() as patch:
            crash_at(patch, step)
            try:
                log.publish(RECORDS[before:after])
                went_through = True
            except Crash:
                pass
        log.close()  # a dead process holds no lock
        report = verify_folder(data / "audit", checkpoint=older)
        assert report.ok, (step, report.problems)
        assert report.size in (before, after)
        log = open_log(data)
        assert log.size == report.size
        log.publish(RECORDS[log.size : after + 7])
        report = verify_folder(data / "audit", checkpoint=older)
        assert (report.ok, report.size) == (True, after + 7), (step, report.problems)
        log.close()
    assert step > 8, "the steps were not counted"


def test_after_a_full_disk_the_same_writer_goes_on_where_the_disk_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(tmp_path)
    log.publish(RECORDS[:5])

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(audit_folder, "_sync_file", full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                log.publish(RECORDS[5:9])
    assert log.size == 5
    log.publish(RECORDS[log.size : 9])
    assert verify_folder(tmp_path / "audit").size == 9
    log.close()


def test_a_publish_that_failed_after_its_rename_is_noticed_before_leaves_are_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(tmp_path)
    real = audit_folder._sync_folder

    def fail_at_the_root(path: Path) -> None:
        if path == tmp_path / "audit" and (path / "tile").exists() and (path / "checkpoint").read_text().count("\n5\n"):
            raise OSError(errno.EIO, "Input/output error")
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(audit_folder, "_sync_folder", fail_at_the_root)
        with pytest.raises(OSError, match="Input/output"):
            log.publish(RECORDS[:5])
    with pytest.raises(GatewayFault, match="did reach the disk: the log has 5 entries"):
        log.publish(RECORDS[:6])
    log.publish(RECORDS[log.size : 6])
    assert verify_folder(tmp_path / "audit").size == 6
    log.close()


def test_kill_9_in_the_middle_of_publishing_loses_nothing_that_was_signed(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from yuzui.audit.record import RequestRecord, write_record
        from yuzui.io.audit_folder import AuditFolder
        data = Path(sys.argv[1])
        log = AuditFolder.open(data / "audit", origin="log.example/audit", private_key_file=data / "audit-key.pem")
        while True:
            numbers = range(log.size, log.size + 37)
            log.publish([write_record(RequestRecord(id=f"req_{n}", at="2026-11-22T12:00:00.000Z")) for n in numbers])
            print(log.size, flush=True)
    """)
    signed = 0
    for rounds in (2, 9, 5):
        with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(rounds):
                signed = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
        report = verify_folder(tmp_path / "audit")
        assert report.ok, report.problems
        assert report.size >= signed
    log = open_log(tmp_path)
    assert [log.prove(index).extra for index in range(0, log.size, 50)] == RECORDS[: log.size : 50]
    log.close()


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_a_missing_key_of_an_existing_log_is_a_clear_error_and_makes_no_new_key(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    (tmp_path / "audit-key.pem").unlink()
    with pytest.raises(GatewayFault, match=r"audit-key\.pem is missing; put the key back") as caught:
        open_log(tmp_path)
    assert caught.value.code == "audit_unavailable"
    assert not (tmp_path / "audit-key.pem").exists()


def test_another_key_and_another_origin_are_refused(tmp_path: Path) -> None:
    open_log(tmp_path / "one").close()
    open_log(tmp_path / "two").close()
    with pytest.raises(GatewayFault, match=r"has the origin 'log\.example/audit', the configuration says 'other'"):
        open_log(tmp_path / "one", origin="other")
    shutil.copy(tmp_path / "two" / "audit-key.pem", tmp_path / "one")
    with pytest.raises(GatewayFault, match="signed with another private key"):
        open_log(tmp_path / "one")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x00" * 100])
def test_a_key_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "audit-key.pem").write_bytes(content)
    with pytest.raises(GatewayFault, match="not an unencrypted private key"):
        open_log(tmp_path)


def test_a_key_inside_the_folder_that_is_given_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GatewayFault, match="outside the audit folder"):
        AuditFolder.open(tmp_path / "audit", origin=ORIGIN, private_key_file=tmp_path / "audit" / "key.pem")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks")
def test_a_second_writer_is_refused_while_the_first_one_lives(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    with pytest.raises(GatewayFault, match="another process"):
        open_log(tmp_path)
    log.close()
    log.close()
    open_log(tmp_path).close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "checkpoint").unlink(),
        lambda folder: (folder / "checkpoint").write_bytes(b"nonsense"),
        lambda folder: (folder / "vkey").unlink(),
        lambda folder: (folder / "vkey").write_bytes(b"nonsense"),
        lambda folder: (folder / "tile/0/000.p/5").unlink(),
        lambda folder: (folder / "tile/0/000.p/5").write_bytes(bytes(160)),
        lambda folder: (folder / "tile/entries/000.p/5").write_bytes(bytes(10)),
    ],
)
def test_a_log_whose_edge_is_damaged_is_not_continued(tmp_path: Path, damage: object) -> None:
    log = open_log(tmp_path)
    log.publish(RECORDS[:5])
    log.close()
    assert callable(damage)
    damage(tmp_path / "audit")
    with pytest.raises(GatewayFault, match="audit"):
        open_log(tmp_path)


def test_a_record_that_is_too_long_is_refused_and_the_log_goes_on(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    with pytest.raises(GatewayFault, match="65536 bytes"):
        log.publish([b"x" * 65_536])
    log.publish(RECORDS[:1])
    assert log.size == 1
    log.close()
