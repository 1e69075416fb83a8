"""A virtual model with a learned router: whether its certificate is good for what is demanded, and what it says of a
request. Asked once per request, before routing decides; routing gets the advice, never the text.

Needs numpy only once there is such a model: this module is imported by all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import msgspec
from typing_extensions import override

from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    Feature,
    ImagePart,
    Meaning,
    OpaquePart,
    TextPart,
    ToolResultPart,
)
from yuzui.core.errors import ConfigError, YuzuiError
from yuzui.core.guarantee import MOST_SAMPLES, Advice, Advised, Asks, CascadeRules, Demand, Judged, Said
from yuzui.core.money import per_million
from yuzui.core.target import Target, VirtualModel
from yuzui.providers._log_probabilities import tells_odds
from yuzui.providers.catalogue import find_codecs

if TYPE_CHECKING:  # all need numpy
    from yuzui.routing.artefact import Artefact, Certificate, JudgeFacts, Policy, Priced
    from yuzui.routing.learned import Learned, Look
    from yuzui.routing.signals import Evidence
    from yuzui.routing.surface import Asked

_ACTS: Final[frozenset[Feature]] = frozenset(("web_search", "server_tools"))
"""What a vendor does while it answers: done before anybody could look at it."""
_NO_TEXT: Final = (AudioPart, DocumentPart, ImagePart, OpaquePart)
"""What is no text, and judges read texts."""
LONG_BYTES: Final = 4 * 1024
"""Of a request: reading a longer one would hold up all others for more than half a millisecond."""
PICO_PER_USD_PER_MILLION: Final = 1_000_000
UNTOLD: Final = frozenset(("own_log_answer", "own_log_answer_ratio"))
"""Signals that no record holds: the number that an answer comes down to could be read from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteedModel:
    """One virtual model's router, ready to be asked."""

    demand: Demand
    learned: Learned
    targets: Mapping[str, str]
    """The artefact's name of a model → target name."""
    certificate: Certificate | None
    """The one about choices up front that is applied; None: nobody is chosen, for the reason in `problem`."""
    problem: str = ""
    is_broken: bool = False
    """Watching found that the promise does not hold."""
    cascade: Certificate | None = None
    """The one about answers that is applied."""
    cascade_problem: str = ""
    """Why none is, where the model's `cascade` asks for one."""
    asks: Asks | None = None
    """What `cascade` needs to know of an answer."""

    @property
    def reference(self) -> str:
        return self.targets[self.learned.reference]

    @property
    def shortfall(self) -> str:
        """Why not everything that the model asks for is applied; "" where it is."""
        if self.cascade_problem:
            return self.cascade_problem
        return self.problem if self.certificate is None and self.cascade is None else ""

    def advice(self, request: ChatRequest) -> Advice:
        """What is expected of `request`, whoever may answer it."""
        if self.certificate is None and self.cascade is None:
            return _Asked(self, None, problem=self.problem)
        if request.operation != "chat":
            return _Asked(self, None, problem="it is about chats only")
        try:
            asked = asked_of(request.meaning)
            has_cascade = self.cascade is not None and self._cascades(request)
        except YuzuiError:  # the hub cannot say it; a lane may still carry it, so it is not refused here
            asked, has_cascade = None, False
        if not has_cascade and self.certificate is None:
            return _Asked(self, None, problem=self.problem)
        look = None if asked is None else self.learned.look(asked)
        return _Asked(self, look, asked=asked, has_cascade=has_cascade)

    def _cascades(self, request: ChatRequest) -> bool:
        """Whether the answer to `request` can be held and judged: one answer, with no side effect before it is."""
        rules = self.demand.cascade
        if rules is None or request.n > 1 or (request.stream and rules.streaming == "up_front"):
            return False
        if not _ACTS.isdisjoint(request.features):
            return False
        meaning = request.meaning
        parts = [part for message in meaning.messages for part in message.parts]
        if self.asks is not None and self.asks.judge and any(isinstance(part, _NO_TEXT) for part in parts):
            return False  # it cannot be put before the judge: the candidate would be paid for in vain
        has_form = meaning.response_format is not None and meaning.response_format.kind == "json_schema"
        return not (meaning.tools or has_form) or find_spec("jsonschema_rs") is not None


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
    return None if found is None else _Asked(found, None, problem="its text is not known")


