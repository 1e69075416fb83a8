"""Where recorded requests stood: on whose premises and in which country, and when another place means leaving."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from yuzui.backtest.recorded import Recorded
from yuzui.core.target import Target


@dataclass(frozen=True, slots=True)
class Place:
    premises: str
    """own | vendor; "" where nobody knows."""
    jurisdiction: str


class Places:
    """Records of version 2 tell the place of who answered; of others, and of fallbacks, `known` is asked by name."""

    def __init__(self, known: Iterable[Target], home: Collection[str]) -> None:
        """`known`: targets as they were, or as they are now where nothing else is at hand. `home`: the jurisdictions
        that count as the country; empty: that of the recorded target, request by request."""
        self._known = {target.name: Place(target.premises, target.jurisdiction) for target in known}
        self._home = frozenset([place.casefold() for place in home])
        self.unknown: set[str] = set()
        """Recorded targets whose place nobody knows; they count as inside, so that leaving is never missed."""

    def was_inside(self, recorded: Recorded) -> bool:
        """Nobody outside the house was sent it, as far as the record tells."""
        names = {one.target for one in recorded.attempts} - {recorded.target}
        if recorded.target and self._of(recorded).premises == "vendor":
            return False
        return not any(self._by_name(name).premises == "vendor" for name in names)

    def plan_was_inside(self, recorded: Recorded) -> bool:
        """No target of the plan was outside."""
        return not any(self._by_name(name).premises == "vendor" for name in recorded.plan)

    def leaves_country(self, recorded: Recorded, target: Target) -> bool:
        """It was in the country, or nowhere at all, and `target` is not, or nobody knows where that is."""
        there = target.jurisdiction.casefold()
        if not recorded.target:
            return bool(self._home) and there not in self._home
        here = self._of(recorded).jurisdiction.casefold()
        if recorded.target == target.name and here == there:
            return False
        if self._home:
            return (here in self._home or not here) and there not in self._home
        return here != there or not there

    def _of(self, recorded: Recorded) -> Place:
        """Of the recorded target."""
        if recorded.premises:
            return Place(recorded.premises, recorded.jurisdiction)
        return self._by_name(recorded.target)

    def _by_name(self, name: str) -> Place:
        place = self._known.get(name)
        if place is None:
            self.unknown.add(name)
            return Place("", "")
        return place


def home_of(targets: Iterable[Target]) -> tuple[str, ...]:
    """The jurisdictions of own targets: what counts as the country where nobody says."""
    own = {target.jurisdiction for target in targets if target.premises == "own"}
    return tuple(sorted(own - {""}))
