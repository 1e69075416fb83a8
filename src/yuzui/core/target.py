"""A target: a model at a place, with what it may see, what it can do and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal
from urllib.parse import quote

from typing_extensions import override

from yuzui.core.capture import AnswerUse
from yuzui.core.chat import Feature, Operation
from yuzui.core.guarantee import Demand
from yuzui.core.marginal import MarginalCost
from yuzui.core.money import Price
from yuzui.core.price_terms import PriceTerm
from yuzui.core.trial import Trial
from yuzui.core.watching import ShadowRules, WatchRules

Premises = Literal["own", "vendor"]
ALL_FEATURES: frozenset[Feature] = frozenset(
    ("tools", "images", "audio", "files", "json_schema", "logprobs", "n", "web_search", "server_tools")
)
RARE_FEATURES: frozenset[Feature] = frozenset(("server_tools",))
"""A provider has them only if its row says so."""
CHAT_ONLY: frozenset[Operation] = frozenset(("chat",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. `total_s` bounds the whole attempt, `between_tokens_s` every silence after the first token."""

    connect_s: float = 5.0
    first_token_s: float = 60.0
    whole_answer_s: float = 300.0
    """Until the first byte of an answer that is not streamed: most servers send nothing before they have all of it."""
    between_tokens_s: float = 60.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How a vendor differs from the protocol it claims, as data, from `openai_compatible.toml` and `yuzui.toml`."""

    path: str = ""
    """Other path than the codec's usual one; `{model}` stands for the model."""
    auth: Literal["bearer", "api-key", "x-api-key", "none"] = "bearer"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    max_tokens_field: Literal["max_tokens", "max_completion_tokens", "as_sent"] = "as_sent"
    knows_stream_options: bool = True
    drops: frozenset[str] = frozenset()
    """Tuning knobs that this vendor rejects: removed and reported."""
    renames: Mapping[str, str] = field(default_factory=dict)
    developer_role: bool = True
    """False where the role `developer` must be sent as `system`."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Other paths than usual, by codec (`openai_responses`, `openai_embeddings`); `{model}` stands for the model."""
    reasoning_fields: tuple[str, ...] = ()
    """Where this vendor wants back what its model thought (`reasoning_content`, `reasoning`, `reasoning_details`);
    empty: it does not, so it is left out and reported."""
    takes: frozenset[str] = frozenset()
    """What it takes beyond OpenAI's fields: `top_k`; `effort_none` where `reasoning_effort` may be `none`."""


AuthKind = Literal["entra_id", "google_service_account", "ibm_iam", "aws_sigv4", "baidu_iam"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Credentials that are exchanged for short-lived tokens, or that sign each request, instead of a lasting key."""

    kind: AuthKind
    settings: Mapping[str, str] = field(default_factory=dict)
    """By kind, see docs/reference/configuration.md: regions, tenants and ids, and the secrets by value."""

    @override
    def __repr__(self) -> str:  # settings hold secrets
        return f"Auth({self.kind!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Frozen for the life of one configuration. Identity is `name`."""

    name: str
    provider: str
    """The row of openai_compatible.toml or the codec's file name, as the operator wrote it."""
    codec: str
    """The file in providers/ that speaks to it."""
    model: str
    base_url: str
    premises: Premises
    clearance: int
    jurisdiction: str
    retains_data: bool = False
    trains_on_data: bool = False
    answer_use: AnswerUse = "none"
    """What its terms allow its answers to be used for, beyond answering."""
    takes_masked: bool = True
    """A request above its clearance may go there masked, if the operator lets its kinds be masked."""
    price: Price | None = None
    """None: unknown, which refuses requests."""
    price_help: str = ""
    """When `price` is None: what to change."""
    marginal: MarginalCost | None = None
    """What one more request costs on an own target; None: routing goes by `price`. Never booked."""
    price_factors: Mapping[PriceTerm, Fraction] = field(default_factory=dict)
    """What a term of the request multiplies the price of a token with; one that is not here has no known price."""
    api_key: str = ""
    auth: Auth | None = None
    """Takes the place of `api_key`."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What else a codec must know of this place, as the operator wrote it: `project_id`, `region`, `api_version`."""
    also_speaks: tuple[str, ...] = ()
    """Other codecs under the same `base_url`: a client of such a dialect takes the same-dialect lane there."""
    serves: frozenset[Operation] = CHAT_ONLY
    features: frozenset[Feature] = ALL_FEATURES - RARE_FEATURES
    context_tokens: int = 0
    """0: unknown."""
    max_output_tokens: int = 0
    """0: unknown."""
    max_concurrency: int = 0
    """0: no limit."""
    max_queue: int = 0
    weight: int = 1
    timeouts: Timeouts = Timeouts()
    quirks: Quirks = Quirks()
    engine: str = ""
    """Name of the embedded model that serves it; empty for everything reached over the network."""
    is_simulated: bool = False
    """A scripted target: its answers are never to look real."""

    @override
    def __repr__(self) -> str:  # the key must not reach logs or tracebacks
        return f"Target({self.name!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualModel:
    """A name that clients write into `model` and that stands for candidates and a goal."""

    name: str
    candidates: tuple[str, ...]
    """Target names in the operator's order."""
    policy: str
    """File name in routing/policies/."""
    may_fall_back: bool = True
    weights: Mapping[str, int] = field(default_factory=dict)
    masked_kinds: frozenset[str] | None = None
    """Finding kinds that a request for it may have masked, if the operator lets them be masked at all; None: all of
    those. Empty: it is never masked, so only targets that may see the original are permitted."""
    burst_queue: int = 1
    """Policy `burst`: from so many waiting requests on, vendors come first."""
    reference: str = ""
    """The target that savings are counted against: what everything would have cost there. Policy `guaranteed`: whom a
    learned router may lose no more against than `demand` says."""
    demand: Demand | None = None
    """Policy `guaranteed` only."""
    watch: WatchRules | None = None
    """Likewise: how the promise is watched."""
    shadow: ShadowRules | None = None
    trials: tuple[Trial, ...] = ()
    """In the order of drawing."""

    @property
    def checks(self) -> tuple[str, ...]:
        """Targets beside the candidates that may see its requests to give a second opinion or to judge an answer, and
        never answer them."""
        rules = self.demand.cascade if self.demand is not None else None
        return tuple([name for name in rules.beside if name not in self.candidates]) if rules is not None else ()


def path_of(target: Target, codec: str, usual: str) -> str:
    """Where `codec` speaks to `target`, without the query. `quirks.path` is that of the target's main codec."""
    path = target.quirks.paths.get(codec) or (target.quirks.path if target.codec == codec else "") or usual
    return path.replace("{model}", quote(target.model, safe="")) if "{" in path else path
