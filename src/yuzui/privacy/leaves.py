"""Where text stands in a request: every string of a checked JSON body, and what cannot be read."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from yuzui.core.errors import InvalidRequest
from yuzui.core.reasoning import unseal
from yuzui.core.sensitivity import Fact, Finding, Form, Path, Place
from yuzui.core.strict_json import MAX_DEPTH
from yuzui.privacy.views import SEALED, read_embedded_json, read_escapes, read_sealed

EMBEDDED: Final = "\\"
"""The step from a string into the JSON that it spells, or into the thought under its seal. Spelled paths end in front
of it."""
KEY: Final = "~"
"""The step from an entry of an object to its key."""

_PROTOCOL_WORDS = """
    messages role content type text name model stream temperature top_p n stop seed user tools tool_choice tool_calls
    function arguments parameters description id index max_tokens max_completion_tokens presence_penalty
    frequency_penalty logit_bias logprobs top_logprobs response_format json_schema schema strict stream_options
    include_usage parallel_tool_calls reasoning_effort reasoning_content reasoning refusal image_url url detail
    input_audio data format file file_data file_id filename tool_call_id metadata store service_tier modalities audio
    voice prediction web_search_options verbosity safety_identifier prompt_cache_key functions function_call custom
    max_output_tokens previous_response_id conversation truncation include background prompt suffix echo best_of input
    output instructions call_id status summary grammar definition syntax
    system thinking signature budget_tokens tool_use_id is_error source media_type cache_control ttl top_k
    stop_sequences input_schema citations title context
    contents parts args response systemInstruction system_instruction instruction generationConfig generation_config
    inlineData inline_data fileData fileUri file_uri mimeType mime_type functionCall function_call functionResponse
    function_response functionDeclarations function_declarations toolConfig tool_config functionCallingConfig
    function_calling_config allowedFunctionNames allowed_function_names maxOutputTokens topP topK candidateCount
    stopSequences responseMimeType responseSchema responseJsonSchema parametersJsonSchema thinkingConfig thinkingBudget
    thinkingLevel includeThoughts safetySettings safety_settings category threshold thought thoughtSignature
    thought_signature labels cachedContent cached_content presencePenalty frequencyPenalty
    encrypted_content annotations verbosity effort budget_tokens display phase namespace
    query documents top_n return_documents dimensions encoding_format input_type task size quality response_format
    properties required items enum additionalProperties anyOf allOf oneOf default const minimum maximum minLength
    maxLength pattern minItems maxItems uniqueItems $defs $ref $schema
"""  # OpenAI chat, responses and embeddings; Anthropic messages; Gemini; rerank; JSON schema
_READABLE = """
    text refusal input_text output_text summary_text reasoning_text thinking redacted_thinking tool_use tool_result
    reasoning message function_call function_call_output custom_tool_call custom_tool_call_output item_reference
    server_tool_use search_result web_search_tool_result web_search_call tool_reference
