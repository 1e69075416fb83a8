"""Verification against a log in memory: nothing can be changed without being found and named."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from yuzui.audit.checkpoint import Checkpoint, sign_checkpoint
from yuzui.audit.frontier import Frontier, grow, root_of
from yuzui.audit.note import write_vkey
from yuzui.audit.record import RequestRecord, write_record
from yuzui.audit.tiles import ENTRIES, Tile, edge_tiles, read_bundle, superseded, write_bundle
from yuzui.audit.verify import MAX_PROBLEMS, verify_log

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "log.example/audit"
VKEY = write_vkey(ORIGIN, KEY.public_key())


class Log(dict[str, bytes]):
    """A log's files in memory, as a `LogSource`."""

    def read(self, path: str) -> bytes | None:
        return self.get(path)

    def paths(self) -> Iterator[str]:
        return iter(list(self))

    def names(self, folder: str) -> list[str]:
        return [path.rpartition("/")[2] for path in self if path.rpartition("/")[0] == folder]


def record(number: int) -> bytes:
    return write_record(RequestRecord(id=f"req_{number}", at="2026-11-22T12:00:00.000Z", outcome="answered"))


def sign(frontier: Frontier, key: Ed25519PrivateKey = KEY) -> bytes:
    return sign_checkpoint(Checkpoint(origin=ORIGIN, size=frontier.size, root=root_of(frontier)), key)


def files_of(leaves: list[bytes], frontier: Frontier | None = None) -> tuple[Frontier, Log]:
    grown, files = grow(frontier or Frontier(), leaves)
    return grown, Log({tile.path: data for tile, data in files.items()})


def log_of(leaves: list[bytes]) -> Log:
    frontier, log = files_of(leaves)
    log["vkey"] = f"{VKEY}\n".encode()
    log["checkpoint"] = sign(frontier)
    return log


RECORDS = [record(number) for number in range(70_000)]
SMALL = log_of(RECORDS[:3])
MIDDLE = log_of(RECORDS[:600])


def copy(log: Log) -> Log:
    return Log(log)


def problems(log: Log, *, vkey: str | None = None, checkpoint: str | None = None) -> tuple[str, ...]:
    report = verify_log(log, vkey=vkey, checkpoint=checkpoint)
    assert report.ok == (not report.problems)
    return report.problems


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 65_535, 65_536, 65_537])
def test_an_untouched_log_of_any_shape_is_well(size: int) -> None:
    report = verify_log(log_of(RECORDS[:size]), vkey=VKEY)
    assert (report.ok, report.size, report.problems, report.notes) == (True, size, (), ())
    assert (report.origin, report.vkey, report.is_key_pinned) == (ORIGIN, VKEY, True)


def test_every_flipped_bit_of_a_small_log_is_found() -> None:
    for path, data in SMALL.items():
        for at in range(len(data)):
            for bit in range(8):
                log = copy(SMALL)
                log[path] = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
                assert problems(log), f"bit {bit} of byte {at} of {path}"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_changed_byte_of_a_larger_log_is_found_and_its_file_is_named(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(MIDDLE)))
    at = data.draw(st.integers(0, len(MIDDLE[path]) - 1))
    by = data.draw(st.integers(1, 255))
    log = copy(MIDDLE)
    log[path] = log[path][:at] + bytes([log[path][at] ^ by]) + log[path][at + 1 :]
    found = problems(log)
    named = {"vkey": "vkey", "checkpoint": "checkpoint"}.get(path, path)
    assert any(named in problem for problem in found), (path, found)


