"""Generated configurations and traffic, and what must hold of every byte that a target is sent in them.

The oracle knows the configuration, the values that were planted and who answered with what; nothing of how Yuzui finds,
labels, routes or masks.
"""

from __future__ import annotations

import random
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from canary_kit import DRESSES, VALUES
from egress_kit import VENDOR_SECRET, Room, room
from faults.dialect_fields import UNREADABLE
from faults.injecting import Over
from faults.positions import Position, positions
from gateway_kit import without_names
from yuzui.admission.gate import caller_of
from yuzui.config import read
from yuzui.core.booking import KeyRecord
from yuzui.wiring import make_snapshot

LEVELS: Final = ("open", "house", "desk", "sealed", "crown")
PROVIDERS: Final = {  # provider → the end of its base_url
    "openai": "/v1", "openai_responses": "/v1", "anthropic": "", "gemini": "/v1beta", "bedrock": "", "vllm": "/v1",
}  # fmt: skip
PLACES: Final = tuple(place for place in positions() if place.has_choice)
KINDS: Final = tuple(VALUES)
WEATHERS: Final = ("fine", "fine", "fine", "error", "busy", "unreachable", "breaks off")
PLACES_ON_EARTH: Final = ("CN", "US", "DE")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    name: str
    provider: str
    premises: str
    clearance: int
    jurisdiction: str
    masking: bool
    trains: bool
    weather: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlan:
    floor: int
    own_only: bool
    forbidden: tuple[str, ...]
    models: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    place: Position
    model: str
    stream: bool
    planted: tuple[tuple[str, str], ...]
    """(kind, dress) of each value."""
    brings_back: bool
    """Whether it says again what was answered last."""
    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    levels: int
    default: int
    unscannable: int
    kinds: dict[str, int]
    maskable: tuple[str, ...]
    realistic: tuple[str, ...]
    targets: tuple[TargetPlan, ...]
    models: tuple[tuple[str, tuple[str, ...], str, bool], ...]
    """(name, candidates, policy, whether it falls back)."""
    keys: tuple[KeyPlan, ...]
    asks: tuple[Ask, ...]
    seed: int

    def toml(self) -> str:
        names = LEVELS[: self.levels]
        tables = [
            f'[[targets]]\nname = "{one.name}"\nprovider = "{one.provider}"\nmodel = "m-{number}"\n'
            f'base_url = "http://127.0.0.1:9{PROVIDERS[one.provider]}"\npremises = "{one.premises}"\n'
            f'clearance = "{names[one.clearance]}"\njurisdiction = "{one.jurisdiction}"\nmasking = {str(one.masking).lower()}\n'
            f'trains_on_data = {str(one.trains).lower()}\nprice = "free"\napi_key = {{ env = "VENDOR_KEY" }}\n'
            for number, one in enumerate(self.targets)
        ]
        models = [
            f'[[models]]\nname = "{name}"\ncandidates = {list(candidates)}\npolicy = "{policy}"\nfallback = {str(falls).lower()}\n'
            for name, candidates, policy, falls in self.models
        ]
        kinds = "".join(f'{kind} = "{names[level]}"\n' for kind, level in self.kinds.items())
        return (
            f'[sensitivity]\nlevels = {list(names)}\ndefault = "{names[self.default]}"\n'
            f'unscannable = "{names[self.unscannable]}"\n[sensitivity.kinds]\n{kinds}'
            f"[masking]\nkinds = {list(self.maskable)}\nrealistic = {list(self.realistic)}\n" + "".join(tables + models)
        ).replace("'", '"')


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    levels = draw(st.integers(2, len(LEVELS)))
    level = st.integers(0, levels - 1)
    mostly = st.sampled_from((True,) * 9 + (False,))  # all at once would forbid nearly everything
    names = [f"t{number}" for number in range(draw(st.integers(1, 4)))]
    targets = tuple(
        TargetPlan(
            name=name, provider=draw(st.sampled_from(sorted(PROVIDERS))), premises=draw(st.sampled_from(("own", "vendor"))),
            clearance=draw(level), jurisdiction=draw(st.sampled_from(PLACES_ON_EARTH)), masking=draw(mostly), trains=not draw(mostly), weather=draw(st.sampled_from(WEATHERS)),
        )
        for name in names
    )  # fmt: skip
    policies = ("own_first", "cheapest", "fastest", "pinned", "weighted")
    models = tuple(
        (name, tuple(draw(st.permutations(names)))[: draw(st.integers(1, len(names)))], draw(st.sampled_from(policies)), draw(st.booleans()))
        for name in ("v0", "v1")
    )  # fmt: skip
    said = st.sampled_from((*names, "v0", "v1", "auto", "own", "vendor"))
    keys = tuple(
        KeyPlan(
            floor=0 if draw(mostly) else draw(level), own_only=not draw(mostly),
            forbidden=() if draw(mostly) else draw(st.sampled_from((("US",), ("CN", "DE")))),
            models=None if draw(mostly) else ("v0", names[0]),
        )
        for _ in range(2)
    )  # fmt: skip
    value = st.tuples(st.sampled_from(KINDS), st.sampled_from(sorted(DRESSES)))
    asks = tuple(
        Ask(
            place=draw(st.sampled_from(PLACES)), model=draw(said), stream=draw(st.booleans()),
            planted=tuple(draw(st.lists(value, max_size=2, unique_by=lambda one: one[0]))),
            brings_back=draw(st.booleans()), key=draw(st.integers(0, 1)),
        )
        for _ in range(draw(st.integers(1, 4)))
    )  # fmt: skip
    maskable = tuple(kind for kind in (*KINDS, "phone") if draw(st.sampled_from((True, True, False))))
    return Plan(
        levels=levels, default=0 if draw(mostly) else draw(level), unscannable=draw(level), kinds={kind: draw(level) for kind in KINDS},
        maskable=maskable, realistic=tuple(kind for kind in maskable if draw(st.booleans())), targets=targets,
        models=models, keys=keys, asks=asks, seed=draw(st.integers(0, 2**32)),
    )  # fmt: skip


