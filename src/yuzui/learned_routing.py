"""A virtual model with a learned router: whether its certificate is good for what is demanded, and what it says of a
request. Asked once per request, before routing decides; routing gets the advice, never the text.

Needs numpy only once there is such a model: this module is imported by all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec
from typing_extensions import override

from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Meaning,
    OpaquePart,
    TextPart,
    ToolResultPart,
)
from yuzui.core.errors import ConfigError, YuzuiError
from yuzui.core.guarantee import Advice, Advised, Demand
from yuzui.core.money import per_million
from yuzui.core.target import Target, VirtualModel

if TYPE_CHECKING:  # both need numpy
    from yuzui.routing.artefact import Artefact, Certificate, Priced
    from yuzui.routing.learned import Learned, Look
    from yuzui.routing.surface import Asked

LONG_BYTES: Final = 4 * 1024
"""Of a request: reading a longer one would hold up all others for more than half a millisecond."""
PICO_PER_USD_PER_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteedModel:
    """One virtual model's router, ready to be asked."""

    demand: Demand
    learned: Learned
    targets: Mapping[str, str]
    """The artefact's name of a model → target name."""
    certificate: Certificate | None
    """The one that is applied; None: only the reference answers, for the reason in `problem`."""
    problem: str = ""
    is_broken: bool = False
    """Watching found that the promise does not hold."""

    @property
    def reference(self) -> str:
        return self.targets[self.learned.reference]

    def advice(self, request: ChatRequest) -> Advice:
        """What is expected of `request`, whoever may answer it."""
        if self.certificate is None:
            return _Asked(self, None, self.problem)
        if request.operation != "chat":
            return _Asked(self, None, "it is about chats only")
        try:
            asked = asked_of(request.meaning)
        except YuzuiError:  # the hub cannot say it; a lane may still carry it, so it is not refused here
            asked = None
        return _Asked(self, None if asked is None else self.learned.look(asked))


async def advise(models: Mapping[str, GuaranteedModel], request: ChatRequest, size_bytes: int) -> Advice | None:
    """The advice for `request`; None where its model has no learned router. Off the event loop if it is long."""
    model = models.get(request.model)
    if model is None:
        return None
    if size_bytes > LONG_BYTES:
        return await asyncio.to_thread(model.advice, request)
    return model.advice(request)


def unread(models: Mapping[str, GuaranteedModel], model: str) -> Advice | None:
    """The advice for a request for `model` of which nobody has the text: the reference. None without a router."""
    found = models.get(model)
    return None if found is None else _Asked(found, None, "its text is not known")


def make_guaranteed(
    model: VirtualModel, demand: Demand, artefact: Artefact, targets: Sequence[Target]
) -> GuaranteedModel:
    """Match `artefact` with the model's targets. Raise `ConfigError` when they are not the same models."""
    from yuzui.routing.learned import Learned

    path = f"models.{model.name}.router"
    learned = Learned(artefact)
    mine = [target for target in targets if target.name in model.candidates]
    names = {name: _target_of(name, mine, path) for name in (learned.reference, *learned.candidates)}
    if len(set(names.values())) < len(names):
        raise ConfigError(f"{path}: two models of {demand.router} stand for one target: {', '.join(sorted(names))}")
    if names[learned.reference] != model.reference:
        raise ConfigError(
            f"{path}: {demand.router} was made against {names[learned.reference]} as reference, not "
            f"{model.reference}; correct models.{model.name}.reference, or fit it again"
        )
    by_name = {target.name: target for target in mine}
    priced = [artefact.fitted.reference, *(one.model for one in artefact.fitted.candidates)]
    changed = [words for one in priced if (words := _changed(one, by_name[names[one.name]]))]
    certificate, problem = _applied(artefact.certificates, learned.candidates, demand)
    if changed:
        certificate = None
        problem = f"prices have changed: {'; '.join(changed)}; fit it again with --price, and certify"
    return GuaranteedModel(demand=demand, learned=learned, targets=names, certificate=certificate, problem=problem)


def asked_of(meaning: Meaning) -> Asked | None:
    """What the user asks, and facts about what stands around it, as the examples have them.

    The text is that of the last message of the user that has any; None where there is none, or where it holds what
    nobody here can look into.
    """
    from yuzui.routing.surface import Asked

    messages = meaning.messages
    places = [place for place, message in enumerate(messages) if message.role == "user" and _text(message.parts)]
    if not places:
        return None
    last = places[-1]
    parts = [part for message in messages for part in message.parts]
    if any(isinstance(part, AudioPart | OpaquePart) for part in parts):
        return None
    schema = sum(len(msgspec.json.encode(tool.parameters)) for tool in meaning.tools if tool.parameters)
    if meaning.response_format is not None and meaning.response_format.schema:
        schema += len(msgspec.json.encode(meaning.response_format.schema))
    talk = [message for message in messages[:last] if message.role not in ("system", "developer")]
    return Asked(
        text=_text(messages[last].parts),
        system_characters=sum(len(_text(m.parts)) for m in messages if m.role in ("system", "developer")),
        earlier_characters=sum(len(_text(message.parts)) for message in talk),
        turns=len(places),
        tools=len(meaning.tools) + len(meaning.server_tools) + (meaning.web_search is not None),
        schema_characters=schema,
        has_images=any(isinstance(part, ImagePart) for part in parts),
        has_files=any(isinstance(part, DocumentPart) for part in parts),
        has_tool_results=any(isinstance(part, ToolResultPart) for part in parts),
    )


