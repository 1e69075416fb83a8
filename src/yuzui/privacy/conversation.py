"""Which conversations are sensitive, also when the turn that made them so is gone. Keeps keyed hashes, never text."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from yuzui.core.sensitivity import Finding
from yuzui.privacy.turns import Turn, bytes_of, joined_answers, read_texts, read_turns

MIN_MESSAGE_CHARS = 24  # shorter texts ("Yes.") are said in every conversation and must not mark them all
_SCOPE_BYTES = 8
_HASH_BYTES = 16

Row = tuple[bytes, int]
"""(24 bytes: a scope tag of 8 and a keyed hash of 16, level index)."""


class ConversationMemory:
    """An LRU of at most `capacity` keyed hashes. `secret`: 1 to 64 bytes, the same on every node that shares rows.

    A scope (the caller's key id) sees only what it learned itself: no caller can probe or mark another's conversations.
    When it is full, the scope that holds the most forgets its oldest row: no caller can push out another's labels.
    """

    __slots__ = ("_capacity", "_heaviest", "_scopes", "_secret", "_size")

    def __init__(self, secret: bytes, *, capacity: int) -> None:
        if not secret:
            raise ValueError("the conversation memory needs a secret: unkeyed hashes can be guessed")
        if capacity < 1:
            raise ValueError("the conversation memory needs a capacity of at least 1")
        self._secret = secret
        self._capacity = capacity
        self._scopes: dict[bytes, OrderedDict[bytes, int]] = {}
        self._size = 0
        self._heaviest = b""
        """The scope that held the most when it was last looked at."""

    def __len__(self) -> int:
        return self._size

    def load(self, rows: Iterable[Row]) -> None:
        """Take rows from the books, oldest first."""
        for row, level in rows:
            self._remember(row, level)

    def recall(
        self,
        scope: str,
        body: Mapping[str, Any],  # Any: checked JSON
        conversation_id: str,
    ) -> int | None:
        """The highest level known for this conversation or anything said in it; None when nothing is."""
        if not self._size:
            return None
        tag = self._scope_tag(scope)
        known = self._scopes.get(tag)
        if known is None:
            return None
        best = -1
        if conversation_id:
            best = _look_up(known, self._hash(tag, b"id", conversation_id.encode()))
        turns = read_turns(body)
        said = {one for turn in turns for one in (turn.text, *turn.beside)}
        said.update(joined_answers(turns), map(bytes_of, read_texts(body, MIN_MESSAGE_CHARS)))
        for one in said:
            row = self._single(tag, one)
            if row is not None:
                best = max(best, _look_up(known, row))
        for row in self._chains(tag, turns):
            best = max(best, _look_up(known, row))
        return best if best >= 0 else None

    def learn(
        self,
        scope: str,
        body: Mapping[str, Any],  # Any: checked JSON
        conversation_id: str,
        level: int,
        answers: Iterable[str],
        findings: Sequence[Finding] = (),
    ) -> tuple[Row, ...]:
        """Remember that this conversation has `level`; return the new or raised rows for the books to keep.

        `answers` is everything that the answer says: the text of each choice, its reasoning, the arguments of each
        tool call. Remembered are the conversation id, these, each message with a finding, and every chain of messages
        from the first sensitive one on. Messages that merely stand beside them (a shared system prompt) are not marked.
        Call it only for a level above what the caller gets anyway (default and floor): else there is nothing to keep.
        """
        tag = self._scope_tag(scope)
        known: Mapping[bytes, int] = self._scopes.get(tag, {})
        turns = read_turns(body)
        rows: list[bytes] = []
        if conversation_id:
            rows.append(self._hash(tag, b"id", conversation_id.encode()))
        marked = _marked(findings, turns)
        first = len(turns)
        for number, turn in enumerate(turns):
            single = self._single(tag, turn.text)
            is_known = any(known.get(row, -1) >= level for row in self._singles(tag, turn))
            if number in marked and single is not None:
                rows.append(single)
            if number in marked or is_known or turn.is_unreadable:
                first = min(first, number)
        chains = self._chains(tag, turns)
        first = min([first, *(n for n, chain in enumerate(chains) if known.get(chain, -1) >= level)])
        rows.extend(chains[first:])
        for said in answers:
            answer = self._single(tag, bytes_of(said))
            if answer is not None:
                rows.append(answer)
        return tuple([(row, level) for row in rows if self._remember(row, level)])

    def _singles(self, tag: bytes, turn: Turn) -> list[bytes]:
        """One row for each thing that a turn says by itself: its text, its reasoning, its tool calls."""
        return [row for one in (turn.text, *turn.beside) if (row := self._single(tag, one)) is not None]

    def _single(self, tag: bytes, text: bytes) -> bytes | None:
        return self._hash(tag, b"message", text) if len(text) >= MIN_MESSAGE_CHARS else None

    def _chains(self, tag: bytes, turns: Sequence[Turn]) -> list[bytes]:
        """One row per prefix of the conversation."""
        chains: list[bytes] = []
        previous = b""
        for turn in turns:
            head = turn.role.encode("utf-8", "surrogatepass")
            previous = self._hash(tag, b"chain", b"\x00".join((previous, head, turn.tail, turn.text)))
            chains.append(previous)
        return chains

    def _hash(self, tag: bytes, purpose: bytes, content: bytes) -> bytes:
        keyed = hashlib.blake2b(content, digest_size=_HASH_BYTES, key=self._secret, salt=tag, person=purpose)
        return tag + keyed.digest()

    def _scope_tag(self, scope: str) -> bytes:
        return hashlib.blake2b(scope.encode(), digest_size=_SCOPE_BYTES, key=self._secret, person=b"scope").digest()

    def _remember(self, row: bytes, level: int) -> bool:
        """Whether this was news."""
        tag = row[:_SCOPE_BYTES]
        rows = self._scopes.get(tag)
        if rows is None:
            rows = self._scopes[tag] = OrderedDict()
        known = rows.get(row)
        if known is not None and known >= level:
            rows.move_to_end(row)
            return False
        rows[row] = level
        rows.move_to_end(row)
        if known is None:
            self._size += 1
            heaviest = self._scopes.get(self._heaviest)
            if heaviest is not None and len(rows) > len(heaviest):
                self._heaviest = tag
            if self._size > self._capacity:
                self._forget_oldest()
        return True

    def _forget_oldest(self) -> None:
        if len(self._scopes.get(self._heaviest, ())) * len(self._scopes) <= self._capacity:
            # It has shrunk to its share: look again who holds the most.
            self._heaviest = max(self._scopes, key=lambda tag: len(self._scopes[tag]))
        rows = self._scopes[self._heaviest]
        rows.popitem(last=False)
        self._size -= 1
        if not rows:
            del self._scopes[self._heaviest]


def _look_up(rows: OrderedDict[bytes, int], row: bytes) -> int:
    level = rows.get(row)
    if level is None:
        return -1
    rows.move_to_end(row)
    return level


def _marked(findings: Sequence[Finding], turns: Sequence[Turn]) -> set[int]:
    """Numbers of the turns that findings stand in, by paths like `$.messages[3].content`."""
    if not findings:
        return set()
    numbers = {turn.path: number for number, turn in enumerate(turns)}
    found: set[int] = set()
    for finding in findings:
        # The path of a turn has one step, and perhaps an index: `$.system`, `$.messages[3]`.
        top = finding.path[2:].partition(".")[0]
        head, _, rest = top.partition("[")
        for path in (f"$.{head}[{rest.partition(']')[0]}]", f"$.{head}"):
            if path in numbers:
                found.add(numbers[path])
                break
    return found
