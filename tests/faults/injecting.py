"""How a part of a running gateway is made to fail, and how it is known that it did."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from egress_kit import Room
from faults.baits import BAITS, Bait
from faults.dialect_kit import Asked
from yuzui.privacy.detectors._contract import Digits, Hit

RoomName = Literal["open", "strict", "closed", "masked", "names", "documents", "judge"]
Behaviour = Callable[..., Any]  # Any: (the real thing, *its arguments) → whatever a broken one does
ERRORS: tuple[type[Exception], ...] = (ValueError, MemoryError, RecursionError)


@dataclass(slots=True)
class Strikes:
    """How often what is broken was used."""

    count: int = 0


Inject = Callable[[Room, Strikes], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`room`: where without the fault a marked text goes to the vendor (open, strict, names, documents, judge), goes
    there masked (masked), or does not go there (closed)."""

    family: str
    name: str
    inject: Inject
    bait: Bait
    room: RoomName = "open"
    needs_vendor: bool = False
    """Whether it is only reached by requests on their way to a vendor."""
    standing: Callable[[Room], AbstractAsyncContextManager[None]] | None = None
    """What stands around all requests with this fault, because it takes long to make: a process."""
    spoil: Callable[[Asked], Asked] | None = None
    """What becomes of the request itself."""
    says: str = ""
    """What is said in place of the bait."""
    is_dear: bool = False
    """Whether it costs so much that it meets only some positions."""

    @property
    def id(self) -> str:
        return f"{self.family}: {self.name}"


@contextmanager
def nothing_broken(_room: Room, _strikes: Strikes) -> Generator[None, None, None]:
    yield


# ---- behaviours ------------------------------------------------------------------------------------------------------


def raises(error: type[BaseException]) -> Behaviour:
    def behave(_real: Any, *_: Any, **__: Any) -> Any:  # Any: whatever it stands in for
        raise error("injected")

    return behave


def returns(value: Any) -> Behaviour:  # Any: whatever a broken one may return
    return lambda _real, *_, **__: value


def unchanged(real: Any, *given: Any, **more: Any) -> Any:  # Any: as above
    return real(*given, **more)


# ---- places ----------------------------------------------------------------------------------------------------------


def struck(real: Any, behave: Behaviour, strikes: Strikes) -> Callable[..., Any]:  # Any: as above
    def instead(*given: Any, **more: Any) -> Any:  # Any: as above
        strikes.count += 1
        return behave(real, *given, **more)

    return instead


@contextmanager
def patched(owner: Any, name: str, behave: Behaviour, strikes: Strikes) -> Generator[None, None, None]:
    """`owner.name`, of a module, a class or an object, behaves so while the body runs."""
    kept = vars(owner).get(name) if hasattr(owner, "__dict__") else None
    real = getattr(owner, name)
    setattr(owner, name, struck(real, behave, strikes))
    try:
        yield
    finally:
        if kept is None:
            delattr(owner, name)
        else:
            setattr(owner, name, kept)


def breaking(owner: Any, name: str, behave: Behaviour) -> Inject:  # Any: a module or a class
    return lambda _room, strikes: patched(owner, name, behave, strikes)


class Over:
    """An object that is another one but for some of its attributes."""

    def __init__(self, real: Any, **instead: Any) -> None:  # Any: whatever it stands in for
        self._real = real
        vars(self).update(instead)

    def __getattr__(self, name: str) -> Any:  # Any: as above
        return getattr(self._real, name)