"""
PROTOCOL_KEYS = frozenset(_PROTOCOL_WORDS.split())
READABLE_PARTS = frozenset(_READABLE.split())
_ROLES = frozenset(("system", "developer", "user", "assistant", "tool", "function"))
_PART_LISTS = frozenset(("content", "input", "output", "parts", "system", "prompt"))
_BLOB_KEYS = ("inlineData", "inline_data", "fileData", "file_data")
_BLOBS = frozenset(_BLOB_KEYS)
_TEXT_SOURCES = frozenset(("text", "content"))
_NAMED_TYPES = frozenset((str, int))
_LEAST_NAMED, _LONGEST_NAMED, _LONGEST_KEY = 4, 256, 64  # characters of a value that its name can explain
_MAIL: Final = re.compile(r"[^@]+@[^@]+\.[A-Za-z]{2,}")
_LEAST_JOINED, _LONGEST_WORD = 10, 64
_WORD_CHARS: Final = "@._+/-" + string.ascii_letters + string.digits
_DIGIT: Final = re.compile(r"\d")
_LONGEST_NAME = 512  # characters: longer ones in the alphabets of base64 are a blob
_BLOB = re.compile(r"[A-Za-z0-9+/=_\-\r\n]*")
_DATA_URL = "data_url"
_SEWN: Final = (Fact("joined", "messages"),)
_PARTS: Final = (Fact("joined", "parts"),)
_NUMBERS: Final = (Fact("joined", "numbers"),)
_JSON: Final = Fact("encoded", "json")
_ESCAPES: Final = Fact("encoded", "escapes")
_SEAL: Final = Fact("encoded", "seal")
_CURIOUS = ("data:", *SEALED)
"""How strings begin that hold more than they show."""


class Leaf(msgspec.Struct, frozen=True, gc=False):  # several per request: a third of what a named tuple costs
    """A text and where it stands. `whole` is None when its offsets are those of the client's text; otherwise
    the text was derived, and a finding in it covers all `whole` characters of the leaf it came from. Where its offsets
    mean something all the same, `form` says what: see `core.sensitivity.Place`."""

    text: str
    path: Path
    whole: int | None = None
    offset: int = 0
    """Where the `whole` characters begin in the leaf: views of an encoded piece cover only that piece."""
    is_piece: bool = False
    """Whether it is such a view: a finding in it never repeats one elsewhere, because it covers another place."""
    form: Form | None = None
    span: tuple[int, int] | None = None
    """Its place among the characters at `path`, where every finding in it has the same one."""
    seam: int = 0
    """Where it is sewn together of two texts: what does not lie across it is found in them, and not here."""
    shift: int = 0
    """Characters in front of it that are not the client's."""
    how: tuple[Fact, ...] = ()
    """How it was read, where it does not stand there as it is: evidence of every finding in it."""

    @property
    def place_form(self) -> Form:
        return self.form or ("text" if self.whole is None else "whole")

    @property
    def stands_as_sent(self) -> bool:
        """Whether the text is the client's, from its first character on."""
        return self.place_form == "text" and self.span is None and not (self.is_piece or self.offset or self.shift)

    @property
    def has_places(self) -> bool:
        """Whether findings in it have each their own place."""
        return self.span is None and not self.is_piece and self.place_form != "whole"


def place_in(leaf: Leaf, start: int, end: int) -> Place:
    """Where characters `start` to `end` of a leaf's text stand in the client's."""
    if leaf.span is not None:
        return Place(leaf.path, leaf.place_form, *leaf.span)
    if leaf.is_piece and leaf.whole is not None and leaf.form is None:
        return Place(leaf.path, "text", leaf.offset, leaf.offset + leaf.whole)
    if leaf.place_form == "whole":
        return Place(leaf.path, "whole")
    return Place(leaf.path, leaf.place_form, max(start - leaf.shift, 0), end - leaf.shift)


def finding_in(
    leaf: Leaf, start: int, end: int, *, kind: str, detector: str, rule: str = "", version: str = "",
    confidence: float = 1.0, evidence: tuple[Fact, ...] = (), path: str = "",
) -> Finding | None:  # fmt: skip  # what a finding has
    """What was found at characters `start` to `end` of a leaf's text, at its place in the client's.

    `path`: the leaf's, if it is spelled already.
    None for what is found elsewhere as well: in the name in front of a value, or on one side of a seam.
    """
    if end <= leaf.shift or (leaf.seam and not start < leaf.seam < end):
        return None
    place = place_in(leaf, start, end)
    if leaf.whole is not None:
        start, end = leaf.offset, leaf.offset + leaf.whole
    return Finding(
        kind=kind, detector=detector, rule=rule, version=version, start=start, end=end,
        path=path or spell_path(leaf.path), confidence=confidence,
        evidence=(*evidence, *leaf.how) if leaf.how else evidence, place=place,
    )  # fmt: skip


class Leaves(NamedTuple):
    found: list[Leaf]
    unscannable: list[str]
    """Kinds of parts that no detector can read: `image_url`, `input_audio`, `tokens`, …"""