class _Asked(Advice):
    """One request, looked at."""

    __slots__ = ("_look", "_model", "_problem")

    def __init__(self, model: GuaranteedModel, look: Look | None, problem: str = "") -> None:
        self._model, self._look, self._problem = model, look, problem

    @override
    def choose(self, permitted: frozenset[str], masked: frozenset[str]) -> Advised:
        """A candidate that may see the request only masked is not chosen: on such texts nobody has tested it."""
        model, look = self._model, self._look
        known = self._known()
        if model.reference not in permitted:
            return replace(known, rule="not_permitted", chosen="", detail=f"{model.reference} may not answer")
        if self._problem:
            return known
        if look is None:
            return replace(known, rule="unlike", detail="there is nothing in it to look at")
        whole = [name for name, target in model.targets.items() if target in permitted and target not in masked]
        choice = model.learned.choose(look, model.certificate, whole)
        detail = ""
        if choice.rule == "not_permitted":
            detail = f"{choice.why}, so the reference"
        return replace(
            known, rule=choice.rule, chosen=model.targets[choice.model], gain=choice.gain, detail=detail,
        )  # fmt: skip  # one thing

    def _known(self) -> Advised:
        model, look = self._model, self._look
        known = Advised(
            rule="promise_broken" if model.is_broken else "no_certificate", reference=model.reference,
            chosen=model.reference, detail=self._problem,
            router_sha256=model.demand.router_sha256, p_value=None if look is None else look.p_value,
        )  # fmt: skip  # one thing
        certificate = model.certificate
        if certificate is None or self._problem:
            return known
        return replace(
            known, epsilon=certificate.epsilon, delta=certificate.delta, examples=certificate.data.examples,
            data_sha256=certificate.data.sha256, threshold=certificate.threshold,
        )  # fmt: skip  # one thing


def _applied(
    certificates: Sequence[Certificate], candidates: Sequence[str], demand: Demand
) -> tuple[Certificate | None, str]:
    """The certificate that is good for `demand`, or why there is none."""
    up_front = [one for one in certificates if one.policy == "up_front"]
    if not up_front:
        others = ", ".join(sorted({one.policy for one in certificates}))
        return None, f"only {others} is certified, not up_front" if others else "nothing is certified"
    mine = [one for one in up_front if set(one.candidates) <= set(candidates)]
    if not mine:
        return None, f"what is certified is about {', '.join(up_front[0].candidates)}"
    good = [one for one in mine if demand.is_met_by(one.epsilon, one.delta)]
    if not good:
        best = mine[0]
        return None, (
            f"certified for {best.epsilon:.4g} at {1 - best.delta:.4g}, but {demand.loss:.4g} at "
            f"{demand.confidence:.4g} is demanded"
        )
    passed = next((one for one in good if one.threshold is not None), None)
    if passed is None:
        return None, f"at {good[0].epsilon:.4g} the {good[0].data.examples} examples could certify no threshold"
    return passed, ""


def _target_of(name: str, targets: Sequence[Target], path: str) -> str:
    """The target of that name, else the one whose `model` it is. Raise `ConfigError` for none or several."""
    found = [one.name for one in targets if one.name == name] or [one.name for one in targets if one.model == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"{path}: {name} is the model of {', '.join(found)}: fit the router with a target's name")
    raise ConfigError(
        f"{path}: {name} is neither the name nor the model of a candidate; candidates are "
        f"{', '.join(target.name for target in targets)}"
    )


def _changed(priced: Priced, target: Target) -> str:
    """What is different from the prices of the examples, where both are US dollars; "" where nothing is, or can be
    compared. What an own target costs is an estimate of the operator's, on no price list."""
    price = target.price
    if priced.input_usd is None or priced.output_usd is None or price is None or target.premises == "own":
        return ""
    if price.currency != "USD" and not price.is_free:
        return ""
    then = round(priced.input_usd * PICO_PER_USD_PER_MILLION), round(priced.output_usd * PICO_PER_USD_PER_MILLION)
    if then == (price.input_pico, price.output_pico):
        return ""
    now = f"{per_million(price.input_pico)}/{per_million(price.output_pico)}"
    return f"{target.name} costs {now} USD per million tokens, not {priced.input_usd:g}/{priced.output_usd:g}"


def _text(parts: Sequence[object]) -> str:
    return "\n".join([part.text for part in parts if isinstance(part, TextPart)])
