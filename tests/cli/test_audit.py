from __future__ import annotations

import json
from pathlib import Path

from yuzui.audit.proof import read_proof, verify_proof
from yuzui.audit.record import read_record

from .conftest import ANSWERED, Run, Used


def test_an_untouched_log_is_ok(run: Run, used: Used) -> None:
    result = run("audit", "verify", "--data-dir", used.folder)
    assert result.exit_code == 0
    assert result.stdout.startswith("ok: 2 entries")


def test_one_changed_byte_is_found_and_named(run: Run, used: Used) -> None:
    entries = next(path for path in (used.folder / "audit" / "tile" / "entries").rglob("*") if path.is_file())
    data = bytearray(entries.read_bytes())
    data[40] ^= 1
    entries.write_bytes(data)
    result = run("audit", "verify", "--data-dir", used.folder)
    assert result.exit_code == 1
    assert "CHANGED" in result.stdout and "entries" in result.stdout
    report = json.loads(run("audit", "verify", "--data-dir", used.folder, "--json").stdout)
    assert report["ok"] is False and report["problems"]


def test_a_kept_key_and_a_kept_checkpoint_are_insisted_on(run: Run, used: Used, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(run("audit", "checkpoint", "--data-dir", used.folder).stdout, "utf-8")
    vkey = (used.folder / "audit" / "vkey").read_text("utf-8").strip()
    pinned = run("audit", "verify", "--vkey", vkey, "--checkpoint", kept, "--data-dir", used.folder, "--json")
    assert pinned.exit_code == 0 and json.loads(pinned.stdout)["is_key_pinned"] is True
    assert run("audit", "verify", "--vkey", used.folder / "audit" / "vkey", "--data-dir", used.folder).exit_code == 0
    other = vkey[:-6] + ("A" if vkey[-6] != "A" else "B") + vkey[-5:]
    assert run("audit", "verify", "--vkey", other, "--data-dir", used.folder).exit_code == 1


def test_a_proof_convinces_somebody_with_nothing_but_the_key(run: Run, used: Used, tmp_path: Path) -> None:
    out = tmp_path / "proof.txt"
    result = run("audit", "prove", ANSWERED, "-o", out, "--data-dir", used.folder)
    assert result.exit_code == 0
    proof = read_proof(out.read_text("utf-8"))
    vkey = (used.folder / "audit" / "vkey").read_text("utf-8").strip()
    assert verify_proof(proof, proof.extra, vkey).size == 2
    assert read_record(proof.extra) == used.records[ANSWERED]
    assert run("audit", "prove", ANSWERED, "--data-dir", used.folder).stdout == out.read_text("utf-8")


def test_an_unknown_request_cannot_be_proven(run: Run, used: Used) -> None:
    result = run("audit", "prove", "req_nobody", "--data-dir", used.folder)
    assert (result.exit_code, result.stdout) == (1, "")


def test_the_checkpoint_is_the_signed_note(run: Run, used: Used) -> None:
    assert (
        run("audit", "checkpoint", "--data-dir", used.folder).stdout_bytes
        == (used.folder / "audit" / "checkpoint").read_bytes()
    )
    assert json.loads(run("audit", "checkpoint", "--data-dir", used.folder, "--json").stdout)["size"] == 2


def test_a_log_that_was_removed_is_a_changed_log_and_no_folder_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("audit", "verify", "--data-dir", tmp_path / "empty").exit_code == 1
    assert run("audit", "verify", "--data-dir", tmp_path / "nowhere").exit_code == 2


def test_a_folder_without_a_log_is_called_that(run: Run, tmp_path: Path) -> None:
    result = run("audit", "verify", "--data-dir", tmp_path)
    assert result.exit_code == 1
    assert result.stdout.startswith("NO LOG: ") and "CHANGED" not in result.stdout
