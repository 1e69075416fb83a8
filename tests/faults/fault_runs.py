"""Faults meet positions: each request once without the fault, once with it, and what the vendors were shown."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace

from egress_kit import Heard, Room, room
from faults.baits import CUSTOM, KINDS, Bait, kinds_at
from faults.dialect_kit import CHATS, Asked, config
from faults.injected import JUDGE, NO, all_faults, says
from faults.injected_processes import (
    FILED,
    PLAIN,
    Reader,
    document_faults,
    document_positions,
    document_process_faults,
    name_faults,
    name_process_faults,
    names_that,
)
from faults.injecting import Fault, RoomName, Strikes
from faults.positions import Position, positions
from faults.spoiled import spoiled_requests, unscanned_parts

OPEN = f'[sensitivity]\nunscannable = "internal"\n{CUSTOM}{kinds_at("internal")}'
STRICT = f"{CUSTOM}{kinds_at('internal')}"
ROOMS: dict[RoomName, str] = {
    "open": OPEN,
    "strict": STRICT,
    "names": f"{OPEN}[sensitivity.names]\nenabled = false\ndeadline_ms = 60\n",
    "documents": f"{STRICT}[sensitivity.documents]\ndeadline_ms = 300\n",
    "closed": CUSTOM,
    "masked": f"[masking]\nkinds = {KINDS}\nrealistic = ['email']\n{CUSTOM}".replace("'", '"'),
    "judge": f"""{OPEN}
[sensitivity.judge]
target = "{JUDGE}"
labels = {{ trade_secret = "restricted", source_code = "confidential" }}
deadline_ms = 60
[[targets]]
name = "{JUDGE}"
provider = "vllm"
base_url = "http://127.0.0.1:9/v1"
model = "judge"
premises = "own"
clearance = "restricted"
price = "free"
""",
}
"""What each room lets pass without a fault: see `Fault`."""

Route = tuple[str, bool, str]
"""(model, whether it is streamed, how the own target is)."""


@dataclass(slots=True)
class Tally:
    """What became of requests with faults."""

    requests: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    """Fault → requests in which it happened."""
    met: Counter[str] = field(default_factory=Counter)
    """Position → faults that happened there."""
    families: dict[str, set[str]] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)
    controls: Counter[str] = field(default_factory=Counter)
    """Requests without a fault, by what they show: `went`, or `not here`: nothing of that text goes out there."""


class _Nobody:
    port = 9
    base_url = "http://127.0.0.1:9/v1"


@asynccontextmanager
async def opened(name: RoomName) -> AsyncGenerator[Room, None]:
    """That room. Its judge and its models for names find nothing, its documents are read completely."""
    async with room(config(_Nobody, _Nobody, more=ROOMS[name])) as found:  # type: ignore[arg-type]  # its address is all that is asked of it
        found.targets.told[JUDGE] = says(NO)
        gateway = found.service.gateway
        if name == "names":
            gateway.world = replace(gateway.world, names=names_that())
        if name == "documents":
            gateway.world = replace(gateway.world, documents=Reader())
        yield found


@contextmanager
def quietly() -> Generator[None, None, None]:
    """Without the log lines of failures that are as they should be."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


