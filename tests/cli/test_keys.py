from __future__ import annotations

import json
from pathlib import Path

import pytest

from yuzui.admission.keys import SECRET_LENGTH, key_hash
from yuzui.core.booking import KeyRecord
from yuzui.io.books import SqliteBooks
from yuzui.io.secrets import load_secrets

from .conftest import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def create(run: Run, folder: Path, *args: str) -> dict[str, str]:
    result = run("keys", "create", "--app", "shop", *args, "--data-dir", folder, "--json")
    assert result.exit_code == 0, result.stderr
    made: dict[str, str] = json.loads(result.stdout)
    return made


def listed(run: Run, folder: Path) -> dict[str, dict[str, object]]:
    result = run("keys", "list", "--data-dir", folder, "--json")
    return {entry["id"]: entry for entry in json.loads(result.stdout)}


def found_by(folder: Path, secret: str) -> KeyRecord | None:
    books = SqliteBooks.open(folder, exclusive=False)
    try:
        return books.find_key(key_hash(load_secrets(folder).pepper, secret))
    finally:
        books.stop()


def test_a_new_key_is_shown_once_and_recognised(run: Run, folder: Path) -> None:
    made = create(run, folder)
    assert set(made) == {"id", "key"}
    assert made["key"].startswith("yz-") and len(made["key"]) == SECRET_LENGTH
    record = found_by(folder, made["key"])
    assert record is not None and record.id == made["id"]


def test_the_secret_is_in_no_file(run: Run, folder: Path) -> None:
    secret = create(run, folder)["key"].encode()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files and not any(secret in path.read_bytes() for path in files)


def test_every_wish_reaches_the_books(run: Run, folder: Path) -> None:
    made = create(
        run, folder, "--team", "web", "--floor", "confidential", "--model", "own", "--model", "auto", "--rpm", "5",
        "--tpm", "900", "--concurrency", "2", "--budget", "2.5", "--period", "week", "--own-only",
        "--forbid-jurisdiction", "us", "--forbid-jurisdiction", "DE", "--expires", "30d",
    )  # fmt: skip
    record = found_by(folder, made["key"])
    assert record is not None
    assert (record.app, record.team, record.floor, record.models) == ("shop", "web", "confidential", ("own", "auto"))
    assert (record.requests_per_minute, record.tokens_per_minute, record.concurrency) == (5, 900, 2)
    assert (record.budget_nano, record.budget_period) == (2_500_000_000, "week")
    assert record.own_only and record.forbidden_jurisdictions == ("DE", "US")
    assert record.expires_ns == record.created_ns + 30 * 86_400 * 10**9


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--floor", "cosmic"], "the levels are public, internal"),
        (["--budget", "lots"], "not an amount"),
        (["--budget", "5 EUR"], "book currency"),
        (["--expires", "soon"], "30d"),
        (["--forbid-jurisdiction", "USA"], "two-letter"),
        (["--team", "a\x1bb"], "--team"),
    ],
)
def test_a_wrong_wish_is_refused_and_makes_no_key(run: Run, folder: Path, args: list[str], words: str) -> None:
    result = run("keys", "create", "--app", "shop", *args, "--data-dir", folder)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not folder.exists()


def test_an_unknown_model_is_a_warning_because_the_server_may_know_it(run: Run, folder: Path) -> None:
    result = run("keys", "create", "--app", "shop", "--model", "later", "--data-dir", folder)
    assert result.exit_code == 0
    assert "no model 'later'" in result.stderr


def test_a_revoked_key_says_so_and_an_unknown_one_is_a_negative_result(run: Run, folder: Path) -> None:
    made = create(run, folder)
    assert run("keys", "revoke", made["id"], "--data-dir", folder).exit_code == 0
    assert listed(run, folder)[made["id"]]["state"] == "revoked"
    unknown = run("keys", "revoke", "key_nobody", "--data-dir", folder)
    assert (unknown.exit_code, unknown.stdout) == (1, "")


@pytest.mark.parametrize(("grace", "state"), [("24h", "ending"), ("0", "revoked")])
def test_a_rotated_key_has_the_same_rights_and_the_old_one_ends(run: Run, folder: Path, grace: str, state: str) -> None:
    old = create(run, folder, "--floor", "restricted", "--budget", "1")
    result = run("keys", "rotate", old["id"], "--grace", grace, "--data-dir", folder, "--json")
    new = json.loads(result.stdout)
    keys = listed(run, folder)
    assert keys[old["id"]]["state"] == state
    assert keys[new["id"]]["state"] == "active"
    assert keys[new["id"]]["rotated_from"] == old["id"]
    same = ("app", "floor", "budget_nano", "period")
    assert [keys[new["id"]][name] for name in same] == [keys[old["id"]][name] for name in same]
    again = run("keys", "rotate", old["id"], "--data-dir", folder)
    assert again.exit_code == 2 and "already" in again.stderr


def test_the_list_shows_limits_to_people_and_no_secret(run: Run, folder: Path) -> None:
    made = create(run, folder, "--rpm", "7", "--budget", "3")
    shown = run("keys", "list", "--data-dir", folder).stdout
    assert made["id"] in shown and "7 req/min" in shown and "3.00 USD" in shown
    assert made["key"] not in shown


def test_an_empty_list_says_how_to_make_a_key(run: Run, folder: Path) -> None:
    assert "yuzui keys create" in run("keys", "list", "--data-dir", folder).stdout


def test_a_look_at_a_wrong_folder_makes_no_folder_and_names_it(run: Run, folder: Path) -> None:
    result = run("keys", "list", "--data-dir", folder)
    assert str(folder) in result.stdout and not folder.exists()


def test_the_first_key_says_that_it_closes_the_door_and_the_second_does_not(run: Run, folder: Path) -> None:
    said = [run("keys", "create", "--app", "shop", "--data-dir", folder).stderr for _ in range(2)]
    assert ["every request needs a key" in text for text in said] == [True, False]


@pytest.mark.parametrize(("grace", "words"), [("24h", "works until 20"), ("0", "is revoked")])
def test_rotating_says_what_becomes_of_the_old_key(run: Run, folder: Path, grace: str, words: str) -> None:
    old = create(run, folder)["id"]
    said = run("keys", "rotate", old, "--grace", grace, "--data-dir", folder).stderr
    assert f"{old}, {words}" in said