def recalled(model: GuaranteedModel, gains: Sequence[float], *, is_like: bool, p_value: float) -> Advice:
    """The advice from what was seen of a request before: predicted gains per candidate, in the artefact's order."""
    import numpy as np

    from yuzui.routing.learned import Look

    look = Look(gains=tuple(gains), p_value=p_value, is_like=is_like, surface=np.zeros(0, np.float32))
    return _Asked(model, look, problem=model.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What this version and this machine have for cascades."""

    judge_question: str = ""
    """Names the words in which a judge is asked."""
    tests_problem: Callable[[], str] = lambda: "there is nothing here to run tests"
    """Why no code can be run; asked only where some must be."""


def make_guaranteed(
    model: VirtualModel, demand: Demand, artefact: Artefact, targets: Sequence[Target],
    here: Here | None = None,
) -> GuaranteedModel:  # fmt: skip
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
    by_name = {target.name: target for target in targets}
    priced = [artefact.fitted.reference, *(one.model for one in artefact.fitted.candidates)]
    certificate, problem = _applied(artefact.certificates, learned.candidates, demand, "up_front")
    if changed := _changes(priced, names, by_name):
        certificate, problem = None, changed
    made = GuaranteedModel(demand=demand, learned=learned, targets=names, certificate=certificate, problem=problem)
    if demand.cascade is None:
        return made
    return _with_cascade(made, model, _Around(priced=priced, by_name=by_name, here=here or Here()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What a cascade has to agree with."""

    priced: Sequence[Priced]
    by_name: Mapping[str, Target]
    here: Here


def _with_cascade(made: GuaranteedModel, model: VirtualModel, around: _Around) -> GuaranteedModel:
    """`made` with the first cascade of the kinds that are accepted that is good for what is demanded."""
    learned, rules = made.learned, made.demand.cascade
    assert rules is not None
    problems: list[str] = []
    for policy in rules.accepts:
        found, problem = _applied(learned.artefact.certificates, learned.candidates, made.demand, policy)
        if found is None:
            problems.append(problem)
            continue
        asks, problem = _servable(made, model, found, around)
        if asks is None:
            problems.append(problem)
            continue
        return replace(made, cascade=found, asks=asks)
    return replace(made, cascade_problem="; ".join(dict.fromkeys(problems)))


def _servable(
    made: GuaranteedModel, model: VirtualModel, certificate: Certificate, around: _Around
) -> tuple[Asks | None, str]:
    """What a cascade under `certificate` asks for, or why it cannot be served. Raise `ConfigError` where the targets
    that are named are not the models it was fitted with."""
    learned, rules, by_name = made.learned, made.demand.cascade, around.by_name
    assert rules is not None
    path = f"models.{model.name}.cascade"
    (candidate,) = certificate.candidates
    weights = learned.cascade_of(candidate)
    opinions = weights.checks if weights is not None else ()
    mine = [by_name[name] for name in rules.checks]
    checks = {one.name: _target_of(one.name, mine, f"{path}.checks", "a second opinion there") for one in opinions}
    judge = weights.judge if weights is not None else None
    if judge is not None and not rules.judge:
        return None, f"it was certified with {judge.model.name} as judge: name that target in cascade.judge"
    judges: dict[str, str] = {}
    if judge is not None:
        judges[judge.model.name] = _target_of(judge.model.name, [by_name[rules.judge]], f"{path}.judge", "the judge")
    problem = (
        _changes([*around.priced, *opinions], {**made.targets, **checks}, by_name)
        or (_changes([judge.model], judges, by_name) if judge is not None else "")
        or _unservable(certificate, by_name[made.targets[candidate]])
        or _unjudgeable(judge, around.here)
        or _untestable(weights is not None and weights.runs_tests, rules, around.here)
    )  # fmt: skip  # one thing
    if problem:
        return None, problem
    signals = certificate.signals
    assert signals is not None  # _unservable said so
    return Asks(
        policy=certificate.policy if certificate.policy != "up_front" else "cascade",
        checks=tuple(checks[one.name] for one in opinions), samples=min(signals.samples, MOST_SAMPLES),
        log_probabilities=signals.log_probabilities, judge=next(iter(judges.values()), ""),
        runs_tests=weights is not None and weights.runs_tests, timeout_s=rules.timeout_s,
    ), ""  # fmt: skip  # one thing


def _unjudgeable(judge: JudgeFacts | None, here: Here) -> str:
    if judge is None or judge.question == here.judge_question:
        return ""
    return "its judge was asked in other words than this version has: have the answers judged, fit and certify it again"


def _untestable(runs_tests: bool, rules: CascadeRules, here: Here) -> str:
    if runs_tests and not rules.run_tests:
        return "it was certified by running code of answers with the tests in requests: allow it with cascade.run_tests"
    return here.tests_problem() if runs_tests else ""


def _unservable(certificate: Certificate, candidate: Target) -> str:
    """Why what a cascade was certified with cannot be had of `candidate`; "" where it can."""
    if certificate.signals is None:
        return (
            "its examples do not all come with the same log-probabilities and samples, or an older version certified "
            "it: run `yuzui route certify` again on examples that are alike"
        )
    if certificate.signals.log_probabilities and not tells_odds(find_codecs()[candidate.codec], candidate):
        return (
            f"it was certified with log-probabilities, which {candidate.name} does not give here: fit and certify it "
            "without them, or serve the candidate through an API of OpenAI's kind"
        )
    return ""


def _changes(priced: Sequence[Priced], names: Mapping[str, str], by_name: Mapping[str, Target]) -> str:
    changed = [words for one in priced if (words := _changed(one, by_name[names[one.name]]))]
    return f"prices have changed: {'; '.join(changed)}; fit it again with --price, and certify" if changed else ""


def evidence_of(asked: Asked, said: Said) -> Evidence:
    """An answer, and what others say of it, as the router's examples have them."""
    from yuzui.routing.own_text import Answered
    from yuzui.routing.signals import Evidence

    answered = Answered(
        question=asked.text, text=said.text, wants_json=asked.schema_characters > 0 and not asked.tools,
        was_cut=said.was_cut, log_probabilities=said.log_probabilities,
    )  # fmt: skip  # one thing
    return Evidence(
        answered=answered, checks=said.checks, samples=said.samples, judged=said.judged, tests=said.tests
    )  # fmt: skip  # one thing


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

    __slots__ = ("_asked", "_certificate", "_look", "_model", "_problem")

    def __init__(
        self, model: GuaranteedModel, look: Look | None, *, asked: Asked | None = None, has_cascade: bool = False,
        problem: str = "",
    ) -> None:  # fmt: skip
        self._model, self._look, self._problem, self._asked = model, look, problem, asked
        self._certificate = model.cascade if has_cascade else model.certificate

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
        if self._certificate is model.cascade and model.asks is not None:
            return self._cascade(known, look, model.asks, permitted - masked)
        whole = [name for name, target in model.targets.items() if target in permitted and target not in masked]
        choice = model.learned.choose(look, model.certificate, whole)
        detail = ""
        if choice.rule == "not_permitted":
            detail = f"{choice.why}, so the reference"
        return replace(
            known, rule=choice.rule, chosen=model.targets[choice.model], gain=choice.gain, detail=detail,
        )  # fmt: skip  # one thing

    def _cascade(self, known: Advised, look: Look, asks: Asks, whole: frozenset[str]) -> Advised:
        """Who answers first, if all that are to be asked may see the request as it is."""
        assert self._certificate is not None
        if asks.policy == "cascade" and not look.is_like:
            return replace(known, rule="unlike")
        candidate = self._model.targets[self._certificate.candidates[0]]
        if kept_out := [name for name in (candidate, *asks.beside) if name not in whole]:
            detail = f"{', '.join(kept_out)} may not see it as it is, so the reference"
            return replace(known, rule="not_permitted", detail=detail)
        return replace(known, rule="cascade", chosen=candidate, asks=asks)

    @property
    @override
    def question(self) -> str:
        return self._asked.text if self._asked is not None else ""

    @override
    def judge(self, said: Said) -> Judged:
        """Raise `ConfigError` where no cascade was advised."""
        certificate, look, asked = self._certificate, self._look, self._asked
        if certificate is None or look is None or asked is None:
            raise ConfigError("no cascade was advised")
        learned = self._model.learned
        gain, signals = learned.weigh(
            look, certificate.candidates[0], evidence_of(asked, said),
            is_portable=certificate.policy == "portable_cascade",
        )  # fmt: skip  # one thing
        told = {name: value for name, value in signals.items() if name not in UNTOLD}
        return Judged(gain=gain, is_kept=learned.keeps(look, gain, certificate), signals=told)

    def _known(self) -> Advised:
        model, look = self._model, self._look
        known = Advised(
            rule="promise_broken" if model.is_broken else "no_certificate", reference=model.reference,
            chosen=model.reference, detail=self._problem,
            router_sha256=model.demand.router_sha256, p_value=None if look is None else look.p_value,
        )  # fmt: skip  # one thing
        certificate = self._certificate
        if certificate is None or self._problem:
            return known
        return replace(
            known, epsilon=certificate.epsilon, delta=certificate.delta, examples=certificate.data.examples,
            data_sha256=certificate.data.sha256, threshold=certificate.threshold, policy=certificate.policy,
        )  # fmt: skip  # one thing


def _applied(
    certificates: Sequence[Certificate], candidates: Sequence[str], demand: Demand, policy: Policy
) -> tuple[Certificate | None, str]:
    """The certificate of `policy` that is good for `demand`, or why there is none."""
    of_policy = [one for one in certificates if one.policy == policy]
    if not of_policy:
        others = ", ".join(sorted({one.policy for one in certificates}))
        return None, f"only {others} is certified, not {policy}" if others else "nothing is certified"
    mine = [one for one in of_policy if set(one.candidates) <= set(candidates)]
    if not mine:
        return None, f"what is certified is about {', '.join(of_policy[0].candidates)}"
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


def _target_of(name: str, targets: Sequence[Target], path: str, what: str = "a candidate") -> str:
    """The target of that name, else the one whose `model` it is. Raise `ConfigError` for none or several."""
    found = [one.name for one in targets if one.name == name] or [one.name for one in targets if one.model == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"{path}: {name} is the model of {', '.join(found)}: fit the router with a target's name")
    raise ConfigError(
        f"{path}: {name} is neither the name nor the model of {what}; there are "
        f"{', '.join(target.name for target in targets) or 'none'}"
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
