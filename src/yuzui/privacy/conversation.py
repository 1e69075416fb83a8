"""Which conversations are sensitive, also when the turn that made them so is gone. Keeps keyed hashes, never text."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Final, NamedTuple

from yuzui.core.booking import Learnt, TextKind
from yuzui.core.sensitivity import Fact, Finding
from yuzui.privacy.canonical import Canonical, Canonicaliser
from yuzui.privacy.catalogue import source_version
from yuzui.privacy.claims import Claims, Origin, join, level_of, masked_of
from yuzui.privacy.fingerprints import PRINT_BYTES, Fingerprinter, neighbours
from yuzui.privacy.leaves import Leaf, finding_in, read_leaves, spell_path
from yuzui.privacy.originals import Number, Originals
from yuzui.privacy.sealing import open_keys, seal_keys
from yuzui.privacy.shares import Shares
from yuzui.privacy.sources import Sources
from yuzui.privacy.turns import Turn, bytes_of, joined_answers, read_texts, read_turns
from yuzui.privacy.words import WordValues

MIN_MESSAGE_CHARS: Final = 24  # shorter texts ("Yes.") are said in every conversation and must not mark them all
NEAR_CHARS: Final = 400  # around a finding: of a long text only what stands beside it is remembered by its parts
CACHED_WORDS: Final = 400_000  # about ten megabytes
_LEAST_CACHED_CHARS: Final = 64
SCOPE_BYTES: Final = 8
_CONVERSATION_BYTES: Final = 8
_HASH_BYTES: Final = 16
_RULES: Final = frozenset(("system", "developer"))
_DATA_URL: Final = "data:"


class Traces(NamedTuple):
    """A text as keyed values, by which parts of it and originals in it are recognised."""

    values: Sequence[bytes]
    prints: Sequence[bytes]
    numbers: Sequence[Number]


class TraceCache:
    """Of at most `words` words, forgotten as they came; no text is in it."""

    __slots__ = ("_found", "_lock", "_most", "_size")

    def __init__(self, words: int) -> None:
        self._found: OrderedDict[bytes, Traces] = OrderedDict()
        self._lock = Lock()  # long requests are read in threads
        self._most = words
        self._size = 0

    def get(self, key: bytes) -> Traces | None:
        return self._found.get(key)

    def put(self, key: bytes, traces: Traces) -> None:
        with self._lock:
            if key in self._found or len(traces.values) > self._most // 8:
                return
            self._found[key] = traces
            self._size += len(traces.values) + 1
            while self._size > self._most:
                self._size -= len(self._found.popitem(last=False)[1].values) + 1


@dataclass(frozen=True, slots=True)
class Page:
    """A text of a request, ready to be compared."""

    leaf: Leaf
    traces: Traces


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A request as memory compares it. It changes nothing to make one: any thread may."""

    scope_tag: bytes
    names: Sequence[bytes] = ()
    """Rows of the conversation's names."""
    rows: Collection[bytes] = ()
    """Rows of everything that is said, and of the texts that are long enough."""
    chains: Sequence[bytes] = ()
    """One row per beginning of the conversation."""
    pages: Sequence[Page] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    level: int | None = None
    """The highest that is known of this conversation or anything said in it; None when nothing is."""
    findings: tuple[Finding, ...] = field(default=())
    """Variants of what was found earlier."""


NOTHING: Final = Recollection()
UNKNOWN: Final = 1 << 30
"""Above every level: nobody knows what there was to know."""