def in_world(port: str, name: str, behave: Behaviour) -> Inject:
    """`world.port.name` behaves so."""

    @contextmanager
    def inject(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        gateway = room.service.gateway
        world = gateway.world
        real = getattr(world, port)
        over = Over(real, **{name: struck(getattr(real, name), behave, strikes)})
        gateway.world = replace(world, **{port: over})  # type: ignore[arg-type]  # it stands in
        try:
            yield
        finally:
            gateway.world = world

    return inject


def in_snapshot(port: str, name: str, behave: Behaviour) -> Inject:
    """`snapshot.port.name` behaves so."""

    @contextmanager
    def inject(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        gateway = room.service.gateway
        snapshot = gateway.snapshot
        real = getattr(snapshot, port)
        over = Over(real, **{name: struck(getattr(real, name), behave, strikes)})
        gateway.snapshot = replace(snapshot, **{port: over})  # type: ignore[arg-type]  # as above
        try:
            yield
        finally:
            gateway.snapshot = snapshot

    return inject


def in_scanner(part: str, name: str, behave: Behaviour) -> Inject:
    """`scanner.part.name` behaves so: the engine, the canonicaliser, the layouts."""

    @contextmanager
    def inject(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        scanner = room.service.gateway.snapshot.scanner
        real = getattr(scanner, part)
        setattr(scanner, part, Over(real, **{name: struck(getattr(real, name), behave, strikes)}))
        try:
            yield
        finally:
            setattr(scanner, part, real)

    return inject


# ---- detectors -------------------------------------------------------------------------------------------------------


Make = Callable[[str], Behaviour]
"""(a kind that the detector declares) → how it fails."""


def _hits(make: Callable[[str, int, int, int], Any]) -> Make:  # Any: no hit, or one that cannot be
    """Instead of what it found: `make(kind, start, end, size of the text)`."""

    def of(kind: str) -> Behaviour:
        def behave(_real: Any, *given: Any) -> Any:  # Any: a text and offsets, or digits
            if isinstance(given[0], Digits):
                return make(kind, given[0].start, given[0].end, len(given[0].text))
            text, start, end = given
            return [make(kind, start, end, len(text))]

        return behave

    return of


def _breaks_in_the_middle(real: Any, *given: Any) -> Any:  # Any: as above
    if isinstance(given[0], Digits):
        raise StopIteration

    def told() -> Generator[Any, None, None]:  # Any: hits
        yield from list(real(*given))[:1]
        raise RuntimeError("injected")

    return told()


def _always(behave: Behaviour) -> Make:
    return lambda _kind: behave


FAR = 10**6  # characters: no text here is so long
DETECTOR_FAULTS: dict[str, Make] = {
    **{f"raises {error.__name__}": _always(raises(error)) for error in (*ERRORS, KeyError)},
    "breaks in the middle": _always(_breaks_in_the_middle),
    "returns a number": _always(returns(7)),
    "returns a text": _always(returns("nothing")),
    "returns no hit but a pair": _hits(lambda kind, start, end, size: (start, end)),
    "returns a hit beyond the text": _hits(lambda kind, start, end, size: Hit(kind, size + FAR, size + FAR + 9)),
    "returns a hit that ends beyond the text": _hits(lambda kind, start, end, size: Hit(kind, start, size + FAR)),
    "returns a hit before the text": _hits(lambda kind, start, end, size: Hit(kind, -9, -1)),
    "returns a hit that ends before it begins": _hits(lambda kind, start, end, size: Hit(kind, end, start)),
    "returns an empty hit": _hits(lambda kind, start, end, size: Hit(kind, start, start)),
    "returns a hit with offsets that are no numbers": _hits(lambda kind, start, end, size: Hit(kind, "a", None)),  # type: ignore[arg-type]  # on purpose
    "returns a hit of no kind": _hits(lambda kind, start, end, size: Hit(None, start, end)),  # type: ignore[arg-type]  # on purpose
    "returns a hit of a kind that is a list": _hits(lambda kind, start, end, size: Hit([kind], start, end)),  # type: ignore[arg-type]  # on purpose
    "returns a hit of a kind that it does not declare": _hits(lambda kind, start, end, size: Hit("colour", start, end)),
}


@contextmanager
def _with_detector(name: str, make: Make, room: Room, strikes: Strikes) -> Generator[None, None, None]:
    detectors = room.service.gateway.snapshot.scanner._detectors
    real = detectors[name]
    behave = make(next(iter(real.levels)))
    check, check_digits = (
        None if one is None else struck(one, behave, strikes) for one in (real.check, real.check_digits)
    )
    detectors[name] = replace(real, check=check, check_digits=check_digits)
    try:
        yield
    finally:
        detectors[name] = real


def detector_faults() -> list[Fault]:
    """Each detector, each of the operator's patterns and dictionaries, broken in each way."""
    return [
        Fault(f"detector {name}", way, partial(_with_detector, name, make), bait)
        for name, bait in BAITS.items()
        for way, make in DETECTOR_FAULTS.items()
    ]
