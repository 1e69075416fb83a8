"""What a client may write into `model`, and which targets each name stands for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from yuzui.core.errors import ConfigError, NotAllowed, NotFound
from yuzui.core.target import Target, VirtualModel
from yuzui.routing.policies._contract import Facts, Policy, expected_cost
from yuzui.routing.trial_plan import extra_arms

EMPTY_NAMES = {
    "own": "add an own server as [[targets]], or `[embedded] enabled = true`",
    "vendor": "set a vendor's key variable, such as OPENAI_API_KEY, or add the vendor as [[targets]]",
}
"""Names that exist as soon as there is a target behind them."""
MOST_NAMES_IN_MESSAGE = 8
MOST_CHARS_IN_MESSAGE = 100
TYPICAL_INPUT_TOKENS = 1024
TYPICAL_OUTPUT_TOKENS = 256
"""For the standing order of `auto` and `vendor` only. Answers of LMSYS-Chat-1M average 214.5 tokens
(https://arxiv.org/abs/2309.11998, table 1); prompts of applications are longer than the 69.5 that people type there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One name, resolved. `candidates` is in the operator's order."""

    name: str
    candidates: tuple[Target, ...]
    checks: tuple[Target, ...] = ()
    """Others that are judged like candidates, and never answer: they give second opinions."""
    policy_name: str
    policy: Policy
    may_fall_back: bool
    weights: Mapping[str, int]
    context_sizes: tuple[int, ...]
    """Known context sizes of all that are judged, ascending: requests between the same two have the same verdicts."""
    is_virtual: bool
    burst_queue: int = 1
    is_alias: bool = False
    """The vendor's own name for a model, kept working for applications that change nothing but the base URL."""
    arms: tuple[Target, ...] = ()
    """Of trials, as far as they are no candidates: judged with them, and in nobody's plan unless drawn."""
    arm_names: frozenset[str] = frozenset()
    """Of all trials."""


class Names:
    """Resolves what clients write. Built once per configuration; raise `ConfigError` when two things share a name."""

    def __init__(
        self,
        targets: Sequence[Target],
        models: Sequence[VirtualModel],
        policies: Mapping[str, Policy],
        rates: Mapping[str, float],
    ) -> None:
        self._policies = policies
        self._names: dict[str, Name] = {}
        by_name = {target.name: target for target in targets}
        if len(by_name) != len(targets):
            raise ConfigError("targets: two targets have the same name; give each its own")
        for target in targets:
            self._add(target.name, (target,), "pinned", may_fall_back=False, is_virtual=False)
        for model in models:
            self._add_model(model, by_name)
        self._add_built_in(targets, rates)
        self._add_aliases(targets)

    def resolve(self, model: str, allowed_models: frozenset[str] | None) -> Name:
        """Raise `NotFound` with near matches, or `NotAllowed` when the key may not write this name."""
        found = self._names.get(model)
        if found is None:
            raise NotFound(self._unknown(model, allowed_models), param="model")
        if allowed_models is None or model in allowed_models:
            return found
        if found.is_alias and all(target.name in allowed_models for target in found.candidates):
            return found
        raise NotAllowed(
            f"this key may not use model {model!r}; it may use {_listed(sorted(allowed_models)) or 'none'}",
            param="model",
        )

    def listed(self) -> Iterable[Name]:
        """Everything that GET /v1/models shows: virtual models, then targets. Aliases work but are not shown."""
        shown = [name for name in self._names.values() if not name.is_alias]
        return sorted(shown, key=lambda name: not name.is_virtual)

    def _add_model(self, model: VirtualModel, by_name: Mapping[str, Target]) -> None:
        missing = [name for name in (*model.candidates, *model.checks) if name not in by_name]
        if missing:
            raise ConfigError(f"models.{model.name}.candidates: no target is named {missing[0]!r}")
        if model.policy not in self._policies:
            raise ConfigError(f"models.{model.name}.policy: {model.policy!r} is not one of {', '.join(self._policies)}")
        candidates = tuple(by_name[name] for name in dict.fromkeys(model.candidates))
        self._add(
            model.name, candidates, model.policy, may_fall_back=model.may_fall_back, weights=model.weights,
            burst_queue=model.burst_queue, checks=(checks := tuple(by_name[name] for name in model.checks)),
            arms=extra_arms(model.trials, (*candidates, *checks), by_name),
            arm_names=frozenset(trial.arm for trial in model.trials),
        )  # fmt: skip

    def _add_built_in(self, targets: Sequence[Target], rates: Mapping[str, float]) -> None:
        """`auto`, `own` and `vendor`, unless the operator gave these names to something else."""
        facts = Facts(input_tokens=TYPICAL_INPUT_TOKENS, output_tokens=TYPICAL_OUTPUT_TOKENS, rates=rates)

        def standing(target: Target) -> tuple[bool, bool, bool, float]:
            # Nothing simulated before anything real; the small embedded model behind what the operator hosts himself;
            # vendors by price, because the operator gave no order for these names.
            is_vendor = target.premises != "own"
            cost = expected_cost(target, facts) if is_vendor else 0.0
            return target.is_simulated, is_vendor, bool(target.engine), cost

        ordered = sorted(targets, key=standing)
        own = [target for target in ordered if target.premises == "own"]
        vendor = [target for target in ordered if target.premises != "own"]
        for name, candidates, policy in (
            ("auto", ordered, "own_first"),
            ("own", own, "own_first"),
            ("vendor", vendor, "pinned"),
        ):
            if candidates and name not in self._names:
                self._add(name, tuple(candidates), policy)

    def _add_aliases(self, targets: Sequence[Target]) -> None:
        by_model: dict[str, list[Target]] = {}
        for target in targets:
            by_model.setdefault(target.model, []).append(target)
        for model, same in by_model.items():
            if model and model not in self._names:
                self._add(model, tuple(same), "pinned", may_fall_back=len(same) > 1, is_alias=True)

    def _add(
        self,
        name: str,
        candidates: tuple[Target, ...],
        policy: str,
        *,
        may_fall_back: bool = True,
        weights: Mapping[str, int] | None = None,
        is_virtual: bool = True,
        burst_queue: int = 1,
        is_alias: bool = False,
        checks: tuple[Target, ...] = (),
        arms: tuple[Target, ...] = (),
        arm_names: frozenset[str] = frozenset(),
    ) -> None:
        if name in self._names:
            raise ConfigError(f"{name!r} names two things in [[targets]] and [[models]]; rename one of them")
        self._names[name] = Name(
            name=name,
            candidates=candidates,
            checks=checks,
            policy_name=policy,
            policy=self._policies[policy],
            may_fall_back=may_fall_back,
            weights=dict(weights or {}),
            context_sizes=tuple(
                sorted({target.context_tokens for target in (*candidates, *checks, *arms) if target.context_tokens})
            ),
            is_virtual=is_virtual,
            burst_queue=burst_queue,
            is_alias=is_alias,
            arms=arms,
            arm_names=arm_names,
        )

    def _unknown(self, model: str, allowed_models: frozenset[str] | None) -> str:
        """Only names that the key may write are suggested."""
        said = model[:MOST_CHARS_IN_MESSAGE]
        known = [name for name in self._names if allowed_models is None or name in allowed_models]
        near = difflib.get_close_matches(said, known, n=3, cutoff=0.6)
        if not near and said:
            near = [name for name in known if said.casefold() in name.casefold()][:3]
        hint = f"did you mean {_listed(near)}?" if near else "GET /v1/models lists what there is"
        if said in EMPTY_NAMES and allowed_models is None:
            return f"no target stands behind {said!r} yet: {EMPTY_NAMES[said]}"
        if not known:
            hint = "no target is configured; `yuzui init` writes a configuration to start from"
        return f"no model is named {said!r}; {hint}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:MOST_NAMES_IN_MESSAGE])
    hidden = len(names) - MOST_NAMES_IN_MESSAGE
    return f"{shown} and {hidden} more" if hidden > 0 else shown
