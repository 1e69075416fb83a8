"""Whatever breaks, whatever is cut, and wherever a text stands: no vendor is shown what nobody could look at."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from faults.fault_runs import ROOMS, Runs, Tally, every_fault, opened, places_of, quietly, sample
from faults.injecting import Fault, RoomName, breaking, unchanged
from faults.positions import positions
from yuzui.privacy.scan import NOTHING, Scanner

FAULTS = every_fault()
EACH = 2  # positions per fault; all of them meet all in bench/injected_faults.py


def meet_some(name: RoomName, seed: int) -> Tally:
    """Each fault of a room at positions drawn by chance, until it happened."""

    async def main() -> Tally:
        tally, draw = Tally(), sample(positions(), seed)
        async with opened(name) as found:
            runs = Runs(found, name, seed, tally)
            for fault in FAULTS:
                if fault.room != name:
                    continue
                wanted = 1 if fault.is_dear or fault.standing else EACH
                places = draw() if len(places_of(fault)) > 20 else places_of(fault)
                if not await runs.meet(fault, places, until_struck=wanted):
                    assert await runs.meet(fault, places_of(fault), until_struck=1), f"{fault.id} did not happen"
        return tally

    with quietly():
        return asyncio.run(main())


@pytest.mark.parametrize("name", ROOMS)
def test_no_fault_shows_a_vendor_a_marked_text(name: RoomName) -> None:
    tally = meet_some(name, seed=20261126)
    assert tally.leaks == []
    assert tally.struck.keys() == {fault.id for fault in FAULTS if fault.room == name}, "each fault happened"
    assert tally.controls["went"] > 2 * tally.controls["not here"], (
        "without faults the same requests go where they should"
    )


def test_at_each_position_of_each_dialect_a_fault_keeps_the_text_from_the_vendor() -> None:
    (broken,) = (fault for fault in FAULTS if fault.id == "detector bank_card: raises MemoryError")

    async def main() -> Tally:
        tally = Tally()
        async with opened("open") as found:
            await Runs(found, "open", 1, tally).meet(broken, positions())
        return tally

    with quietly():
        tally = asyncio.run(main())
    assert tally.leaks == []
    everywhere = Counter(place.dialect for place in positions())
    met = Counter(place.split(": ")[0] for place in tally.met)
    assert met.keys() == everywhere.keys(), "every dialect"
    assert met.total() > 0.9 * everywhere.total(), (
        "the others say nothing of a text: bare numbers, files, what is sealed"
    )


def test_there_are_hundreds_of_faults_and_of_positions() -> None:
    assert len({fault.id for fault in FAULTS}) == len(FAULTS) > 1000
    assert len({place.id for place in positions()}) > 400


def test_a_fault_that_fails_open_is_noticed() -> None:
    """The suite itself: a scanner that says nothing was found lets the texts of the closed room out."""
    silent = Fault("scan", "finds nothing", breaking(Scanner, "scan", lambda *_: NOTHING), FAULTS[0].bait, "closed")
    harmless = Fault("scan", "works", breaking(Scanner, "scan", unchanged), FAULTS[0].bait)

    async def main(fault: Fault) -> Tally:
        tally = Tally()
        async with opened(fault.room) as found:
            await Runs(found, fault.room, 1, tally).meet(fault, sample(positions(), 1)())
        return tally

    for fault in (silent, harmless):
        with quietly():
            assert len(asyncio.run(main(fault)).leaks) > 3
