"""A kept text under a draft: what its detectors find, and whether it could be masked. Nothing leaves, nothing is kept.

Kept are messages, tools and the answer's format, in OpenAI's words; headers and other fields are not. So a recorded
finding that is not found again may have stood outside of the text: see `kinds_in`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from yuzui.backtest.recorded import Recorded
from yuzui.capturing import Captured
from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import YuzuiError
from yuzui.core.sensitivity import SensitivityRules
from yuzui.core.target import Target
from yuzui.dialects.openai_chat import OpenAIChat
from yuzui.privacy.egress import EgressRefused, check_masked
from yuzui.privacy.mask import Masking, Unmaskable, mask
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.privacy.surrogates import Namer

_SECRET: Final = bytes(32)  # of stand-ins that nobody ever sees
_DIALECT: Final = OpenAIChat()

Assume = Callable[[str], None]


class Texts(Protocol):
    """Where kept texts lie."""

    def find(self, app: str, request_id: str) -> Captured | None:
        """None: it is over its time, or was kept under another key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadText:
    """A request whose text was read again."""

    request: ChatRequest
    scanner: Scanner
    """That has read it: the draft's."""
    scan: ScanResult
    is_masked: bool
    """Stand-ins are in it: what they stand for cannot be found any more."""
    size_bytes: int


def read_text(kept: Captured, scanner: Scanner) -> ReadText | None:
    """None where this version cannot read it as a request."""
    body: dict[str, Any] = {"model": kept.model, "messages": kept.messages}  # Any: JSON
    if kept.tools:
        body["tools"] = kept.tools
    if kept.response_format is not None:
        body["response_format"] = kept.response_format
    try:
        request = _DIALECT.read_request(body)
        scan = scanner.scan(body)
    except YuzuiError:
        return None
    return ReadText(
        request=request, scanner=scanner, scan=scan, is_masked=kept.is_masked, size_bytes=len(strict_json.write(body))
    )


def kinds_in(text: ReadText, recorded: Recorded, rules: SensitivityRules, assume: Assume) -> Mapping[str, int]:
    """Finding kind → level under the draft, in the text and, as far as the record tells, beside it.

    A recorded kind that is not found in a text without stand-ins counts only if it may have stood elsewhere: a detector
    of the draft that reports it is the one that found something then, or it is one of names, whose models are not run.
    """
    top = rules.lattice.top
    found = {finding.kind: rules.kinds.get(finding.kind, top) for finding in text.scan.findings}
    names = rules.names.kinds if rules.names.enabled is not False else frozenset()
    if names:
        assume("names")
    versions = {rule.rpartition("@")[2] for rule in recorded.rules_read}
    for kind in recorded.findings_read:
        if kind in found:
            continue
        if text.is_masked:
            assume("masked_text")
        elif kind in names:
            pass  # `names` was assumed
        elif versions.isdisjoint(text.scanner.versions_of(kind)):
            assume("not_found")
            continue
        else:
            assume("elsewhere")
        found[kind] = rules.kinds.get(kind, _recorded_level(recorded, kind, rules))
    return found


def _recorded_level(recorded: Recorded, kind: str, rules: SensitivityRules) -> int:
    """Of a kind that the draft has no level for: as it counted."""
    was = {cause.detail: cause.level for cause in recorded.causes_read if cause.source == "finding"}
    return rules.lattice.level_or_top(was[kind]) if kind in was else rules.default


def masked_size(text: ReadText, masking: Masking, level: int, rules: SensitivityRules) -> int | None:
    """Bytes of the request with stand-ins, once a second search finds it no higher than `level`; None where stand-ins
    do not fit, or do not suffice. As the gateway does it, but in the client's words in place of a target's."""
    there = Target(
        name="backtest", provider="openai", codec="openai", model="", base_url="", premises="own", clearance=level,
        jurisdiction="",
    )  # fmt: skip  # one thing
    try:
        masked = mask(
            text.request.body, text.scan.findings, text.scan.repeats, masking=masking,
            namer=Namer(_SECRET, tenant="backtest"),
        )  # fmt: skip  # one thing
        sent = strict_json.write(masked.body)
        check_masked(masked.body, sent, there, level, masked.surrogates, text.scanner, rules)
    except (Unmaskable, EgressRefused):
        return None
    return len(sent)