def read_leaves(body: Mapping[str, Any]) -> Leaves:  # Any: checked JSON
    """Every leaf of `body`. Raise `InvalidRequest` beyond 64 levels."""
    leaves = Leaves([], [])
    _walk_object(body, ("", "$"), 1, leaves)
    for name in ("messages", "input"):
        if type(body.get(name)) is list and len(body[name]) > 1:
            _join_messages(body[name], (("", "$"), "." + name), leaves)
    if body.get("cachedContent") or body.get("cached_content"):  # a context that lies with the vendor
        leaves.unscannable.append("cachedContent")
    return leaves


def spell_path(path: Path) -> str:
    """`$.messages[1].content`. Keys that are not protocol words may be sensitive themselves: they become their number
    (`#2`, counted from 0), and a leaf that *is* such a key ends in `~`."""
    steps: list[str] = []
    while path:
        parent, step = path
        if step == EMBEDDED:
            steps.clear()
        else:
            steps.append(f"[{step}]" if isinstance(step, int) else step)
        path = parent
    return "".join(reversed(steps))


def _walk(value: Any, path: Path, depth: int, leaves: Leaves) -> None:  # Any: checked JSON
    kind = type(value)
    if kind is str:
        leaves.found.append(Leaf(value, path))
        if "\\" in value:
            _walk_embedded(value, path, depth, leaves)
        if value.startswith(_CURIOUS):
            _look_into(value, path, depth, leaves)
    elif kind is dict:
        _walk_object(value, path, depth + 1, leaves)
    elif kind is list:
        _walk_list(value, path, depth + 1, leaves)
    elif kind is int or kind is float:
        if text := _spell_number(value):
            leaves.found.append(Leaf(text, path, form="number"))
    elif kind is bytes:
        leaves.unscannable.append("file")  # an upload
    elif kind is not bool and value is not None:
        leaves.unscannable.append("unknown")  # no JSON value: whatever made it, nobody has read it


def _walk_object(value: Mapping[str, Any], path: Path, depth: int, leaves: Leaves) -> None:  # Any: checked JSON
    if depth > MAX_DEPTH:
        raise InvalidRequest(f"the JSON is nested deeper than {MAX_DEPTH} levels", code="nesting_too_deep")
    for number, (key, item) in enumerate(value.items()):
        if key in PROTOCOL_KEYS:
            kind = type(item)
            if kind is str:
                if key == "role" and item in _ROLES:
                    continue
                leaf_path = (path, "." + key)
                leaves.found.append(Leaf(item, leaf_path))  # as in _walk, without the call: most texts stand here
                if "\\" in item:
                    _walk_embedded(item, leaf_path, depth, leaves)
                if item.startswith(_CURIOUS):
                    _look_into(item, leaf_path, depth, leaves)
            elif kind is list and key in _PART_LISTS:
                _walk_parts(item, (path, "." + key), depth + 1, leaves)
            elif kind is dict and key == "parts":  # proto JSON takes a thing where a list of it belongs
                _walk_part(item, (path, "." + key), depth, leaves)
            elif kind is not bool and item is not None:
                _walk(item, (path, "." + key), depth, leaves)
        else:
            step = (path, f".#{number}")
            _walk(key, (step, KEY), depth, leaves)
            if type(item) in _NAMED_TYPES:
                _add_named(key, item, step, leaves)
            _walk(item, step, depth, leaves)
            if type(item) is str and len(item) > _LONGEST_NAME and _BLOB.fullmatch(item):
                leaves.unscannable.append("blob")  # a picture or a file in a field that only its vendor knows
    if "audio" in value and "role" in value and value["audio"] is not None:
        leaves.unscannable.append("audio")  # a reference to what was said earlier


def _add_named(key: str, item: str | int, path: Path, leaves: Leaves) -> None:
    """The value once more behind its name: `{"phone": "2025550134"}` says what the digits are."""
    text = str(item)
    if _LEAST_NAMED <= len(text) <= _LONGEST_NAMED and len(key) <= _LONGEST_KEY:
        name = f"{_spell_key(key)}: "
        form: Form = "text" if isinstance(item, str) else "number"
        leaves.found.append(Leaf(name + text, path, len(text), form=form, shift=len(name)))


