"""The learned router at run time: look at a request once, choose a model by a certificate, keep or replace an answer.

Needs numpy and nothing else. Pure: an artefact in, decisions out. Without a certificate it decides nothing but
"the reference".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import Rule
from yuzui.routing import surface as counted
from yuzui.routing.artefact import Artefact, CascadeWeights, Certificate, Fitted
from yuzui.routing.dense import Dense
from yuzui.routing.likeness import Likeness
from yuzui.routing.signals import Evidence, Layout, row_of
from yuzui.routing.surface import Asked
from yuzui.routing.tensors import unpack
from yuzui.routing.text_encoder import Encoder
from yuzui.routing.up_front import OUTPUTS, UpFront

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is known of a request before anybody answers it."""

    gains: tuple[float, ...]
    """Per candidate: how much better the reference is expected to answer, -1 to 1."""
    p_value: float
    """How ordinary the request is among those that the router was fitted on."""
    is_like: bool
    surface: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model, and why."""

    model: str
    is_open: bool
    gain: float | None
    """Predicted, of the reference over the candidate that was chosen, or over the best one that was not."""
    rule: Rule
    why: str


class Learned:
    """Raise `ConfigError` when the artefact's parts do not fit each other or this version's features."""

    def __init__(self, artefact: Artefact) -> None:
        fitted = artefact.fitted
        self.artefact = artefact
        self.reference = fitted.reference.name
        self.candidates = tuple(candidate.model.name for candidate in fitted.candidates)
        try:
            heads = np.hstack([unpack(candidate.up_front.words) for candidate in fitted.candidates])
            if heads.shape[1] != OUTPUTS * len(self.candidates):
                raise ValueError("the words of a candidate have the wrong number of outputs")
            self._encoder = Encoder(fitted.encoder, heads)
            dimensions = self._encoder.dimensions
            self._up_front = tuple(UpFront(candidate.up_front, dimensions) for candidate in fitted.candidates)
            self._likeness = Likeness(fitted.likeness, counted.NAMES, dimensions, self._encoder.topics)
            self._cascades = tuple(_Cascade(fitted, place) for place in range(len(self.candidates)))
        except ValueError as error:
            raise ConfigError(f"the routing artefact cannot be used: {error}") from error

    def look(self, asked: Asked) -> Look:
        """A bounded time, whatever the text: it is cut."""
        encoded = self._encoder.encode(asked.text)
        surface = counted.surface(asked)
        gains = tuple(
            model.gain(encoded, encoded.heads[OUTPUTS * place : OUTPUTS * (place + 1)], surface)
            for place, model in enumerate(self._up_front)
        )
        p_value = self._likeness.p_value(surface, encoded.vector, encoded.energy, encoded.topics)
        return Look(gains=gains, p_value=p_value, is_like=p_value >= self._likeness.share_unlike, surface=surface)

    def choose(self, look: Look, certificate: Certificate | None, permitted: Collection[str]) -> Choice:
        """Who answers under an up-front `certificate`; `permitted` are the models of the allowed set.

        The reference, unless the request is like the examples and a permitted candidate is expected to lose no more
        than was certified. The certificate was made with all of its candidates: leaving some out makes it more careful
        only if the next one is as good, so then only the reference is chosen in their place.
        """
        if certificate is None or certificate.policy != "up_front":
            return self._refer("no_certificate", "no certificate", None)
        if certificate.threshold is None:
            return self._refer("no_certificate", "nothing could be certified", None)
        if not look.is_like:
            return self._refer("unlike", "unlike the examples", None)
        for name in certificate.candidates:
            gain = look.gains[self.candidates.index(name)]
            if gain <= certificate.threshold:
                if name in permitted:
                    return Choice(model=name, is_open=True, gain=gain, rule="certified", why="certified")
                return self._refer("not_permitted", f"{name} is not permitted", gain)
        best = min(look.gains, default=None)
        return self._refer("reference_better", "the reference is expected to be better", best)

    def judge(self, look: Look, candidate: str, evidence: Evidence, *, is_portable: bool = False) -> float:
        """The predicted gain of the reference over the answer that `candidate` gave.

        Raise `ConfigError` for a candidate without cascade, or where `evidence` is not what it was fitted with.
        """
        return self.weigh(look, candidate, evidence, is_portable=is_portable)[0]

    def weigh(
        self, look: Look, candidate: str, evidence: Evidence, *, is_portable: bool = False
    ) -> tuple[float, dict[str, float]]:
        """The same, with the signals of the answer by name: those that are not 0."""
        place = self.candidates.index(candidate)
        gain, row, names = self._cascades[place].gain(look, look.gains[place], evidence, is_portable)
        return gain, {name: round(float(value), 4) for name, value in zip(names, row, strict=False) if value}

    def cascade_of(self, candidate: str) -> CascadeWeights | None:
        """What the candidate's cascade was fitted with; None without one."""
        return self.artefact.fitted.candidates[self.candidates.index(candidate)].cascade

    def keeps(self, look: Look, gain: float, certificate: Certificate | None) -> bool:
        """Whether an answer with this predicted gain may be given to the client under a cascade's `certificate`."""
        if certificate is None or certificate.policy == "up_front" or certificate.threshold is None:
            return False
        if certificate.policy == "cascade" and not look.is_like:
            return False
        return gain <= certificate.threshold

    def _refer(self, rule: Rule, why: str, gain: float | None) -> Choice:
        return Choice(model=self.reference, is_open=False, gain=gain, rule=rule, why=why)


def layout_of(weights: CascadeWeights) -> Layout:
    return Layout(checks=len(weights.checks), is_judged=weights.judge is not None, runs_tests=weights.runs_tests)


class _Cascade:
    """One candidate's; knows what it was fitted with."""

    def __init__(self, fitted: Fitted, place: int) -> None:
        weights = fitted.candidates[place].cascade
        self._name = fitted.candidates[place].model.name
        self._layout = layout_of(weights) if weights else Layout()
        self._portable_names = self._layout.portable_names
        self._full = Dense(weights.full, self._layout.names) if weights else None
        self._portable = Dense(weights.portable, self._portable_names) if weights else None

    def gain(
        self, look: Look, up_front: float, evidence: Evidence, is_portable: bool
    ) -> tuple[float, Floats, tuple[str, ...]]:
        if self._full is None or self._portable is None:
            raise ConfigError(f"{self._name} was fitted without a cascade: the examples need the texts of its answers")
        try:
            row = row_of(self._layout, evidence, look.surface, up_front, look.p_value)
        except ConfigError as error:
            raise ConfigError(f"{self._name}: {error.message}") from error
        width = len(self._portable_names)
        gain = self._portable.one(row[:width]) if is_portable else self._full.one(row)
        return gain, row[:width], self._portable_names
