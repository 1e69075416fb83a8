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
        *,
        is_masked: bool = False,
    ) -> int | None:
        """The highest level known for this conversation or anything said in it; None when nothing is.

        `is_masked`: what was said under masking counts as it was then, for the body is masked again.
        """
        if not self._size:
            return None
        tag = self._scope_tag(scope)
        known = self._scopes.get(tag)
        if known is None:
            return None
        hits: list[bytes] = []
        if conversation_id:
            hits.append(self._hash(tag, b"id", conversation_id.encode()))
        turns = read_turns(body)
        said = {one for turn in turns for one in (turn.text, *turn.beside)}
        said.update(joined_answers(turns), map(bytes_of, read_texts(body, MIN_MESSAGE_CHARS)))
        for one in said:
            row = self._single(tag, one)
            if row is not None:
                hits.append(row)
        best = max([_look_up(known, row) for row in (*hits, *self._chains(tag, turns))], default=-1)
        if is_masked and best >= 0:
            best = max([self._masked_level(tag, known, row) for row in (*hits, *self._chains(tag, turns))])
        return best if best >= 0 else None

    def recall_kept(self, scope: str, name: str) -> int | None:
        """The level under masking of a conversation that is continued by the name of a kept answer; None when it was
        not answered under masking, or nobody knows."""
        tag = self._scope_tag(scope)
        return self._scopes.get(tag, OrderedDict()).get(self._exception(tag, self._hash(tag, b"id", name.encode())))

    def _masked_level(self, tag: bytes, known: OrderedDict[bytes, int], row: bytes) -> int:
        level = _look_up(known, row)
        return level if level < 0 else known.get(self._exception(tag, row), level)

    def _exception(self, tag: bytes, row: bytes) -> bytes:
        """Under which the level of `row` under masking is kept. Where it was forgotten, the whole level counts."""
        return self._hash(tag, b"masked", row)

    def learn(
        self,
        scope: str,
        body: Mapping[str, Any],  # Any: checked JSON
        conversation_id: str,
        level: int,
        answers: Iterable[str],
        findings: Sequence[Finding] = (),
        *,
        masked_level: int | None = None,
        was_masked: bool = False,
        kept_names: Iterable[str] = (),
    ) -> tuple[Row, ...]:
        """Remember that this conversation has `level`; return the new or raised rows for the books to keep.

        `answers` is everything that the answer says: the text of each choice, its reasoning, the arguments of each
        tool call. Remembered are the conversation id, these, each message with a finding, and every chain of messages
        from the first sensitive one on. Messages that merely stand beside them (a shared system prompt) are not marked.
        `masked_level` is that of the request once masked, None where it cannot be; `was_masked`: who answered saw no
        more than that, so neither does what it said. What somebody said who saw it all keeps the whole level, also
        under masking. `kept_names`: by which the client may continue the answer.
        Call it only for a level above what the caller gets anyway (default and floor): else there is nothing to keep.
        """
        tag = self._scope_tag(scope)
        known: Mapping[bytes, int] = self._scopes.get(tag, {})
        turns = read_turns(body)
        rows: list[bytes] = []
        ids = [conversation_id] if conversation_id else []
        told = [self._hash(tag, b"id", name.encode()) for name in (*ids, *kept_names)]
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
                told.append(answer)
            if masked_level is not None and not was_masked:  # short answers too: the turn after them knows them
                told.append(self._chains(tag, [*turns, _answer(said)])[-1])
        # What was said in full before stays so, whoever says it again.
        in_full = {row for row in (*rows, *told) if row in known and self._exception(tag, row) not in known}
        news = [(row, level) for row in (*rows, *told) if self._remember(row, level)]
        if masked_level is not None:
            news += self._keep_exceptions(tag, [row for row in rows if row not in in_full], masked_level)
        if masked_level is not None and was_masked:
            news += self._keep_exceptions(tag, [row for row in told if row not in in_full], masked_level)
        else:
            known = self._scopes.get(tag, {})
            exceptions = [self._exception(tag, row) for row in told]
            news += [(row, level) for row in exceptions if row in known and self._remember(row, level)]
        return tuple(news)

    def _keep_exceptions(self, tag: bytes, rows: Iterable[bytes], level: int) -> list[Row]:
        exceptions = [self._exception(tag, row) for row in rows]
        return [(row, level) for row in exceptions if self._remember(row, level)]

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


def _answer(said: str) -> Turn:
    """An answer as it comes back in the next turn, where it is nothing but text."""
    return Turn(path="", role="assistant", text=bytes_of(said), beside=(), tail=b"", is_unreadable=False)


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
