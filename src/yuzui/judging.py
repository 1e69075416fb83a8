"""How a request is put before the organisation's own judge: once per text, booked and recorded like any request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from yuzui.aside import Aside, ask
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatResponse, TextPart
from yuzui.core.decision import AllowedSet
from yuzui.core.errors import UpstreamFault
from yuzui.core.sensitivity import Cause, JudgeRules, Sensitivity
from yuzui.exchange import Exchange
from yuzui.privacy.catalogue import source_version
from yuzui.privacy.judge import pieces_of, question, read_verdict
from yuzui.privacy.label import raised_by
from yuzui.world import Snapshot, World

SOURCE: Final[Literal["judge"]] = "judge"
_PROMPT: Final = "yuzui.privacy.judge"
"""Where the questions stand, and how their answers are read: whose source is the version of a verdict."""
_JOINT: Final = "\n\n"


async def judged(
    snapshot: Snapshot, world: World, exchange: Exchange, body: Mapping[str, Any], label: Sensitivity,
    payer: Caller | None = None, note_cost: Callable[[int], object] = lambda _: None,
) -> Sensitivity:  # fmt: skip  # Any: checked JSON
    """`label`, raised by what the judge says where the policy asks one. No verdict, whatever the reason: the highest.

    `payer`: None for the client of `exchange`; `note_cost` is told what was spent, whatever came of it.
    Raise `BudgetExceeded` when who pays cannot pay the judge, and `GatewayFault` when the books cannot be written.
    """
    rules = snapshot.config.sensitivity
    judge, caller, request, top = rules.judge, exchange.caller, exchange.request, rules.lattice.top
    if judge is None or caller is None or request is None or label.level >= top:
        return label
    if not judge.asks(request.model, caller.app):
        return label
    asked = (caller.scope, judge.target, tuple(judge.labels))
    labels, left = world.verdicts.split(asked, pieces_of(body))
    failure = ""
    if left:
        text = _JOINT.join(left)
        if len(text.encode("utf-8", "surrogatepass")) > judge.max_bytes:
            failure = "too long to be judged (sensitivity.judge.max_bytes)"
        else:
            try:
                found = await _ask(snapshot, world, exchange, judge, text, payer or caller, note_cost)
                world.verdicts.keep(asked, left, found)
                labels.update(found)
            except UpstreamFault as fault:
                failure = f"no verdict: {fault.code}"
    causes = [Cause(source=SOURCE, level=judge.labels[one], detail=one) for one in sorted(labels)]
    if failure:
        causes.append(Cause(source=SOURCE, level=top, detail=failure))
    fired = {f"judge/{one}@{source_version(_PROMPT)}": 1 for one in sorted(labels)}
    return replace(raised_by(rules, label, causes), rules=label.rules | fired)


async def _ask(
    snapshot: Snapshot, world: World, exchange: Exchange, judge: JudgeRules, text: str, payer: Caller,
    note_cost: Callable[[int], object],
) -> tuple[str, ...]:  # fmt: skip
    """The labels of `text`. Raise an `UpstreamFault` when there is no verdict."""
    target = next(one for one in snapshot.config.targets if one.name == judge.target)
    top = snapshot.config.sensitivity.lattice.top  # nobody knows yet how sensitive it is: it goes where all may go
    aside = Aside(
        operation=SOURCE, part_of=exchange.id, who="the judge",
        body=question(target.name, tuple(judge.labels), text, world.verdicts.mark(text)), target=target,
        allowed=AllowedSet(frozenset((target.name,))), sensitivity=Sensitivity(level=top, causes=(), kinds={}),
        caller=payer, why=f"judges {exchange.id}", deadline_ms=judge.deadline_ms,
    )  # fmt: skip  # one thing
    heard = await ask(
        snapshot, world, aside, lambda response: read_verdict(_said(response), tuple(judge.labels)), note_cost
    )
    return heard.value


def _said(response: ChatResponse) -> str:
    """What the only choice says; "" where there are several."""
    if len(response.choices) != 1:
        return ""
    return "".join([part.text for part in response.choices[0].parts if isinstance(part, TextPart)])
