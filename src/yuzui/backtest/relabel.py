"""The label that a recorded request would have under other rules, and how it would be masked.

Where its text is kept, the draft's detectors have read it. Else kinds and counts must do: no detector runs again, and
what was found counts at the draft's levels. What else raised the label (a conversation, a judge) counts as it did.
Everything that had to be supposed is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from yuzui.backtest.recorded import Recorded
from yuzui.backtest.texts import Assume, ReadText, kinds_in, masked_size
from yuzui.config import Config
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest
from yuzui.core.sensitivity import SensitivityRules
from yuzui.masking import LANE_ONLY, OPERATIONS
from yuzui.masking_choice import NotMasked, choose
from yuzui.privacy.mask import Masking

CHANGEABLE: Final = (
    "masking.kinds is empty", "the key was made", "model ", "what may not be masked keeps it",
)  # fmt: skip
"""How reasons against masking begin that a configuration or a key gives; all others lie in the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    level: int
    masked_level: int | None
    """None: it cannot be masked."""
    masked_bytes: int = 0
    """Of the request with stand-ins, where somebody tried; 0 elsewhere."""


def relabel(
    recorded: Recorded,
    config: Config,
    caller: Caller,
    features: frozenset[str],
    request: ChatRequest,
    assume: Assume,
    *,
    text: ReadText | None = None,
) -> Label:
    """`assume` is told the name of each supposition: see `words.ASSUMPTIONS`."""
    rules = config.sensitivity
    others = _others(recorded, rules, caller.app, assume)
    kinds: Mapping[str, int]
    if text is None:
        kinds = _kinds(recorded, rules, assume)
    else:
        kinds = kinds_in(text, recorded, rules, assume)
        others += [("detector_failure", rules.lattice.top) for _ in text.scan.failures]
        others += [("unscanned", rules.unscannable) for _ in text.scan.unscannable]
    floor = caller.constraints.floor
    level = max([rules.default, floor, *kinds.values(), *(one for _, one in others)])
    if level <= rules.default:
        return Label(level=level, masked_level=None)
    chosen = choose(config, caller, request, None)
    if isinstance(chosen, NotMasked) or not _is_maskable(recorded, features):
        return Label(level=level, masked_level=None)
    left = [one for kind, one in kinds.items() if kind not in chosen.kinds]
    rest = max([rules.default, floor, *left, *(_masked(recorded, source, one, rules) for source, one in others)])
    if rest >= level:
        return Label(level=level, masked_level=None)
    if text is not None and not text.is_masked:
        return _tried(text, chosen, level, rest, rules)
    if not recorded.masked_level:
        assume("maskable")  # nobody tried: a value may stand where no stand-in fits
    return Label(level=level, masked_level=rest)


def _tried(text: ReadText, chosen: Masking, level: int, rest: int, rules: SensitivityRules) -> Label:
    size = masked_size(text, chosen, rest, rules)
    return Label(level=level, masked_level=None if size is None else rest, masked_bytes=size or 0)


def _kinds(recorded: Recorded, rules: SensitivityRules, assume: Assume) -> dict[str, int]:
    """Finding kind → level under `rules`."""
    found = recorded.findings_read
    levels = {kind: rules.kinds[kind] for kind in found if kind in rules.kinds}
    if len(levels) < len(found):
        # No detector of the draft finds it, or it has another name there: it counts as it did.
        assume("unknown_kind")
        was = {cause.detail: cause.level for cause in recorded.causes_read if cause.source == "finding"}
        levels |= {kind: _named(was.get(kind, ""), rules) for kind in found if kind not in levels}
    return levels


def _named(name: str, rules: SensitivityRules) -> int:
    return rules.lattice.level_or_top(name) if name else rules.default


def _others(recorded: Recorded, rules: SensitivityRules, app: str, assume: Assume) -> list[tuple[str, int]]:
    """(source, level) of what raised the label beside findings and the caller's floor."""
    found: list[tuple[str, int]] = []
    for cause in recorded.causes_read:
        match cause.source:
            case "conversation":
                found.append((cause.source, rules.lattice.level_or_top(cause.level)))
                assume("conversation")
            case "detector_failure":
                found.append((cause.source, rules.lattice.top))
            case "unscanned":
                found.append((cause.source, rules.unscannable))
            case "judge":
                judge = rules.judge
                if judge is not None and judge.asks(recorded.model, app):
                    # No level for what it said: it gave no verdict, or one that the draft does not know.
                    found.append((cause.source, judge.labels.get(cause.detail, rules.lattice.top)))
                    assume("judge")
            case "default":
                if rules.lattice.level_or_top(cause.level) > rules.default:
                    assume("lower_default")
            case "finding" | "floor":
                pass
            case _:  # of a later version: it counts as it did
                found.append((cause.source, rules.lattice.level_or_top(cause.level)))
    return found


def _masked(recorded: Recorded, source: str, level: int, rules: SensitivityRules) -> int:
    """The same once masked: stand-ins lower a conversation's level; nothing else that is no finding."""
    if source != "conversation" or not recorded.masked_level:
        return level
    return min(level, rules.lattice.level_or_top(recorded.masked_level))


def _is_maskable(recorded: Recorded, features: frozenset[str]) -> bool:
    if recorded.operation not in OPERATIONS or not LANE_ONLY.isdisjoint(features):
        return False
    return not recorded.not_masked or recorded.not_masked.startswith(CHANGEABLE)


def request_of(recorded: Recorded, terms: tuple[str, ...]) -> ChatRequest:
    """A request without content that asks for the same price terms."""
    body: dict[str, Any] = {}  # Any: JSON
    for term in terms:
        field, _, value = term.partition("=")
        body |= {"performanceConfig": {"latency": value}} if field == "latency" else {field: value}
    return ChatRequest(
        dialect=recorded.dialect,
        operation=recorded.operation,  # type: ignore[arg-type]  # a record's word; routing serves no other
        model=recorded.model,
        body=body,
        read_meaning=_no_meaning,
    )


def _no_meaning(body: object) -> Any:  # Any: never returns
    raise AssertionError("a record has no content to read")
