"""Graded examples: a prompt, and for each model how good its answer was, what it cost and what it said."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.routing.artefact import Priced
from yuzui.routing.surface import Asked

Split = Literal["train", "calib", "test"]
CHARACTERS_PER_TOKEN: Final = 4.0
GUESSED_VERDICT_CHARACTERS: Final = 600
"""Of a judge that thinks before it says its number."""
MOST_NAMED: Final = 5
PROMPT_BYTES: Final = 8


class Judgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a judge said of one answer, by itself and without knowing a right one."""

    score: float
    """How likely it is right, 0 to 1."""
    by: str
    """The judge: a model's name."""
    question: str
    """Of `judge_words.POINTWISE`."""
    cost_usd: float | None = None
    """Of asking; else it is counted from tokens and the judge's price."""
    input_tokens: int | None = None
    output_tokens: int | None = None


class GradedAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    score: float
    """0 (useless) to 1 (right)."""
    text: str = ""
    cost_usd: float | None = None
    """Of this call; else it is counted from tokens and prices."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    was_cut: bool = False
    log_probabilities: tuple[float, ...] = ()
    samples: tuple[str, ...] = ()
    """Further answers of the same model to the same prompt."""
    judged: Judgement | None = None


class Graded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One example. `answers`: model → what became of the prompt there."""

    prompt: str
    answers: dict[str, GradedAnswer]
    id: str = ""
    group: str = ""
    """A topic or task, if it is known: fitting learns to tell topics apart, the certificate does not use it."""
    split: str = ""
    """`train`, `calib` or `test`; where no example has one, the prompt's hash decides."""
    system_characters: int = 0
    earlier_characters: int = 0
    turns: int = 1
    tools: int = 0
    schema_characters: int = 0
    has_images: bool = False
    has_files: bool = False
    has_tool_results: bool = False

    @property
    def asked(self) -> Asked:
        return Asked(
            text=self.prompt, system_characters=self.system_characters, earlier_characters=self.earlier_characters,
            turns=self.turns, tools=self.tools, schema_characters=self.schema_characters, has_images=self.has_images,
            has_files=self.has_files, has_tool_results=self.has_tool_results,
        )  # fmt: skip  # one thing


def check_examples(examples: Sequence[Graded], models: Sequence[str]) -> None:
    """Raise `ConfigError` unless every example has a score in [0, 1] for each of `models`; it names the first ones."""
    if not examples:
        raise ConfigError("there are no examples")
    wrong: list[str] = []
    for place, example in enumerate(examples):
        name = example.id or f"example {place + 1}"
        for model in models:
            answer = example.answers.get(model)
            if answer is None:
                wrong.append(f"{name} has no answer of {model}")
            elif not 0 <= answer.score <= 1:
                wrong.append(f"{name}: the score of {model} is {answer.score}, not between 0 and 1")
    if wrong:
        known = ", ".join(sorted({model for example in examples for model in example.answers})[:20])
        more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise ConfigError(f"{'; '.join(wrong[:MOST_NAMED])}{more} (the file has answers of: {known})")


def split_of(examples: Sequence[Graded], wanted: Split) -> list[Graded]:
    """The examples of one part. Where no example names its part, half of the prompts are `train` and half `calib`.

    The same prompt always falls into the same part. Raise `ConfigError` when only some examples name theirs.
    """
    named = sum(bool(example.split) for example in examples)
    if not named:
        return [example for example in examples if _drawn(example.prompt) == wanted]
    if named != len(examples):
        raise ConfigError(
            f"{len(examples) - named} of {len(examples)} examples have no `split`: give all of them one, or none"
        )
    unknown = {example.split for example in examples} - {"train", "calib", "test"}
    if unknown:
        raise ConfigError(f"`split` must be train, calib or test, not {sorted(unknown)[0]}")
    return [example for example in examples if example.split == wanted]


def prompts_of(examples: Sequence[Graded]) -> bytes:
    """For `check_apart`: eight bytes for each different prompt, sorted."""
    return b"".join(sorted({_digest(example.prompt)[:PROMPT_BYTES] for example in examples}))


def check_apart(fitted: str, examples: Sequence[Graded], prompts: bytes) -> None:
    """Raise `ConfigError` when a prompt of `examples` is among those that something was fitted on, by `prompts_of`."""
    known = {prompts[place : place + PROMPT_BYTES] for place in range(0, len(prompts), PROMPT_BYTES)}
    seen = [example for example in examples if _digest(example.prompt)[:PROMPT_BYTES] in known]
    if seen:
        name = seen[0].id or seen[0].prompt[:40]
        raise ConfigError(
            f"{len(seen)} of {len(examples)} prompts are among those that {fitted} was fitted on "
            f"({name!r} is the first): certify on others"
        )