class ConversationMemory:
    """Bounded, and the oldest is forgotten first. `secret`: 1 to 64 bytes, the same on every node that shares rows.

    A scope (the caller's line of keys) is a tenant: it sees only what it learnt itself, so that no caller can probe or
    mark another's conversations. When it is full, the scope that holds the most forgets its oldest: no caller can push
    out another's labels. `capacity`: hashes of whole things; `prints`: fingerprints of parts; `forms`: of originals.
    """

    def __init__(self, secret: bytes, *, capacity: int, prints: int = 250_000, forms: int = 100_000) -> None:
        if not secret:
            raise ValueError("the conversation memory needs a secret: unkeyed hashes can be guessed")
        self._secret = secret
        self._shares = Shares(capacity)
        self._scopes: dict[bytes, OrderedDict[bytes, Claims]] = {}
        self._values = WordValues(secret)
        self._fingerprinter = Fingerprinter(secret)
        self._prints = Sources(prints)
        self._originals = Originals(self._values, forms)
        self._fold = Canonicaliser().fold
        self._version = source_version("yuzui.privacy.originals")
        self._cache = TraceCache(CACHED_WORDS)
        self._distrusted: set[bytes] = set()

    def __len__(self) -> int:
        """How many hashes of whole things there are."""
        return self._shares.total

    # ---- what it knows -----------------------------------------------------------------------------------------------

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
        return self.recollect(self.read(scope, body, (conversation_id,)), is_masked=is_masked).level

    def recall_kept(self, scope: str, name: str) -> int | None:
        """The level under masking of a conversation that is continued by the name of a kept answer; None when it was
        not answered under masking, or nobody knows."""
        tag = self._scope_tag(scope)
        claims = self._scopes.get(tag, OrderedDict()).get(self._name_row(tag, name), ())
        return masked_of(claims) if masked_of(claims) < level_of(claims) else None

    def read(self, scope: str, body: Mapping[str, Any], names: Iterable[str]) -> Reading:  # Any: checked JSON
        """`body` as it is compared; `names`: of its conversation, "" for none."""
        tag = self._scope_tag(scope)
        knows_parts = bool(self._prints.keys(tag) or self._originals.sources.keys(tag))
        if tag not in self._scopes and not knows_parts:
            return Reading(scope_tag=tag)
        turns = read_turns(body)
        said = {one for turn in turns for one in (turn.text, *turn.beside)}
        said.update(joined_answers(turns), map(bytes_of, read_texts(body, MIN_MESSAGE_CHARS)))
        return Reading(
            scope_tag=tag,
            names=[self._name_row(tag, name) for name in names if name],
            rows=[row for one in said if (row := self._single(tag, one)) is not None],
            chains=self._chains(tag, turns),
            pages=self._pages(tag, read_leaves(body).found) if knows_parts else (),
        )

    def recollect(self, reading: Reading, *, is_masked: bool = False) -> Recollection:
        """What is known of a request that was read, and which variants of earlier originals stand in it.

        `is_masked`: as in `recall`.
        """
        level_in = masked_of if is_masked else level_of
        tag = reading.scope_tag
        known = self._scopes.get(tag, OrderedDict())
        best = UNKNOWN if tag in self._distrusted else -1
        conversations = {tag + self._conversation_of(row) for row in reading.names}
        for row in (*reading.names, *reading.rows, *reading.chains):
            claims = known.get(row)
            if claims is not None:
                known.move_to_end(row)
                best = max(best, level_in(claims))
        for row in (*reading.names, *reading.chains):
            conversations.update([origin.conversation for origin in known.get(row, ())])
        findings: list[Finding] = []
        for page in reading.pages:
            best = max(best, self._level_of_parts(tag, page.traces.prints, level_in))
            findings += self._variants(tag, page, conversations)
        if best < 0 and not findings:
            return NOTHING
        return Recollection(level=best if best >= 0 else None, findings=tuple(dict.fromkeys(findings)))

    def level_of(self, conversation: bytes) -> int:
        """The highest level of a conversation (as in `Learnt`); -1 when nothing is remembered of it."""
        tag = conversation[:SCOPE_BYTES]
        found = [
            origin.level
            for claims in self._scopes.get(tag, OrderedDict()).values()
            for origin in claims
            if origin.conversation == conversation
        ]
        parts = [kept.highest(tag, conversation) for kept in (self._prints, self._originals.sources)]
        return max([*found, *parts], default=-1)

    def conversation_named(self, scope: str, name: str) -> bytes:
        """What a conversation is called in `Learnt` and in the books, when a client gave it this name."""
        tag = self._scope_tag(scope)
        row = self._name_row(tag, name)
        claims = self._scopes.get(tag, OrderedDict()).get(row, ())
        return claims[-1].conversation if claims else tag + self._conversation_of(row)

    # ---- what it learns ----------------------------------------------------------------------------------------------

    def load(self, kept: Iterable[Learnt]) -> None:
        """Take back what the books kept, oldest first."""
        for learnt in kept:
            if learnt.told is not None:
                self.load([learnt.told])
            tag = learnt.conversation[:SCOPE_BYTES]
            claim = Origin(learnt.conversation, learnt.level, learnt.masked)
            for row in learnt.hashes:
                self._remember(row, claim)
            for kind, data in learnt.texts:
                if kind == "prints":
                    prints = [data[at : at + PRINT_BYTES] for at in range(0, len(data), PRINT_BYTES)]
                    self._prints.learn(tag, prints, learnt.conversation, learnt.level, masked=learnt.masked)
                elif (opened := open_keys(self._secret, tag, data)) is not None:
                    found, keys = opened
                    self._originals.sources.learn(tag, keys, learnt.conversation, learnt.level, found)

    def learn(
        self,
        scope: str,
        body: Mapping[str, Any],  # Any: checked JSON
        conversation_id: str,
        level: int,
        answers: Iterable[str],
        findings: Sequence[Finding] = (),
        *,
        also: Sequence[str] = (),
        is_whole: bool = False,
        masked_level: int | None = None,
        was_masked: bool = False,
    ) -> Learnt:
        """Remember that this conversation has `level`; return which one it is and what is new, for the books to keep.

        `answers` is everything that the answer says: the text of each choice, its reasoning, the arguments of each
        tool call. Remembered are the conversation's names (`also`: further ones), these, each message with a finding,
        and every chain of messages from the first sensitive one on; by its parts, what the answer says and what stands
        near a finding; and the forms of what was found. Messages that merely stand beside them (a shared system prompt)
        are not marked, unless the label `is_whole`: then all that is said but the rules is. Call it only for a level
        above what the caller gets anyway (default and floor).

        `masked_level` is that of the request once masked, None where it cannot be; `was_masked`: who answered saw no
        more than that, so neither does what it said. What somebody said who saw it all keeps the whole level, also
        under masking.
        """
        tag = self._scope_tag(scope)
        known: Mapping[bytes, Claims] = self._scopes.get(tag, {})
        turns = read_turns(body)
        marked = _marked(findings, turns)
        if is_whole:
            marked.update([number for number, turn in enumerate(turns) if turn.role not in _RULES])
        chains = self._chains(tag, turns)
        first = self._first_sensitive(tag, turns, chains, marked, level)
        names = [self._name_row(tag, name) for name in (conversation_id, *also) if name]
        conversation = self._which(tag, known, names if conversation_id else names[:0], names, chains, first)
        said = list(answers)
        rows = list(chains[first:])
        rows += [row for n in sorted(marked) if (row := self._single(tag, turns[n].text)) is not None]
        told = [*names, *[row for text in said if (row := self._single(tag, bytes_of(text))) is not None]]
        near = near_findings(body, findings)
        if is_whole:
            near = [turns[number].text.decode("utf-8", "replace") for number in sorted(marked)]
        prints = [self._prints_of(tag, text) for text in near]
        answered = self._prints_of_answers(tag, turns, marked, said)
        forms = [
            (kind, self._originals.keys_of(kind, self._fold(value).text))
            for kind, value in originals_in(body, findings)
        ]
        if masked_level is None:  # because of what was answered in full: what is asked can be masked as before
            rows = [row for row in rows if not _is_excepted(known.get(row, ()), level)]
            prints = [
                [one for one in text if not _is_excepted(self._prints.claims(tag, one), level)] for text in prints
            ]
        if masked_level is None or was_masked or masked_level >= level:
            return self._keep(conversation, level, masked_level, (*told, *rows), (*prints, *answered), forms)
        # Short answers too: the turn after them knows them.
        told += [self._chains(tag, [*turns, _answer(text)])[-1] for text in said]
        in_full = self._keep(conversation, level, None, told, answered, [])
        return replace(self._keep(conversation, level, masked_level, rows, prints, forms), told=in_full)

    def learn_answer(
        self,
        scope: str,
        body: Mapping[str, Any],  # Any: checked JSON
        conversation_id: str,
        level: int,
        answers: Iterable[str],
        *,
        also: Sequence[str] = (),
        masked_level: int,
    ) -> Learnt:
        """Remember that what was answered has `level`, whatever was asked; return what the books are to keep.

        The conversation has it by its names, and wherever the answer, or a part of it, comes back; what was asked is
        not marked. `masked_level`: of the answer when it comes back masked.
        """
        tag = self._scope_tag(scope)
        turns = read_turns(body)
        chains = self._chains(tag, turns)
        names = [self._name_row(tag, name) for name in (conversation_id, *also) if name]
        own = names if conversation_id else names[:0]
        conversation = self._which(tag, self._scopes.get(tag, {}), own, names, chains, len(turns))
        said = list(answers)
        rows = [*names, *[row for text in said if (row := self._single(tag, bytes_of(text))) is not None]]
        rows += [self._chains(tag, [*turns, _answer(text)])[-1] for text in said]  # short ones too
        prints = self._prints_of_answers(tag, turns, (), said)
        return self._keep(conversation, level, masked_level, rows, prints, [])

    def distrust(self, scope: str) -> None:
        """Something of this scope could not be learnt: until the process ends, all that it says may be that."""
        self._distrusted.add(self._scope_tag(scope))

    def declassify(self, conversation: bytes, level: int) -> None:
        """What this conversation (as in `Learnt`) taught counts as at most `level`. What others taught stays."""
        tag = conversation[:SCOPE_BYTES]
        for claims in self._scopes.get(tag, OrderedDict()).values():
            for origin in claims:
                if origin.conversation == conversation:
                    origin.lower(level)
        self._prints.lower(tag, conversation, level)
        self._originals.sources.lower(tag, conversation, level)

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _first_sensitive(
        self, tag: bytes, turns: Sequence[Turn], chains: Sequence[bytes], marked: Collection[int], level: int
    ) -> int:
        """Number of the turn from which on the conversation is sensitive."""
        known: Mapping[bytes, Claims] = self._scopes.get(tag, {})

        def has_it(row: bytes) -> bool:
            return level_of(known.get(row, ())) >= level

        first = len(turns)
        for number, turn in enumerate(turns):
            if number in marked or turn.is_unreadable or any(map(has_it, self._singles(tag, turn))):
                first = number
                break
        return min([first, *(number for number, chain in enumerate(chains) if has_it(chain))])

    def _which(
        self,
        tag: bytes,
        known: Mapping[bytes, Claims],
        own: Sequence[bytes],
        names: Sequence[bytes],
        chains: Sequence[bytes],
        first: int,
    ) -> bytes:
        """Which conversation this is: by the name that its client gave it, by what it continues, by its beginning."""
        if own:
            return tag + self._conversation_of(own[0])
        for row in (*names, *reversed(chains)):
            claims = known.get(row)
            if claims:
                return claims[-1].conversation
        beginning = chains[min(first, len(chains) - 1)] if chains else (names[0] if names else tag)
        return tag + self._conversation_of(beginning)

    def _pages(self, tag: bytes, leaves: Iterable[Leaf]) -> list[Page]:
        # Files are left out: nobody reads them as words.
        return [Page(leaf, self._traces_of(tag, leaf.text)) for leaf in leaves if not leaf.text.startswith(_DATA_URL)]

    def _traces_of(self, tag: bytes, text: str) -> Traces:
        """A conversation sends all of itself with every turn: what was read before is not read again."""
        if len(text) < _LEAST_CACHED_CHARS:
            return self._trace(tag, text)
        key = self._hash(tag, b"traces", text.encode("utf-8", "surrogatepass"))
        traces = self._cache.get(key)
        if traces is None:
            traces = self._trace(tag, text)
            self._cache.put(key, traces)
        return traces

    def _trace(self, tag: bytes, text: str) -> Traces:
        canonical = self._fold(text).text
        values = self._values.read(canonical)
        return Traces(values, self._fingerprinter.read(tag, values), self._originals.numbers(canonical))

    def _variants(self, tag: bytes, page: Page, conversations: Collection[bytes]) -> Iterator[Finding]:
        leaf, traces = page.leaf, page.traces
        canonical: Canonical | None = None

        def text() -> str:
            return self._fold(leaf.text).text

        for echo in self._originals.find(tag, text, traces.values, traces.numbers, conversations):
            canonical = canonical or self._fold(leaf.text)
            start, end = canonical.span(echo.start, echo.end)
            found = finding_in(
                leaf, start, end, kind=echo.kind, detector="variant", rule=echo.rule, version=self._version,
                evidence=(Fact("variant", echo.rule),),
            )  # fmt: skip  # what a finding has
            if found is not None:
                yield found

    def _level_of_parts(self, tag: bytes, prints: Sequence[bytes], level_in: Callable[[Claims], int]) -> int:
        if not prints or self._prints.keys(tag).isdisjoint(prints):
            return -1
        claims = [self._prints.claims(tag, one) for one in prints]
        best = neighbours(map(level_in, claims))
        if best >= 0:
            self._prints.touch(tag, {origin for several in claims for origin in several})
        return best

    def _keep(
        self,
        conversation: bytes,
        level: int,
        masked: int | None,
        rows: Iterable[bytes],
        prints: Iterable[Sequence[bytes]],
        forms: Iterable[tuple[str, list[bytes]]],
    ) -> Learnt:
        tag, claim = conversation[:SCOPE_BYTES], Origin(conversation, level, masked)
        hashes = tuple([row for row in dict.fromkeys(rows) if self._remember(row, claim)])
        texts: list[tuple[TextKind, bytes]] = []
        for text in prints:
            if news := self._prints.learn(tag, text, conversation, level, masked=masked):
                texts.append(("prints", b"".join(news)))
        for kind, keys in forms:
            if news := self._originals.sources.learn(tag, keys, conversation, level, kind):
                texts.append(("forms", seal_keys(self._secret, tag, kind, news)))
        return Learnt(conversation=conversation, level=level, masked=masked, hashes=hashes, texts=tuple(texts))

    def _prints_of_answers(
        self, tag: bytes, turns: Sequence[Turn], marked: Collection[int], said: Iterable[str]
    ) -> list[Sequence[bytes]]:
        """Of what the answer says, without what it repeats of the rules that all conversations share."""
        answered = [self._prints_of(tag, leaf.text) for text in said for leaf in read_leaves({"content": text}).found]
        rules: set[bytes] = set()
        if any(answered):
            for number, turn in enumerate(turns):
                if turn.role in _RULES and number not in marked:
                    rules.update(self._prints_of(tag, turn.text.decode("utf-8", "replace")))
        return [[one for one in prints if one not in rules] for prints in answered]

    def _prints_of(self, tag: bytes, text: str) -> Sequence[bytes]:
        return self._traces_of(tag, text).prints  # an answer comes back with the next turn, and is known by then

    def _singles(self, tag: bytes, turn: Turn) -> list[bytes]:
        """One row for each thing that a turn says by itself: its text, its reasoning, its tool calls."""
        return [row for one in (turn.text, *turn.beside) if (row := self._single(tag, one)) is not None]

    def _single(self, tag: bytes, text: bytes) -> bytes | None:
        return self._hash(tag, b"message", text) if len(text) >= MIN_MESSAGE_CHARS else None

    def _name_row(self, tag: bytes, name: str) -> bytes:
        return self._hash(tag, b"id", name.encode("utf-8", "surrogatepass"))

    def _chains(self, tag: bytes, turns: Sequence[Turn]) -> list[bytes]:
        """One row per prefix of the conversation."""
        chains: list[bytes] = []
        previous = b""
        for turn in turns:
            head = turn.role.encode("utf-8", "surrogatepass")
            previous = self._hash(tag, b"chain", b"\x00".join((previous, head, turn.tail, turn.text)))
            chains.append(previous)
        return chains

    def _conversation_of(self, row: bytes) -> bytes:
        return hashlib.blake2b(row, digest_size=_CONVERSATION_BYTES, key=self._secret, person=b"conversation").digest()

    def _hash(self, tag: bytes, purpose: bytes, content: bytes) -> bytes:
        keyed = hashlib.blake2b(content, digest_size=_HASH_BYTES, key=self._secret, salt=tag, person=purpose)
        return tag + keyed.digest()

    def _scope_tag(self, scope: str) -> bytes:
        return hashlib.blake2b(scope.encode(), digest_size=SCOPE_BYTES, key=self._secret, person=b"scope").digest()

    def _remember(self, row: bytes, claim: Origin) -> bool:
        """Whether this was news."""
        tag = row[:SCOPE_BYTES]
        rows = self._scopes.get(tag)
        if rows is None:
            rows = self._scopes[tag] = OrderedDict()
        before = rows.get(row)
        claims = join(before or (), claim)
        if claims is not None:
            rows[row] = claims
        rows.move_to_end(row)
        if before is None:
            self._shares.add(tag, 1)
            if self._shares.is_exceeded:
                self._forget_oldest()
        return claims is not None

    def _forget_oldest(self) -> None:
        tag = self._shares.heaviest()
        rows = self._scopes[tag]
        rows.popitem(last=False)
        self._shares.add(tag, -1)
        if not rows:
            del self._scopes[tag]


