"""What a request finds when it comes in: the configuration of the moment, and everything that outlives one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from yuzui.admission.gate import Gate
from yuzui.config import Config
from yuzui.core.chat import ChatRequest
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.trial import Trial
from yuzui.core.watching import ShadowRules, WatchKind, WatchRules
from yuzui.exchange import Exchange
from yuzui.learned_routing import GuaranteedModel
from yuzui.masking import Masker
from yuzui.ports import Archive, Books, Clock, CodeTests, Documents, Names, Randomness, Telemetry, Upstream
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.judge import Verdicts
from yuzui.privacy.scan import Scanner
from yuzui.providers._contract import Codec
from yuzui.routing.health import Watch
from yuzui.routing.retry import RetryBudget
from yuzui.routing.router import Router
from yuzui.tails import Tails
from yuzui.trials import Trials

if TYPE_CHECKING:  # a gateway that watches nothing does without
    from yuzui.evaluation.scorers._contract import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that a configuration decides. A request keeps the one it started with; a reload swaps the whole."""

    config: Config
    router: Router
    scanner: Scanner
    codecs: Mapping[str, Codec]
    guaranteed: Mapping[str, GuaranteedModel] = field(default_factory=dict)
    """Virtual models that demand a guarantee, with their learned routers, as they stand after what watching found."""
    promised: Mapping[str, GuaranteedModel] = field(default_factory=dict)
    """The same as they were certified."""
    watched: Mapping[str, Watched] = field(default_factory=dict)
    """Virtual models whose promise is watched, or whose requests are copied to a shadow."""
    trials: Mapping[str, tuple[Trial, ...]] = field(default_factory=dict)
    """Of the virtual models that have any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is done with one model's requests after they were answered."""

    watch: WatchRules | None = None
    scorer: Scorer | None = None
    """Where there is a `watch`: how two answers are compared."""
    shadow: ShadowRules | None = None


class Afterwards(Protocol):
    """What is done with requests once their client has its answer. Nothing here waits or raises."""

    def draw(self, snapshot: Snapshot, request: ChatRequest, label: Sensitivity) -> frozenset[WatchKind]:
        """What the request was drawn for, before it is answered: its answer must then be gathered."""
        ...

    def offer(self, snapshot: Snapshot, exchange: Exchange) -> None:
        """An answered request that was drawn. Taken, or dropped and counted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What outlives a configuration: the ports, and the state that requests share."""

    clock: Clock
    randomness: Randomness
    books: Books
    upstream: Upstream
    telemetry: Telemetry
    gate: Gate
    memory: ConversationMemory
    verdicts: Verdicts
    watch: Watch
    retries: RetryBudget
    archive: Archive
    content_key: bytes
    masker: Masker
    tails: Tails
    trials: Trials
    captures: Archive | None = None
    """Where requests are kept as examples; None: nowhere."""
    documents: Documents | None = None
    """None where no documents are read."""
    names: Names | None = None
    """None: nobody looks for names in plain words."""
    afterwards: Afterwards | None = None
    """None: nothing is watched here."""
    code_tests: CodeTests | None = None
    """None: nothing that a model wrote is run here."""