def check_judged(examples: Sequence[Graded], model: str, judge: str, question: str) -> None:
    """Raise `ConfigError` unless each answer of `model` was judged by `judge`, who was asked `question`."""
    wrong: list[str] = []
    for place, example in enumerate(examples):
        name, judged = example.id or f"example {place + 1}", example.answers[model].judged
        if judged is None:
            wrong.append(f"{name}: nobody judged the answer of {model}")
        elif judged.by != judge:
            wrong.append(f"{name}: the answer of {model} was judged by {judged.by}")
        elif judged.question != question:
            wrong.append(f"{name}: the judge was asked in other words than now")
        elif not 0 <= judged.score <= 1:
            wrong.append(f"{name}: the judge's score of {model} is {judged.score}, not between 0 and 1")
    if wrong:
        more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise ConfigError(
            f"{'; '.join(wrong[:MOST_NAMED])}{more}: have them judged with `yuzui evaluate run … --scorer pointwise "
            f"--judge {judge}`, and export them again"
        )


def hash_of(examples: Sequence[Graded]) -> str:
    """SHA-256 of the examples as they are used, in order."""
    digest = hashlib.sha256()
    for example in examples:
        # Without what nobody said of it: such examples have the hash that versions without judgements gave them.
        plain = msgspec.to_builtins(example)
        for answer in plain["answers"].values():
            if answer["judged"] is None:
                del answer["judged"]
        line = msgspec.json.encode(plain)
        digest.update(len(line).to_bytes(8, "big") + line)
    return digest.hexdigest()


def _drawn(prompt: str) -> Split:
    return "train" if _digest(prompt)[0] < 128 else "calib"


def _digest(prompt: str) -> bytes:
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()


class Costs:
    """What calls cost in US dollars; remembers how that was found out."""

    def __init__(self, prices: Mapping[str, Priced]) -> None:
        self._prices = prices
        self._given = self._counted = self._guessed = 0

    def of(self, example: Graded, model: str) -> float:
        """Of one call. Raise `ConfigError` when nobody said what the model costs."""
        answer = example.answers[model]
        shown = len(example.prompt) + example.system_characters + example.earlier_characters
        return self._of_call(answer, model, shown, len(answer.text))

    def of_judging(self, example: Graded, model: str) -> float:
        """Of having the answer of `model` judged. Raise `ConfigError` when nobody said what the judge costs."""
        answer = example.answers[model]
        assert answer.judged is not None  # the examples were checked
        shown = len(example.prompt) + example.system_characters + example.earlier_characters + len(answer.text)
        return self._of_call(answer.judged, answer.judged.by, shown, GUESSED_VERDICT_CHARACTERS)

    def _of_call(self, call: GradedAnswer | Judgement, model: str, shown: int, said: int) -> float:
        """`shown`, `said`: characters, for where nobody counted tokens."""
        for told in (call.cost_usd, call.input_tokens, call.output_tokens):
            if told is not None and not 0 <= told < math.inf:
                raise ConfigError(f"an example says that {model} took {told}: costs and tokens are never negative")
        if call.cost_usd is not None:
            self._given += 1
            return call.cost_usd
        price = self._prices.get(model)
        if price is None or price.input_usd is None or price.output_usd is None:
            raise ConfigError(
                f"nobody says what {model} costs: write --price {model}=IN/OUT (US dollars per million tokens; 0/0 for "
                f"one that costs nothing per call), or `cost_usd` into each of its answers"
            )
        if call.input_tokens is None or call.output_tokens is None:
            self._guessed += 1
        else:
            self._counted += 1
        sent = call.input_tokens if call.input_tokens is not None else round(shown / CHARACTERS_PER_TOKEN)
        written = call.output_tokens if call.output_tokens is not None else round(said / CHARACTERS_PER_TOKEN)
        return (sent * price.input_usd + written * price.output_usd) / 1e6

    @property
    def basis(self) -> str:
        """How the costs so far were computed."""
        ways = (
            (self._given, "as given per answer"),
            (self._counted, "tokens times price"),
            (self._guessed, f"tokens guessed from characters ({CHARACTERS_PER_TOKEN:g} each) times price"),
        )
        return "; ".join(f"{count} calls {way}" for count, way in ways if count) or "no calls"
