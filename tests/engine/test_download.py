"""Transfers are taken up where they stopped, and wrong bytes never stay."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyreqwest.client import SyncClient

from yuzui.engine.download import Attempts, Expected, build_client, fetch, redacted
from yuzui.engine.faults import SourceFault, WrongContent

DATA = bytes(i * 31 % 253 for i in range(300_000))
SHA = hashlib.sha256(DATA).hexdigest()
PATIENT = Attempts(count=4, sleep=lambda _: None)
Shelf = Any  # the fixture's class lives in conftest.py, which is not importable by name


@pytest.fixture
def client() -> Iterator[SyncClient]:
    with build_client() as client:
        yield client


def quiet(what: str, done: int, total: int) -> None:
    pass


def test_a_file_arrives_whole_and_hashed(client: SyncClient, shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/f"] = DATA
    seen: list[tuple[str, int, int]] = []
    got = fetch(client, shelf.url + "/f", tmp_path / "p", expected=Expected(sha256=SHA, size_bytes=len(DATA)),
                progress=lambda *step: seen.append(step), attempts=PATIENT)  # fmt: skip
    assert got.sha256 == SHA
    assert (tmp_path / "p").read_bytes() == DATA
    assert seen[-1] == ("fetch", len(DATA), len(DATA))


@pytest.mark.parametrize("cuts", [[100_000], [1], [90_000, 50_000, 10_000]])
def test_a_cut_transfer_goes_on_where_it_stopped(
    client: SyncClient, shelf: Shelf, tmp_path: Path, cuts: list[int]
) -> None:
    shelf.files["/f"] = DATA
    shelf.cut_after["/f"] = list(cuts)
    got = fetch(
        client, shelf.url + "/f", tmp_path / "p", expected=Expected(sha256=SHA), progress=quiet, attempts=PATIENT
    )
    assert got.sha256 == SHA
    ranges = [wanted for _, _, wanted in shelf.asked]
    assert ranges == ["", *(f"bytes={sum(cuts[: i + 1])}-" for i in range(len(cuts)))]


def test_a_second_run_takes_up_what_the_first_one_left(client: SyncClient, shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/f"] = DATA
    shelf.cut_after["/f"] = [120_000]
    once = Attempts(count=1, sleep=lambda _: None)
    with pytest.raises(SourceFault, match="120,000 bytes are kept"):
        fetch(client, shelf.url + "/f", tmp_path / "p", expected=Expected(sha256=SHA), progress=quiet, attempts=once)
    assert fetch(client, shelf.url + "/f", tmp_path / "p", expected=Expected(sha256=SHA), progress=quiet).sha256 == SHA
    assert shelf.asked[-1][2] == "bytes=120000-"
    assert [file.name for file in tmp_path.iterdir()] == ["p"]


def test_a_server_without_ranges_sends_all_again(client: SyncClient, shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/f"] = DATA
    shelf.cut_after["/f"] = [120_000]
    shelf.knows_ranges = False
    got = fetch(
        client, shelf.url + "/f", tmp_path / "p", expected=Expected(sha256=SHA), progress=quiet, attempts=PATIENT
    )
    assert got.sha256 == SHA


def test_a_file_that_changed_in_between_is_not_glued_together(client: SyncClient, shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/f"] = bytes(300_000)
    shelf.cut_after["/f"] = [120_000]
    once = Attempts(count=1, sleep=lambda _: None)
    with pytest.raises(SourceFault):
        fetch(client, shelf.url + "/f", tmp_path / "p", expected=Expected(), progress=quiet, attempts=once)
    shelf.files["/f"], shelf.etag = DATA, '"v2"'
    assert fetch(client, shelf.url + "/f", tmp_path / "p", expected=Expected(), progress=quiet).sha256 == SHA


def test_without_hash_and_validator_a_partial_file_is_not_trusted(
    client: SyncClient, shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "p").write_bytes(b"of unknown origin")
    shelf.files["/f"] = DATA
    assert fetch(client, shelf.url + "/f", tmp_path / "p", expected=Expected(), progress=quiet).sha256 == SHA
    assert shelf.asked[0][2] == ""


def test_a_partial_file_of_other_bytes_is_found_out_and_removed(
    client: SyncClient, shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "p").write_bytes(b"x" * 1000)
    shelf.files["/f"] = DATA
    with pytest.raises(WrongContent, match="sha256"):
        fetch(client, shelf.url + "/f", tmp_path / "p", expected=Expected(sha256=SHA), progress=quiet)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        (Expected(sha256="0" * 64), "sha256"),
        (Expected(size_bytes=len(DATA) - 1), "more than the expected"),
        (Expected(size_bytes=len(DATA) + 1), "bytes came instead of"),
        (Expected(most_bytes=1000), "more than the expected"),
    ],
)
def test_wrong_bytes_are_refused_and_removed(
    client: SyncClient, shelf: Shelf, tmp_path: Path, expected: Expected, reason: str
) -> None:
    shelf.files["/f"] = DATA
    with pytest.raises(WrongContent, match=reason):
        fetch(client, shelf.url + "/f", tmp_path / "p", expected=expected, progress=quiet, attempts=PATIENT)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_not_asked_for_again(client: SyncClient, shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(SourceFault, match="HTTP status 404"):
        fetch(client, shelf.url + "/none", tmp_path / "p", expected=Expected(), progress=quiet, attempts=PATIENT)
    assert len(shelf.asked) == 1


def test_an_unreachable_place_is_a_fault_of_the_source(client: SyncClient, tmp_path: Path) -> None:
    with pytest.raises(SourceFault, match="ConnectError"):
        fetch(client, "http://127.0.0.1:1/f", tmp_path / "p", expected=Expected(), progress=quiet, attempts=PATIENT)


def test_a_file_address_is_copied(client: SyncClient, tmp_path: Path) -> None:
    source = tmp_path / "a b"
    source.write_bytes(DATA)
    got = fetch(client, source.as_uri(), tmp_path / "p", expected=Expected(sha256=SHA), progress=quiet)
    assert got.size_bytes == len(DATA)


def test_credentials_do_not_reach_messages(client: SyncClient, shelf: Shelf, tmp_path: Path) -> None:
    password = "pass" + "word"
    url = shelf.url.replace("//", f"//user:{password}@") + "/none?token=abc"
    with pytest.raises(SourceFault) as caught:
        fetch(client, url, tmp_path / "p", expected=Expected(), progress=quiet, attempts=PATIENT)
    assert password not in str(caught.value)
    assert "token" not in redacted(url)
    assert shelf.authorizations[0].startswith("Basic ")