# ---- the oracle ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Seen:
    """What a run showed, so that nobody takes an empty one for a proof."""

    asked: int = 0
    sent: int = 0
    marked: int = 0
    """Sent to a target that may see all that is in it."""
    masked: int = 0
    """Sent to one that may not, without it."""
    withheld: int = 0
    """Requests with values that went nowhere."""


@dataclass(slots=True)
class Phrase:
    """What a target answered, and the level of what it had seen."""

    mark: str
    text: str
    level: int
    key: int


class Story:
    """One plan, played."""

    def __init__(self, plan: Plan, found: Room, seen: Seen) -> None:
        self.plan = plan
        self.room = found
        self.seen = seen
        self.rng = random.Random(plan.seed)
        self.phrases: list[Phrase] = []
        self.broken: list[str] = []
        """What must not be."""
        found.targets.weather.clear()
        found.targets.weather.update({one.name: one.weather for one in plan.targets})

    async def play(self) -> None:
        for ask in self.plan.asks:
            await self._ask(ask)

    async def _ask(self, ask: Ask) -> None:
        plan, rng = self.plan, self.rng
        said, values = ["Good morning."], []
        back = [one for one in self.phrases if one.key == ask.key][-1:] if ask.brings_back else []
        for kind, dress in () if back else ask.planted:
            words, value = VALUES[kind](rng)
            said.append(words.format(DRESSES[dress](value)) + ".")
            values.append((kind, value))
        if back:  # alone: inside another text it is known again from 22 words on
            said = [one.text for one in back]
        mark = "".join(rng.choices("bcdfghjkmnpqrstvwxz", k=14))
        answer = f"Between us: the matter of {mark} stays where it is for now, whoever asks about it."
        for one in plan.targets:
            self.room.targets.said[one.name] = answer
        heard = await self.room.ask(ask.place.put(" ".join(said), ask.model, ask.stream), str(ask.key))
        self.seen.asked += 1
        self.seen.withheld += bool(values) and not self.room.targets.sent
        self._judge(ask, values, back)
        if re.sub(r"[^a-z]", "", heard.body.decode("utf-8", "replace")).count(mark):  # cut in two by the stream
            full = [level for kind, value in values if self._saw_last(value) for level in [plan.kinds[kind]]]
            older = [one.level for one in back if self._saw_last(one.mark)]
            broke_off = self.room.targets.weather.get(self.room.targets.sent[-1].target) == "breaks off"
            heard_of_it = answer[: len(answer) // 2] if broke_off else answer
            self.phrases.append(Phrase(mark, heard_of_it, max([0, *full, *older]), ask.key))

    def _saw_last(self, mark: str) -> bool:
        """Whether who was asked last, and so answered, was shown it."""
        return bool(self.room.targets.sent) and self.room.targets.sent[-1].shows(mark)

    def _judge(self, ask: Ask, values: list[tuple[str, str]], back: list[Phrase]) -> None:
        plan, key = self.plan, self.plan.keys[ask.key]
        by_name = {one.name: one for one in plan.targets}
        given = max(plan.default, key.floor)
        is_unreadable = ask.place.name.startswith(UNREADABLE)
        for sent in self.room.targets.sent:
            target = by_name[sent.target]
            self.seen.sent += 1
            self._forbid(ask, target, key)
            if is_unreadable and target.clearance < plan.unscannable:
                self._broken(ask, target, "it is not cleared for what nobody can read")
            above = (
                []
                if is_unreadable
                else [(kind, value) for kind, value in values if plan.kinds[kind] > target.clearance]
            )
            for kind, value in above:
                if kind not in plan.maskable or not target.masking:
                    self._broken(ask, target, f"{kind} of level {plan.kinds[kind]} may not be masked for it")
                if sent.shows(value):
                    self._broken(ask, target, f"{kind} is in the bytes")
            for phrase in back:
                if phrase.level > max(target.clearance, given) and sent.shows(phrase.mark):
                    self._broken(ask, target, f"what was answered at level {phrase.level} is in the bytes")
            self.seen.masked += bool(above)
            self.seen.marked += bool(values) and not above and any(sent.shows(value) for _, value in values)

    def _forbid(self, ask: Ask, target: TargetPlan, key: KeyPlan) -> None:
        """What holds whatever is in a request."""
        plan = self.plan
        candidates = {name: candidates for name, candidates, _, _ in plan.models}
        own = tuple(one.name for one in plan.targets if one.premises == "own")
        vendors = tuple(one.name for one in plan.targets if one.premises == "vendor")
        named: dict[str, tuple[str, ...]] = {**candidates, "own": own, "vendor": vendors, "auto": own + vendors}
        for claim, is_so in {
            "below the default level": target.clearance >= plan.default,
            "below the key's floor": target.clearance >= key.floor,
            "a vendor, for a key on own premises": target.premises == "own" or not key.own_only,
            "in a forbidden place": target.jurisdiction not in key.forbidden,
            "it trains on data": not target.trains,
            "nobody named it": target.name in named.get(ask.model, (ask.model,)),
            "a model that the key may not name": key.models is None or ask.model in key.models,
        }.items():
            if not is_so:
                self._broken(ask, target, claim)

    def _broken(self, ask: Ask, target: TargetPlan, what: str) -> None:
        self.broken.append(f"{target}: {what}; asked by {ask}")


class Worlds:
    """A gateway for each number of levels, which takes one configuration after another, as a reload does."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._rooms: dict[int, Room] = {}

    async def play(self, plan: Plan, seen: Seen) -> None:
        """Raise `AssertionError` for what must not be."""
        found = await self._room(plan)
        found.forget()
        story = Story(plan, found, seen)
        await story.play()
        assert not story.broken, "\n".join([*story.broken, plan.toml()])

    async def _room(self, plan: Plan) -> Room:
        text = plan.toml()
        found = self._rooms.get(plan.levels)
        if found is None:
            found = self._rooms[plan.levels] = await self._stack.enter_async_context(room(text))
        gateway = found.service.gateway
        config = read(without_names(text), {"VENDOR_KEY": VENDOR_SECRET}, source=Path("world.toml"))
        gateway.snapshot = make_snapshot(config, found.running.data_dir)
        lattice = config.sensitivity.lattice
        callers = {str(number): caller_of(_record(plan, number), lattice) for number in range(len(plan.keys))}
        gate = found.service.gateway.world.gate
        real = gate._real if isinstance(gate, Over) else gate
        known = Over(real, identify=lambda authorization: callers[authorization[0].removeprefix("Bearer ")])
        gateway.world = replace(gateway.world, gate=known)  # type: ignore[arg-type]  # stands in
        return found


def _record(plan: Plan, number: int) -> KeyRecord:
    key = plan.keys[number]
    return KeyRecord(
        id=f"key_{plan.seed}_{number}", key_hash=b"", app="app", team="", models=key.models, own_only=key.own_only,
        floor=LEVELS[key.floor] if key.floor else "", forbidden_jurisdictions=key.forbidden, requests_per_minute=0,
        tokens_per_minute=0, concurrency=0, budget_nano=None, budget_period="month", created_ns=1,
    )  # fmt: skip


def total(seen: Seen) -> dict[str, Any]:  # Any: counts
    return {name: getattr(seen, name) for name in ("asked", "sent", "marked", "masked", "withheld")}
