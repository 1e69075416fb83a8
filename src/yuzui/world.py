"""What a request finds when it comes in: the configuration of the moment, and everything that outlives one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from yuzui.admission.gate import Gate
from yuzui.config import Config
from yuzui.learned_routing import GuaranteedModel
from yuzui.masking import Masker
from yuzui.ports import Archive, Books, Clock, Documents, Names, Randomness, Telemetry, Upstream
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.judge import Verdicts
from yuzui.privacy.scan import Scanner
from yuzui.providers._contract import Codec
from yuzui.routing.health import Watch
from yuzui.routing.retry import RetryBudget
from yuzui.routing.router import Router
from yuzui.tails import Tails


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that a configuration decides. A request keeps the one it started with; a reload swaps the whole."""

    config: Config
    router: Router
    scanner: Scanner
    codecs: Mapping[str, Codec]
    guaranteed: Mapping[str, GuaranteedModel] = field(default_factory=dict)
    """Virtual models that demand a guarantee, with their learned routers."""


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
    captures: Archive | None = None
    """Where requests are kept as examples; None: nowhere."""
    documents: Documents | None = None
    """None where no documents are read."""
    names: Names | None = None
    """None: nobody looks for names in plain words."""
