"""Room that scopes share: when it is full, who holds the most gives way, so that nobody pushes out another's."""

from __future__ import annotations


class Shares:
    """How much each scope holds of `capacity`."""

    __slots__ = ("_capacity", "_heaviest", "_held", "total")

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a memory needs a capacity of at least 1")
        self._capacity = capacity
        self._held: dict[bytes, int] = {}
        self._heaviest = b""
        """The scope that held the most when it was last looked at."""
        self.total = 0

    @property
    def is_exceeded(self) -> bool:
        return self.total > self._capacity

    def add(self, scope_tag: bytes, count: int) -> None:
        """`count` may be negative; a scope that holds nothing is forgotten."""
        held = self._held.get(scope_tag, 0) + count
        self.total += count
        if held > 0:
            self._held[scope_tag] = held
            if self._heaviest in self._held and held > self._held[self._heaviest]:
                self._heaviest = scope_tag
        else:
            self._held.pop(scope_tag, None)

    def heaviest(self) -> bytes:
        """Who gives way now."""
        if self._held.get(self._heaviest, 0) * len(self._held) <= self._capacity:
            # It has shrunk to its share: look again who holds the most.
            self._heaviest = max(self._held, key=lambda tag: self._held[tag])
        return self._heaviest