def _answer(said: str) -> Turn:
    """An answer as it comes back in the next turn, where it is nothing but text."""
    return Turn(path="", role="assistant", text=bytes_of(said), beside=(), tail=b"", is_unreadable=False)


def originals_in(body: Mapping[str, Any], findings: Sequence[Finding]) -> list[tuple[str, str]]:  # Any: checked JSON
    """(kind, value) of each finding that stands in one text as the client sent it."""
    texts = _texts_by_path(body, findings)
    found = {
        (finding.kind, text[finding.start : finding.end])
        for finding in findings
        for text in texts.get(finding.path, ())
        if finding.end <= len(text)
    }
    return sorted(found)


def _is_excepted(claims: Claims, level: int) -> bool:
    """Whether all of `level` is known, and less of it under masking."""
    return level_of(claims) >= level and masked_of(claims) < level_of(claims)


def near_findings(body: Mapping[str, Any], findings: Sequence[Finding]) -> list[str]:  # Any: checked JSON
    """What stands within `NEAR_CHARS` of findings; where their surroundings touch, they are one text."""
    pieces: list[str] = []
    for path, texts in _texts_by_path(body, findings).items():
        for text in texts:
            end = 0
            for finding in sorted([one for one in findings if one.path == path], key=lambda one: one.start):
                start = max(finding.start - NEAR_CHARS, 0)
                piece = text[max(start, end) : finding.end + NEAR_CHARS]
                if start < end and pieces:
                    pieces[-1] += piece
                elif piece:
                    pieces.append(piece)
                end = max(end, min(finding.end + NEAR_CHARS, len(text)))
    return pieces


def _texts_by_path(body: Mapping[str, Any], findings: Sequence[Finding]) -> dict[str, list[str]]:  # Any: checked JSON
    """The client's own texts in which findings stand."""
    wanted = {finding.path for finding in findings}
    texts: dict[str, list[str]] = {}
    if wanted:
        for leaf in read_leaves(body).found:
            if leaf.whole is None and (path := spell_path(leaf.path)) in wanted:
                texts.setdefault(path, []).append(leaf.text)
    return texts


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