def _spell_key(key: str) -> str:
    """`userPhone` and `user_phone` as words."""
    words = [
        f" {char}" if char.isupper() and before.islower() else char
        for before, char in zip(" " + key, key, strict=False)
    ]
    return "".join(words).replace("_", " ")


def _join_messages(messages: Any, path: Path, leaves: Leaves) -> None:  # Any: checked JSON
    """A value cut in two by a message's end: the last word of each with the first and the last word of the next."""
    before: tuple[str, Path] | None = None
    for index, message in enumerate(messages):
        content = message.get("content") if type(message) is dict else None
        if type(content) is not str or not content:
            before = None
            continue
        here = (content, ((path, index), ".content"))
        if before is not None:
            tail = _last_word(before[0])
            is_whole = _MAIL.fullmatch(tail[0]) is not None  # two addresses in a row would look like one more
            for word, at in () if is_whole else dict.fromkeys((_first_word(content), _last_word(content))):
                joined = tail[0] + word
                if len(joined) >= _LEAST_JOINED and _may_be_half(tail[0]) and _may_be_half(word):
                    seam = len(tail[0])
                    leaves.found.append(Leaf(joined, before[1], len(tail[0]), tail[1], True, seam=seam, how=_SEWN))
                    leaves.found.append(Leaf(joined, here[1], len(word), at, True, seam=seam, how=_SEWN))
        before = here


def _may_be_half(word: str) -> bool:
    """Whether a word can be half of a number or a key: prose cannot."""
    return _DIGIT.search(word) is not None or (len(word) >= 3 and word.isupper())


def _first_word(text: str) -> tuple[str, int]:
    """(the word of ASCII letters and digits that begins `text`, where it begins)"""
    head = text[:_LONGEST_WORD]
    return head[: len(head) - len(head.lstrip(_WORD_CHARS))], 0


def _last_word(text: str) -> tuple[str, int]:
    tail = text[-_LONGEST_WORD:]
    word = tail[len(tail.rstrip(_WORD_CHARS)) :]
    return word, len(text) - len(word)


def _walk_list(value: Sequence[Any], path: Path, depth: int, leaves: Leaves) -> None:  # Any: checked JSON
    if depth > MAX_DEPTH:
        raise InvalidRequest(f"the JSON is nested deeper than {MAX_DEPTH} levels", code="nesting_too_deep")
    for index, item in enumerate(value):
        _walk(item, (path, index), depth, leaves)
    if len(value) >= 7 and all(type(item) is int and 0 <= item <= 9 for item in value):
        # Nobody else joins the numbers of a list, but a reader does.
        leaves.found.append(Leaf("".join(map(str, value)), path, len(value), how=_NUMBERS))


def _walk_parts(value: Sequence[Any], path: Path, depth: int, leaves: Leaves) -> None:  # Any: checked JSON
    if depth > MAX_DEPTH:
        raise InvalidRequest(f"the JSON is nested deeper than {MAX_DEPTH} levels", code="nesting_too_deep")
    texts: list[str] = []
    has_tokens = False
    for index, part in enumerate(value):
        if type(part) is dict:
            if _walk_part(part, (path, index), depth, leaves) and isinstance(text := part.get("text"), str):
                texts.append(text)
            continue
        if type(part) is int or (type(part) is list and any(type(one) is int for one in part)):
            has_tokens = True
            continue
        _walk(part, (path, index), depth, leaves)
        if type(part) is str:
            texts.append(part)
    if has_tokens:  # once, however many there are
        leaves.unscannable.append("tokens")
    if len(texts) > 1:  # upstreams join the parts of a message, so a value cut in two is whole again there
        joined = "".join(texts)
        leaves.found.append(Leaf(joined, path, len(joined), form="joined", how=_PARTS))
        if "\\" in joined:
            inside = Leaves([], leaves.unscannable)
            _walk_embedded(joined, path, depth, inside)
            leaves.found.extend([Leaf(leaf.text, path, len(joined), how=(*_PARTS, *leaf.how)) for leaf in inside.found])


