"""What is remembered of texts and values, key by key, and whose label each key has. Bounded: the oldest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence, Set

from yuzui.privacy.claims import Claims, Origin, join
from yuzui.privacy.shares import Shares


class Source(Origin):
    """One text, or one value, as it was learnt at one time."""

    __slots__ = ("keys", "kind")

    def __init__(self, conversation: bytes, level: int, kind: str, masked: int | None) -> None:
        super().__init__(conversation, level, masked)
        self.kind = kind
        """Of the finding that it was; "" for a text."""
        self.keys: Sequence[bytes] = ()


class _Scope:
    __slots__ = ("known", "sources")

    def __init__(self) -> None:
        self.known: dict[bytes, Claims] = {}
        self.sources: OrderedDict[Origin, None] = OrderedDict()


class Sources:
    """At most `capacity` keys of all scopes together. A scope sees only its own."""

    __slots__ = ("_scopes", "_shares")

    def __init__(self, capacity: int) -> None:
        self._scopes: dict[bytes, _Scope] = {}
        self._shares = Shares(capacity)

    def __len__(self) -> int:
        return self._shares.total

    def learn(
        self,
        scope_tag: bytes,
        keys: Iterable[bytes],
        conversation: bytes,
        level: int,
        kind: str = "",
        *,
        masked: int | None = None,
    ) -> list[bytes]:
        """Which of `keys` were news."""
        scope = self._scopes.get(scope_tag) or _Scope()
        source = Source(conversation, level, kind, masked)
        alone: Claims = (source,)
        news: list[bytes] = []
        for key in dict.fromkeys(keys):
            before = scope.known.get(key)
            claims = alone if before is None else join(before, source)
            if claims is not None:
                scope.known[key] = claims
                news.append(key)
            else:
                _touch(scope, before or ())
        if news:
            source.keys = tuple(news)
            scope.sources[source] = None
            self._scopes[scope_tag] = scope
            self._shares.add(scope_tag, len(news))
            while self._shares.is_exceeded:
                self._forget_oldest(self._shares.heaviest())
        return news

    def keys(self, scope_tag: bytes) -> Set[bytes]:
        """Everything known of a scope: to see in one step that a text has none of it."""
        scope = self._scopes.get(scope_tag)
        return scope.known.keys() if scope is not None else frozenset()

    def claims(self, scope_tag: bytes, key: bytes) -> Claims:
        scope = self._scopes.get(scope_tag)
        return scope.known.get(key, ()) if scope is not None else ()

    def touch(self, scope_tag: bytes, claims: Iterable[Origin]) -> None:
        """These were recognised just now: they are the last to be forgotten."""
        scope = self._scopes.get(scope_tag)
        if scope is not None:
            _touch(scope, claims)

    def lower(self, scope_tag: bytes, conversation: bytes, level: int) -> None:
        """What `conversation` claims is at most `level` from now on."""
        scope = self._scopes.get(scope_tag)
        for source in scope.sources if scope is not None else ():
            if source.conversation == conversation:
                source.lower(level)

    def highest(self, scope_tag: bytes, conversation: bytes) -> int:
        """What `conversation` claims at most; -1 for nothing."""
        scope = self._scopes.get(scope_tag)
        found = scope.sources if scope is not None else ()
        return max([source.level for source in found if source.conversation == conversation], default=-1)

    def _forget_oldest(self, scope_tag: bytes) -> None:
        scope = self._scopes[scope_tag]
        source, _ = scope.sources.popitem(last=False)
        assert isinstance(source, Source)
        for key in source.keys:
            rest = tuple([origin for origin in scope.known.get(key, ()) if origin is not source])
            if any(origin in scope.sources for origin in rest):  # else only the sum of what is forgotten is left
                scope.known[key] = rest
            else:
                scope.known.pop(key, None)
        self._shares.add(scope_tag, -len(source.keys))
        if not scope.sources:
            del self._scopes[scope_tag]


def _touch(scope: _Scope, claims: Iterable[Origin]) -> None:
    for origin in claims:
        if origin in scope.sources:
            scope.sources.move_to_end(origin)