class Runs:
    """One room, many faults."""

    def __init__(self, found: Room, name: RoomName, seed: int, tally: Tally) -> None:
        self._room = found
        self._name = name
        self._rng = random.Random(seed)
        self._tally = tally
        self._known: dict[tuple[str, str], bool] = {}
        self._number = 0

    async def meet(self, fault: Fault, places: Iterable[Position], *, until_struck: int = 0) -> int:
        """`fault` at each of `places`; how often it happened. `until_struck`: stop once it did so often."""
        struck = 0
        goes = {place.id: await self.control(fault.bait, place) for place in places} if fault.standing else {}
        async with fault.standing(self._room) if fault.standing else nullcontext():
            for place in places:
                is_right = goes[place.id] if fault.standing else await self.control(fault.bait, place)
                struck += await self._one(fault, place, is_right)
                if until_struck and struck >= until_struck:
                    break
        return struck

    async def _one(self, fault: Fault, place: Position, goes: bool) -> bool:
        tally = self._tally
        tally.families.setdefault(fault.family, set()).add(fault.name)
        route = self._route(fault, place)
        strikes = Strikes()
        self._room.forget()
        with fault.inject(self._room, strikes):
            outcome, is_spoiled = await self._ask(fault.says or fault.bait.text, place, route, fault.spoil)
        strikes.count += is_spoiled or bool(fault.says)
        tally.requests += 1
        shown = self._room.received(fault.bait.mark)
        if shown and (strikes.count or self._name in ("closed", "masked")):
            tally.leaks.append(f"{fault.id}; {place.id}; {route}; {shown}")
        if not strikes.count or not goes:
            return False
        tally.struck[fault.id] += 1
        tally.met[place.id] += 1
        tally.outcomes[outcome] += 1
        return True

    async def control(self, bait: Bait, place: Position) -> bool:
        """Whether without a fault that request goes where it should: to the vendor with its mark, or masked, or, where
        the room is closed, to the own target alone. False where the dialect says nothing of that text to anybody."""
        key = bait.text, place.id
        if key not in self._known:
            self._room.forget()
            outcome, _ = await self._ask(bait.text, place, (place.target, False, "fine"))
            shown = bool(self._room.received(bait.mark))
            match self._name:
                case "masked":
                    goes = not shown and outcome == "vendor"
                case "closed":
                    goes = not shown and outcome == "refused" and await self._own_sees(bait, place)
                case _:
                    goes = shown
            self._known[key] = goes
            self._tally.controls["went" if goes else "not here"] += 1
        return self._known[key]

    async def _own_sees(self, bait: Bait, place: Position) -> bool:
        if not place.has_choice:
            return True
        self._room.forget()
        await self._ask(bait.text, place, ("assistant", False, "fine"))
        return bool(self._room.received(bait.mark, by="house/"))

    async def _ask(
        self, text: str, place: Position, route: Route, spoil: Callable[[Asked], Asked] | None = None
    ) -> tuple[str, bool]:
        """What became of it, and whether the request was spoiled."""
        model, stream, weather = route
        found = self._room
        found.targets.weather["house/small"] = weather
        self._number += 1
        if self._name in ("judge", "names"):
            text = f"{text} ({_letters(self._number)})"  # what was looked at once is remembered
        asked = place.put(text, model, stream)
        sent = asked if spoil is None else spoil(asked)
        try:
            outcome = _outcome(await found.ask(sent), found)
        except Exception as error:  # a request that breaks the line was not answered, nor sent on
            outcome = f"escaped as {type(error).__name__}"
        return outcome, sent.body != asked.body

    def _route(self, fault: Fault, place: Position) -> Route:
        """Among all ways by which such a request could reach a vendor."""
        rng = self._rng
        if not place.has_choice:
            return place.target, False, "fine"
        stream = rng.random() < 0.5
        named: Route = (place.target, stream, "fine")
        if fault.needs_vendor:
            return rng.choice((named, ("assistant", stream, "unreachable")))
        own: Route = ("assistant", stream, rng.choice(("fine", "unreachable", "error", "breaks off")))
        if self._name in ("masked", "closed"):
            return rng.choice((named, own))
        return rng.choice((named, (rng.choice(CHATS), stream, "fine"), own))


def every_fault() -> tuple[Fault, ...]:
    return (
        *all_faults(), *spoiled_requests(), *unscanned_parts(), *name_faults(), *name_process_faults(),
        *document_faults(), *document_process_faults(),
    )  # fmt: skip


def places_of(fault: Fault) -> tuple[Position, ...]:
    """Where a fault can be met: at all positions, or where a document can stand."""
    if fault.bait is FILED:
        return document_positions()
    return document_positions("text/plain") if fault.bait is PLAIN else positions()


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def _outcome(heard: Heard, found: Room) -> str:
    if any(sent.target.startswith("vendor/") for sent in found.targets.sent):
        return "vendor"
    if heard.status == 200:
        return "own"
    return "refused" if heard.status in (400, 403) else f"failed with {heard.status}"


def sample(places: Collection[Position], seed: int) -> Callable[[], list[Position]]:
    """A source of shuffled positions; all come before one comes again."""
    rng = random.Random(seed)
    waiting: list[Position] = []

    def draw() -> list[Position]:
        nonlocal waiting
        if len(waiting) < 12:
            fresh = list(places)
            rng.shuffle(fresh)
            waiting += fresh
        drawn, waiting = waiting[:12], waiting[12:]
        return drawn

    return draw