def _walk_part(part: dict[str, Any], path: Path, depth: int, leaves: Leaves) -> bool:  # Any: checked JSON
    """Whether it can be read."""
    kind = _kind_of(part)
    if not isinstance(kind, str) or kind in READABLE_PARTS:
        _walk_object(part, path, depth + 1, leaves)
        return True
    leaves.unscannable.append(kind if kind in PROTOCOL_KEYS or (len(kind) <= 32 and kind.isidentifier()) else "unknown")
    _walk_opaque(part, path, depth, leaves)
    return False


def _kind_of(part: dict[str, Any]) -> Any:  # Any: checked JSON
    """What a part calls itself; Gemini's are told by a key, and a document may be nothing but text."""
    if not _BLOBS.isdisjoint(part):  # whatever else it says of itself
        return next(key for key in _BLOB_KEYS if key in part)
    kind = part.get("type")
    if kind == "document":
        source = part.get("source")
        return "text" if type(source) is dict and source.get("type") in _TEXT_SOURCES else kind
    return kind


def _walk_opaque(part: dict[str, Any], path: Path, depth: int, leaves: Leaves) -> None:  # Any: checked JSON
    """Names and captions of an unreadable part, but not the megabytes of the blob."""
    inside = Leaves([], [])
    _walk_object(part, path, depth + 1, inside)
    leaves.unscannable.extend([kind for kind in inside.unscannable if kind != _DATA_URL])  # it is what the part is
    for leaf in inside.found:
        text = leaf.text
        if text.startswith("data:") and "base64," in text[:256]:
            continue
        if len(text) <= _LONGEST_NAME or not _BLOB.fullmatch(text):
            leaves.found.append(leaf)


def _look_into(text: str, path: Path, depth: int, leaves: Leaves) -> None:
    """What a string holds that shows something else: a seal of ours, or a file."""
    if text.startswith("data:"):
        if "base64," in text[:256]:
            leaves.unscannable.append(_DATA_URL)
        return
    if depth >= MAX_DEPTH:
        leaves.unscannable.append("nested_seal")
        return
    thought = unseal(text)
    said = thought.text if thought is not None else ""
    if said:
        inside = Leaves([], leaves.unscannable)
        _walk(said, (path, EMBEDDED), depth + 1, inside)
        leaves.found.extend([_inside(leaf, len(text), _SEAL) for leaf in inside.found])
    inside = Leaves([], leaves.unscannable)
    for piece in read_sealed(text)[1 if said else 0 :]:  # what it says comes first
        _walk(piece, path, depth + 1, inside)
    leaves.found.extend([Leaf(leaf.text, path, len(text), how=(_SEAL, *leaf.how)) for leaf in inside.found])


def _walk_embedded(text: str, path: Path, depth: int, leaves: Leaves) -> None:
    """Leaves of JSON inside a string, and of JSON inside those: each level of it has half the backslashes, so all of it
    together is linear. What is nested too deep is only a curious text to the upstream: no error, but not readable."""
    inside = Leaves([], leaves.unscannable)
    try:
        value = read_embedded_json(text)
        if value is not None:
            _walk(value, (path, EMBEDDED), depth + 1, inside)
        elif "\\u" in text:
            inside.found.append(Leaf(read_escapes(text), path, form="whole", how=(_ESCAPES,)))
    except (InvalidRequest, RecursionError):
        leaves.unscannable.append("nested_json")
    leaves.found.extend([_inside(leaf, len(text), _JSON) for leaf in inside.found])


def _inside(leaf: Leaf, size: int, how: Fact) -> Leaf:
    """`leaf` of a value that a string of `size` characters holds in another form."""
    facts = leaf.how if leaf.how[:1] == (_ESCAPES,) else (how, *leaf.how)  # it was no JSON, then, but had escapes
    return Leaf(leaf.text, leaf.path, size, form=leaf.place_form, span=leaf.span, shift=leaf.shift, how=facts)


def _spell_number(value: int | float) -> str:
    """The digits of a number that is long enough to be an identifier, as a person would write them; else empty."""
    if type(value) is int:
        return str(value) if value > 999_999 or value < -999_999 else ""
    if value == int(value) if abs(value) < 1e18 else False:
        return str(int(value)) if abs(value) > 999_999 else ""
    text = repr(value)
    return text if len(text) >= 10 else ""