@pytest.mark.parametrize("index", [0, 255, 256, 511, 512, 599])
def test_a_changed_entry_is_named_with_its_index_and_request(index: int) -> None:
    log = copy(MIDDLE)
    tile = Tile(ENTRIES, index // 256, 256 if index < 512 else 88)
    log[tile.path] = log[tile.path].replace(RECORDS[index], RECORDS[index].replace(b"answered", b"refused!"))
    found = problems(log)
    assert len(found) == 1
    assert f"{tile.path}: entry {index} (req_{index}) was changed" in found[0]


@pytest.mark.parametrize(("path", "index"), [("tile/0/001", 256 + 7), ("tile/0/002.p/88", 512 + 7)])
def test_a_changed_leaf_hash_is_told_apart_from_a_changed_entry(path: str, index: int) -> None:
    log = copy(MIDDLE)
    log[path] = log[path][: 7 * 32] + bytes(32) + log[path][8 * 32 :]
    assert problems(log) == (f"{path}: hash 7 was changed; entry {index} itself is intact",)


def test_a_changed_hash_of_an_upper_level_is_named() -> None:
    log = copy(MIDDLE)
    log["tile/1/000.p/2"] = bytes(32) + log["tile/1/000.p/2"][32:]
    assert problems(log) == ("tile/1/000.p/2: hash 0 is not that of tile/0/000",)


def rewritten(leaves: list[bytes]) -> Log:
    """An attacker who computes everything anew but cannot sign: the old checkpoint and key stay."""
    log = log_of(leaves)
    log["checkpoint"] = MIDDLE["checkpoint"]
    return log


@pytest.mark.parametrize("position", [0, 1, 255, 256, 300, 511, 512, 597, 598])
def test_entries_dropped_inserted_swapped_duplicated_or_edited_with_all_hashes_redone_are_found(position: int) -> None:
    leaves = RECORDS[:600]
    other = (position + 300) % 600
    swapped = list(leaves)
    swapped[position], swapped[other] = swapped[other], swapped[position]
    variants = {
        "dropped": leaves[:position] + leaves[position + 1 :],
        "inserted": [*leaves[:position], record(9), *leaves[position:]],
        "swapped": swapped,
        "duplicated": [*leaves[:position], leaves[position], *leaves[position:]],
        "edited": [*leaves[:position], record(10**6), *leaves[position + 1 :]],
    }
    for name, changed in variants.items():
        assert problems(rewritten(changed)), name


def test_an_entry_added_after_the_signed_ones_is_shown_as_unsigned() -> None:
    """It looks like a publish that is not finished: no promise is broken, but it must not pass unseen."""
    report = verify_log(rewritten([*RECORDS[:600], RECORDS[599]]))
    assert report.size == 600
    assert report.notes == ("entries after the checkpoint that are not signed yet: 1",)


@pytest.mark.parametrize("kept", [0, 1, 255, 256, 257, 511, 512, 598, 599])
def test_a_cut_off_end_is_found_by_the_checkpoint_and_with_a_stolen_key_by_an_older_one(kept: int) -> None:
    assert problems(rewritten(RECORDS[:kept]))
    signed_again = log_of(RECORDS[:kept])
    assert problems(signed_again) == ()
    older = MIDDLE["checkpoint"].decode()
    assert problems(signed_again, checkpoint=older) == (
        f"checkpoint: the log has {kept} entries, but 600 were signed before: "
        f"{600 - kept} entries were cut off or an old state was put back",
    )


@pytest.mark.parametrize("older_size", [0, 1, 3, 256, 300, 512, 600])
def test_an_older_checkpoint_fits_its_own_history_and_no_other(older_size: int) -> None:
    older = log_of(RECORDS[:older_size])["checkpoint"].decode()
    assert problems(MIDDLE, checkpoint=older) == ()
    forged = log_of([record(10**6), *RECORDS[1:600]])
    assert problems(forged) == ()
    assert bool(problems(forged, checkpoint=older)) == (older_size > 0)


def test_an_older_checkpoint_of_somebody_else_is_refused() -> None:
    frontier, _ = grow(Frontier(), RECORDS[:5])
    assert problems(MIDDLE, checkpoint=sign(frontier, Ed25519PrivateKey.generate()).decode())
    assert problems(MIDDLE, checkpoint="nonsense")


def test_a_log_that_was_replaced_with_its_key_is_found_by_the_pinned_key() -> None:
    thief = Ed25519PrivateKey.generate()
    log = copy(MIDDLE)
    frontier, _ = grow(Frontier(), RECORDS[:600])
    log["checkpoint"] = sign(frontier, thief)
    log["vkey"] = f"{write_vkey(ORIGIN, thief.public_key())}\n".encode()
    report = verify_log(log)
    assert report.ok
    assert not report.is_key_pinned
    assert any("not the expected" in problem for problem in problems(log, vkey=VKEY))
    assert problems(MIDDLE, vkey="nonsense")


def test_a_signature_that_the_log_did_not_write_is_reported() -> None:
    log = copy(SMALL)
    frontier, _ = grow(Frontier(), RECORDS[:3])
    log["checkpoint"] += sign(frontier, Ed25519PrivateKey.generate()).split(b"\n\n")[1]
    assert problems(log) == (f"checkpoint: signatures that this log did not write: {ORIGIN}",)


@pytest.mark.parametrize("path", sorted(MIDDLE))
def test_a_missing_file_is_named(path: str) -> None:
    log = copy(MIDDLE)
    del log[path]
    assert any(path in problem and "missing" in problem for problem in problems(log))


@pytest.mark.parametrize(
    "path",
    [
        "notes.txt", "checkpoint.bak", "tile/0/003", "tile/entries/003", "tile/2/000", "tile/1/001.p/1",
        "tile/0/x000/001", "tile/entries/000.gz", ".DS_Store", "tile/0/002.p/90", "tile/0/000.p/10",
    ],
)  # fmt: skip
def test_a_file_that_does_not_belong_is_named(path: str) -> None:
    log = copy(MIDDLE)
    log[path] = MIDDLE["tile/entries/000"]
    assert any(path in problem for problem in problems(log))


def test_a_truncated_file_and_one_with_something_added_are_named() -> None:
    for path in MIDDLE:
        for changed in (MIDDLE[path][:-1], MIDDLE[path] + b"\0", b""):
            log = copy(MIDDLE)
            log[path] = changed
            assert any(path in problem for problem in problems(log)), (path, len(changed))


def test_two_exchanged_files_are_found() -> None:
    log = copy(MIDDLE)
    log["tile/entries/000"], log["tile/entries/001"] = log["tile/entries/001"], log["tile/entries/000"]
    log["tile/0/000"], log["tile/0/001"] = log["tile/0/001"], log["tile/0/000"]
    assert "tile/1/000.p/2: hash 0 is not that of tile/0/000" in problems(log)


def test_an_entry_that_is_no_record_is_a_problem_although_it_is_signed() -> None:
    assert problems(log_of([RECORDS[0], b"not a record"]))[0].startswith(
        "tile/entries/000.p/2: entry 1 is not a request record"
    )


def test_a_log_that_is_wholly_destroyed_is_described_briefly() -> None:
    log = log_of(RECORDS[:3000])
    for index in range(11):
        log[f"tile/0/{index:03d}"] = bytes(8192)
    found = problems(log)
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == f"stopped after {MAX_PROBLEMS} problems"


def test_an_empty_folder_is_no_log() -> None:
    report = verify_log(Log())
    assert not report.ok
    assert report.size == 0


# ---- while somebody publishes ---------------------------------------------------------------------------------------


def published_further(log: Log, old: int, new: int) -> tuple[Log, list[Tile], bytes]:
    """The files after the tiles of a publish are in place, those that it will remove, and its checkpoint."""
    frontier, _ = grow(Frontier(), RECORDS[:old])
    grown, files = files_of(RECORDS[old:new], frontier)
    return Log({**log, **files}), superseded(old, new), sign(grown)


@pytest.mark.parametrize("new", [601, 767, 768, 769, 1_500])
def test_tiles_without_their_checkpoint_yet_are_noted_and_checked(new: int) -> None:
    log, _, _ = published_further(MIDDLE, 600, new)
    report = verify_log(log)
    assert (report.ok, report.size) == (True, 600)
    assert report.notes == (f"entries after the checkpoint that are not signed yet: {new - 600}",)
    fresh = [path for path in log if path not in MIDDLE]
    generator = random.Random(new)
    for path in fresh:
        at = generator.randrange(len(log[path]))
        changed = copy(log)
        changed[path] = log[path][:at] + bytes([log[path][at] ^ 1]) + log[path][at + 1 :]
        assert problems(changed), path


@pytest.mark.parametrize("new", [601, 767, 768, 769, 1_500])
def test_partial_tiles_may_be_gone_when_wider_ones_took_their_place(new: int) -> None:
    log, replaced, _ = published_further(MIDDLE, 600, new)
    for tile in replaced:
        del log[tile.path]
    report = verify_log(log)
    assert (report.ok, report.size, report.problems) == (True, 600, ())


@pytest.mark.parametrize("new", [601, 768, 1_500])
def test_partial_tiles_that_were_not_removed_must_be_the_beginning_of_their_successors(new: int) -> None:
    log, replaced, signed = published_further(MIDDLE, 600, new)
    log["checkpoint"] = signed
    assert verify_log(log).ok
    for tile in replaced:
        changed = copy(log)
        changed[tile.path] = log[tile.path][:-1] + b"\0"
        assert any(tile.path in problem and "older partial file" in problem for problem in problems(changed))


def test_a_leftover_of_an_interrupted_publish_is_noted() -> None:
    log = copy(SMALL)
    log[".staging/0"] = b"half a ti"
    assert verify_log(log).notes == (".staging/0: left by a publish that is not finished",)
    assert verify_log(log).ok


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 600), st.randoms(use_true_random=False))
def test_damage_of_any_kind_never_raises(size: int, generator: random.Random) -> None:
    log = log_of(RECORDS[:size])
    for _ in range(3):
        path = generator.choice(sorted(log))
        match generator.randrange(3):
            case 0:
                log[path] = generator.randbytes(generator.randrange(9000))
            case 1:
                log[path] = log[path][: generator.randrange(len(log[path]) + 1)]
            case _:
                log[path.replace("0", "1", 1)] = log[path]
    verify_log(log)


def test_the_helpers_above_make_real_bundles() -> None:
    assert edge_tiles(600)[0].path in MIDDLE
    assert write_bundle(read_bundle(MIDDLE["tile/entries/000"], 256)) == MIDDLE["tile/entries/000"]
