"""yuzui.toml → frozen values. Unknown keys are errors, and every message names the TOML path and what to write instead.

Secrets come by reference only (`api_key = { env = "NAME" }` or `{ file = "PATH" }`), and references are resolved only
here, from the operator's file: nothing that arrives over the line can name one.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from yuzui.accounting.price_factors import parse_factors
from yuzui.accounting.prices import FREE, parse_price, price_warnings
from yuzui.config_answers import read_answers
from yuzui.config_capture import read_answer_use, read_capture
from yuzui.config_checks import check_name, convert, convert_all, near, near_kind, refuse_unknown
from yuzui.config_documents import read_documents
from yuzui.config_economics import check_currencies, check_economics, read_burst, read_marginal
from yuzui.config_guarantee import check_guarantees, read_demand
from yuzui.config_judge import check_judge, read_judge
from yuzui.config_masking import MaskingConfig, Switch, read_masking, read_model_kinds
from yuzui.config_names import read_names
from yuzui.config_secrets import files_named, read_auth, read_reference
from yuzui.config_trials import TrialsConfig, read_operators, read_trials
from yuzui.config_watch import check_watches, read_shadow, read_watch
from yuzui.core.capture import CaptureRules
from yuzui.core.chat import Feature, Operation
from yuzui.core.documents import DocumentRules
from yuzui.core.errors import ConfigError
from yuzui.core.price_terms import PriceTerm
from yuzui.core.sensitivity import DEFAULT_LEVELS, CustomPattern, Lattice, SensitivityRules, TermList
from yuzui.core.target import Auth, Premises, Quirks, Target, Timeouts, VirtualModel
from yuzui.lanes import sayable
from yuzui.privacy.answer_scan import AnswerRules
from yuzui.privacy.catalogue import DEFAULT_LEVELS as DEFAULT_KIND_LEVELS
from yuzui.privacy.ner.spans import DEFAULT_LEVELS as NAME_LEVELS
from yuzui.providers.catalogue import ProviderRow, find_codecs, load_rows
from yuzui.routing.policies.catalogue import policy_names

MAX_FILE_BYTES = 1024 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EMBEDDED_PROVIDER = "llama_cpp"

# ---- what the rest of the house sees --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    host: str = "127.0.0.1"
    port: int = 8080
    max_body_bytes: int = 32 * 1024 * 1024
    drain_timeout_s: float = 30.0
    """How long running requests may finish after SIGTERM before they are ended with `server_restarting`."""
    heartbeat_s: float = 10.0
    """A comment in idle streams this often, so that nothing between us and the client gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedConfig:
    enabled: bool = False
    model: str = "smollm2-135m"
    clearance: str = ""
    """Empty: the highest level."""
    threads: int = 0
    """0: one less than the cores, at least one."""
    context_tokens: int = 4096
    parallel: int = 4
    """Slots that decode together: fairness, not throughput, on a small machine."""
    max_queue: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyConfig:
    currency: str = "USD"
    """The book currency: budgets and reports are in it."""
    rates: Mapping[str, Decimal]
    """Currency → book units per unit; the book currency itself is 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig:
    origin: str = "yuzui.local/audit"
    publish_interval_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponsesConfig:
    retention_days: float = 30.0
    """How long answers of the Responses API are kept for their client; 0: not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    server: ServerConfig
    sensitivity: SensitivityRules
    targets: tuple[Target, ...]
    models: tuple[VirtualModel, ...]
    money: MoneyConfig
    embedded: EmbeddedConfig
    audit: AuditConfig
    stored_responses: StoredResponsesConfig = StoredResponsesConfig()
    masking: MaskingConfig
    answers: AnswerRules = field(default_factory=AnswerRules)
    capture: CaptureRules = field(default_factory=CaptureRules)
    documents: DocumentRules = field(default_factory=DocumentRules)
    trials: TrialsConfig = field(default_factory=TrialsConfig)
    source: Path | None
    """None: built-in defaults."""
    secret_files: tuple[Path, ...] = ()
    """Where it says that secrets lie."""
    snapshot_id: str
    """Short hash of everything above: which configuration decided a request."""
    warnings: tuple[str, ...] = ()
    price_lookups: Mapping[str, tuple[str, str]]
    """Target name → (provider id in the price library, model), for every target whose price is not configured."""


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read `path`, or `./yuzui.toml` if it is there, or the built-in defaults; raise `ConfigError`."""
    if path is None:
        path = Path("yuzui.toml") if Path("yuzui.toml").is_file() else None
    if path is None:
        return read(_DEFAULTS, environ, source=None)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path} is larger than {MAX_FILE_BYTES} bytes; a configuration never is")
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist; write one with `yuzui init`") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        return read(text, environ, source=path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}") from error


def read(text: str, environ: Mapping[str, str], *, source: Path | None) -> Config:
    """TOML text → `Config`; raise `ConfigError` naming the path inside the file."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}") from error
    top = convert(raw, _File, "")
    warnings: list[str] = []
    sensitivity = convert(top.sensitivity, _Sensitivity, "sensitivity")
    rules = _rules(sensitivity)
    money = _money(convert(top.money, _Money, "money"))
    # No table, no process; without a file at all the embedded model is what there is to try.
    embedded = EmbeddedConfig(enabled=source is None)
    if top.embedded is not None:
        embedded = EmbeddedConfig(**msgspec.to_builtins(convert(top.embedded, _Embedded, "embedded")))
    targets, lookups = _targets(top.targets, rules, environ, warnings)
    check_currencies(targets, money.rates, money.currency)
    if embedded.enabled:
        targets.insert(0, _embedded_target(embedded, rules))
    if source is None:
        defaults, default_lookups = _vendors_with_keys(rules, environ)
        targets += defaults
        lookups |= default_lookups
    _refuse_duplicates([target.name for target in targets], "targets")
    masking = read_masking(top.masking, rules)
    models = _models(top.models, {target.name for target in targets}, masking.masking.kinds, rules.lattice)
    check_economics(targets, models, money.rates)
    check_guarantees(models, targets)
    check_watches(models, targets)
    if rules.judge is not None:
        check_judge(rules.judge, rules.lattice, targets, {model.name for model in models})
    server = convert(top.server, _Server, "server")
    audit = convert(top.audit, _Audit, "audit")
    stored = convert(top.stored_responses, _StoredResponses, "stored_responses")
    if not targets:  # after the other tables: a typing error there is what its author wants to hear of first
        raise ConfigError("no target is configured; add a [[targets]] table or `[embedded] enabled = true`")
    return Config(
        server=ServerConfig(**msgspec.to_builtins(server)),
        sensitivity=rules,
        targets=tuple(targets),
        models=models,
        money=money,
        embedded=embedded,
        audit=AuditConfig(**msgspec.to_builtins(audit)),
        stored_responses=StoredResponsesConfig(**msgspec.to_builtins(stored)),
        masking=masking,
        answers=read_answers(top.answers, rules),
        capture=read_capture(top.capture, rules),
        documents=read_documents(sensitivity.documents),
        trials=read_operators(top.trials),
        source=source,
        secret_files=files_named(raw.get("targets")),
        snapshot_id=hashlib.sha256((text + "\0" + "\0".join(t.name for t in targets)).encode()).hexdigest()[:12],
        warnings=tuple(warnings),
        price_lookups=lookups,
    )


# ---- one function per table -----------------------------------------------------------------------------------------


def _rules(table: _Sensitivity) -> SensitivityRules:
    names = table.levels
    if len(names) < 2 or len(set(names)) != len(names):
        raise ConfigError("sensitivity.levels needs at least two different names, lowest first")
    lattice = Lattice(names=names)
    default = _level(lattice, table.default or names[min(1, len(names) - 1)], "sensitivity.default")
    # Built-in kinds name the four default levels; other lattices are mapped by rank, rounded to the stricter side.
    kinds = {
        kind: -(-DEFAULT_LEVELS.index(level) * lattice.top // (len(DEFAULT_LEVELS) - 1))
        for kind, level in (NAME_LEVELS | DEFAULT_KIND_LEVELS).items()
    }
    patterns = tuple(
        CustomPattern(kind=item.kind, regex=item.regex)
        for item in convert_all(table.patterns, _Pattern, "sensitivity.patterns")
    )
    terms = tuple(
        TermList(kind=item.kind, terms=tuple(item.terms))
        for item in convert_all(table.terms, _Terms, "sensitivity.terms")
    )
    for kind in (*(pattern.kind for pattern in patterns), *(words.kind for words in terms)):
        kinds.setdefault(kind, lattice.top)  # the operator's own secrets: highest unless said otherwise
    for kind, name in table.kinds.items():
        if kind not in kinds:
            raise ConfigError(f"sensitivity.kinds.{kind}: no detector finds {kind!r}{near_kind(kind, kinds)}")
        kinds[kind] = _level(lattice, name, f"sensitivity.kinds.{kind}")
    for position, name in enumerate(table.declassifiers):
        check_name(name, f"sensitivity.declassifiers[{position}]")
    unscannable = table.unscannable or names[-1]
    return SensitivityRules(
        lattice=lattice,
        default=default,
        kinds=kinds,
        patterns=patterns,
        terms=terms,
        unscannable=_level(lattice, unscannable, "sensitivity.unscannable"),
        names=read_names(table.names),
        declassifiers=tuple(table.declassifiers),
        judge=None if table.judge is None else read_judge(table.judge, lattice),
    )


def _money(table: _Money) -> MoneyConfig:
    rates: dict[str, Decimal] = {}
    for currency, value in table.rates.items():
        try:
            rates[currency] = Decimal(str(value))
        except InvalidOperation as error:
            raise ConfigError(f"money.rates.{currency} is not a number: {value!r}") from error
        if not rates[currency].is_finite() or rates[currency] <= 0:
            raise ConfigError(f"money.rates.{currency} must be above zero")
    if rates.get(table.currency, Decimal(1)) != 1:
        raise ConfigError(f"money.rates.{table.currency}: the book currency's own rate is 1; leave it out")
    rates[table.currency] = Decimal(1)
    return MoneyConfig(currency=table.currency, rates=rates)


def _targets(
    tables: Sequence[Mapping[str, Any]], rules: SensitivityRules, environ: Mapping[str, str], warnings: list[str]
) -> tuple[list[Target], dict[str, tuple[str, str]]]:
    rows = load_rows()
    targets: list[Target] = []
    lookups: dict[str, tuple[str, str]] = {}
    for position, table in enumerate(tables):
        path = f"targets[{position}]"
        item = convert(table, _Target, path)
        row = rows.get(item.provider)
        if row is None:
            raise ConfigError(f"{path}.provider: {item.provider!r} is unknown{near(item.provider, rows)}")
        if item.auth is not None and item.api_key is not None:
            raise ConfigError(f"{path}.auth takes the place of {path}.api_key; write one of them")
        auth = None
        if item.auth is not None:
            auth, unset = read_auth(item.auth, environ, f"{path}.auth")
            warnings += unset
        api_key = "" if auth is not None else _secret(item, row, environ, path, warnings)
        target = _target(item, row, rules, path, api_key, auth)
        targets.append(target)
        if target.price is not None:
            warnings += price_warnings(target.price, f"{path}.price")
        if item.price is None:
            lookups[target.name] = (row.price_provider or item.provider, item.model)
    return targets, lookups


def _target(
    item: _Target,
    row: ProviderRow,
    rules: SensitivityRules,
    path: str,
    api_key: str,
    auth: Auth | None = None,
) -> Target:
    parameters = {**row.parameters, **item.parameters}
    if missing := row.missing(parameters):
        what = "that" if len(missing) == 1 else f"one of {', '.join(missing)}"
        raise ConfigError(f"{path}.parameters.{missing[0]} is missing; provider {item.provider!r} needs {what}")
    premises = item.premises or row.premises
    check_name(item.name, f"{path}.name")
    default_clearance = rules.lattice.names[-1] if premises == "own" else rules.lattice.names[rules.default]
    price = None
    price_help = (
        f'write `price = {{ currency = "USD", input = ..., output = ... }}` or "free" under {path} ({item.name})'
    )
    if item.price is not None:
        price = parse_price(item.price, f"{path}.price")
    return Target(
        name=item.name,
        provider=item.provider,
        codec=row.codec,
        model=item.model,
        base_url=_base_url(item.base_url or row.base_url, premises, path),
        premises=premises,
        clearance=_level(rules.lattice, item.clearance or default_clearance, f"{path}.clearance"),
        jurisdiction=item.jurisdiction or row.jurisdiction,
        retains_data=premises == "vendor" if item.retains_data is None else item.retains_data,
        trains_on_data=item.trains_on_data,
        answer_use=read_answer_use(item.answer_use, premises, path),
        takes_masked=item.masking,
        price=price,
        price_help=price_help,
        marginal=read_marginal(item.marginal_cost, f"{path}.marginal_cost"),
        price_factors=_factors(item, row, path),
        api_key=api_key,
        auth=auth,
        parameters=parameters,
        also_speaks=_also_speaks(item, row, path),
        serves=_serves(item, row, path),
        features=row.features - frozenset(item.lacks),
        context_tokens=item.context_tokens,
        max_output_tokens=item.max_output_tokens,
        max_concurrency=item.max_concurrency,
        max_queue=item.max_queue,
        weight=item.weight,
        timeouts=_timeouts(item.timeouts, f"{path}.timeouts"),
        quirks=_quirks(row.quirks, item.quirks, path),
        is_simulated=row.codec == "scripted",
    )


def _factors(item: _Target, row: ProviderRow, path: str) -> dict[PriceTerm, Fraction]:
    """Those of the row, as far as the operator says no other."""
    said = {} if item.price_factors is None else parse_factors(item.price_factors, f"{path}.price_factors")
    return parse_factors(row.price_factors, f"{item.provider}.price_factors") | said


def _timeouts(table: Mapping[str, float], path: str) -> Timeouts:
    refuse_unknown(table, Timeouts, path)
    for key, value in table.items():
        if not 0 < value <= _LONGEST_S:
            raise ConfigError(f"{path}.{key}: seconds above zero and up to {_LONGEST_S}, not {value}")
    return Timeouts(**table)


def _quirks(row: Quirks, overrides: Mapping[str, Any], path: str) -> Quirks:
    if not overrides:
        return row
    refuse_unknown(overrides, Quirks, f"{path}.quirks")
    return convert({**msgspec.to_builtins(row), **overrides}, Quirks, f"{path}.quirks")


def _secret(item: _Target, row: ProviderRow, environ: Mapping[str, str], path: str, warnings: list[str]) -> str:
    if item.api_key is None:
        return environ.get(row.key_env, "") if row.key_env else ""
    found, unset = read_reference(item.api_key, environ, f"{path}.api_key")
    if unset:
        warnings.append(f"{path}.api_key: the environment variable {unset} is not set; {item.name} will refuse us")
    return found


def _serves(item: _Target, row: ProviderRow, path: str) -> frozenset[Operation]:
    if item.serves is None:
        return row.serves
    can = sayable(find_codecs(), row.codec)
    if unsaid := sorted(frozenset(item.serves) - can):
        raise ConfigError(
            f"{path}.serves: provider {item.provider!r} cannot be asked for {', '.join(unsaid)} here, only for "
            f"{', '.join(sorted(can))}; give the model a target of another provider"
        )
    return frozenset(item.serves)


def _also_speaks(item: _Target, row: ProviderRow, path: str) -> tuple[str, ...]:
    if item.also_speaks is None:
        return row.also_speaks
    chats = {name for name, codec in find_codecs().items() if codec.operation == "chat"}
    for name in item.also_speaks:
        if name not in chats:
            raise ConfigError(f"{path}.also_speaks: {name!r} is no codec for chat{near(name, chats)}")
    return tuple(item.also_speaks)


def _base_url(url: str, premises: Premises, path: str) -> str:
    if not url:
        if path.startswith("targets"):
            return ""  # scripted and embedded targets have no address; codecs that need one say so
        raise ConfigError(f"{path}.base_url is missing")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ConfigError(f"{path}.base_url: {url!r} is not an http(s) address without user and query")
    if parts.scheme == "http" and premises == "vendor" and parts.hostname not in LOOPBACK:
        raise ConfigError(f"{path}.base_url: a vendor is reached over https only, not {url!r}")
    return url.rstrip("/")


def _models(
    tables: Sequence[Mapping[str, Any]], targets: set[str], masked_kinds: Collection[str], lattice: Lattice
) -> tuple[VirtualModel, ...]:
    models: list[VirtualModel] = []
    policies = policy_names()
    for position, table in enumerate(tables):
        path = f"models[{position}]"
        item = convert(table, _Model, path)
        check_name(item.name, f"{path}.name")
        if item.policy not in policies:
            raise ConfigError(f"{path}.policy: {item.policy!r} is unknown{near(item.policy, policies)}")
        for candidate in (*item.candidates, *item.weights):
            if candidate not in targets:
                raise ConfigError(f"{path}.candidates: no target is named {candidate!r}{near(candidate, targets)}")
        if not item.candidates:
            raise ConfigError(f"{path}.candidates: name at least one target")
        if item.name in targets:
            raise ConfigError(f"{path}.name: {item.name!r} is a target's name already")
        models.append(
            VirtualModel(
                name=item.name,
                candidates=tuple(item.candidates),
                policy=item.policy,
                may_fall_back=item.fallback,
                weights=dict(item.weights),
                masked_kinds=read_model_kinds(item.masking, item.masked_kinds, masked_kinds, path),
                burst_queue=read_burst(item.burst, f"{path}.burst"),
                reference=item.reference,
                demand=read_demand(item.policy, item.router, item.router_sha256, item.guarantee, item.cascade, path),
                watch=read_watch(item.watch, lattice, f"{path}.watch"),
                shadow=read_shadow(item.shadow, lattice, f"{path}.shadow"),
                trials=read_trials(item.trials, item.name, item.policy, item.fallback, targets, path),
            )
        )
    _refuse_duplicates([model.name for model in models], "models")
    return tuple(models)


def _embedded_target(embedded: EmbeddedConfig, rules: SensitivityRules) -> Target:
    row = load_rows()[EMBEDDED_PROVIDER]
    clearance = embedded.clearance or rules.lattice.names[-1]
    return Target(
        name=f"own/{embedded.model}",
        provider=EMBEDDED_PROVIDER,
        codec=row.codec,
        model=embedded.model,
        base_url="",
        premises="own",
        clearance=_level(rules.lattice, clearance, "embedded.clearance"),
        jurisdiction="",
        answer_use="train",
        price=FREE,
        features=row.features - {"tools", "images", "audio", "files", "web_search"},
        context_tokens=embedded.context_tokens,
        max_concurrency=embedded.parallel,
        max_queue=embedded.max_queue,
        quirks=row.quirks,
        engine=embedded.model,
    )


def _vendors_with_keys(
    rules: SensitivityRules, environ: Mapping[str, str]
) -> tuple[list[Target], dict[str, tuple[str, str]]]:
    """Without a configuration file: every vendor whose usual key variable is set."""
    targets: list[Target] = []
    lookups: dict[str, tuple[str, str]] = {}
    for provider, row in load_rows().items():
        api_key = environ.get(row.key_env, "") if row.key_env else ""
        if not api_key or not row.base_url or row.premises != "vendor" or row.missing(row.parameters):
            continue
        for model in row.models:
            item = _Target(name=f"{provider}/{model}", provider=provider, model=model)
            target = _target(item, row, rules, f"targets.{provider}", api_key)
            targets.append(replace(target, price_help=_help_without_a_file(item)))
            lookups[item.name] = (row.price_provider or provider, model)
    return targets, lookups


def _help_without_a_file(item: _Target) -> str:
    return (
        f"write a yuzui.toml (`yuzui init`) with a [[targets]] block for provider {item.provider!r}, model "
        f'{item.model!r} and `price = {{ currency = "USD", input = ..., output = ... }}`, or `price = "free"`'
    )


# ---- small checks ---------------------------------------------------------------------------------------------------


def _level(lattice: Lattice, name: str, path: str) -> int:
    try:
        return lattice.level(name)
    except KeyError as error:
        raise ConfigError(
            f"{path}: {name!r} is no sensitivity level; the levels are {', '.join(lattice.names)}"
        ) from error


def _refuse_duplicates(names: Sequence[str], path: str) -> None:
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ConfigError(f"{path}[{position}].name: {name!r} is used twice")


# ---- wire structs: what may stand in the file -----------------------------------------------------------------------


_LONGEST_S = 86_400  # a day: beyond it somebody meant milliseconds
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _File(_Table, frozen=True):
    server: dict[str, Any] = {}
    targets: list[dict[str, Any]] = []
    models: list[dict[str, Any]] = []
    sensitivity: dict[str, Any] = {}
    embedded: dict[str, Any] | None = None
    money: dict[str, Any] = {}
    audit: dict[str, Any] = {}
    stored_responses: dict[str, Any] = {}
    masking: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    capture: dict[str, Any] = {}
    trials: dict[str, Any] = {}


class _Server(_Table, frozen=True):
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8080
    max_body_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**32)] = 32 * 1024 * 1024
    drain_timeout_s: Annotated[float, msgspec.Meta(ge=0, le=_LONGEST_S)] = 30.0
    heartbeat_s: Annotated[float, msgspec.Meta(ge=0.1, le=_LONGEST_S)] = 10.0  # 0 would beat without a pause


class _Target(_Table, frozen=True):
    name: str
    provider: str
    model: str
    base_url: str = ""
    api_key: dict[str, str] | str | None = None
    premises: Premises | None = None
    clearance: str = ""
    jurisdiction: str = ""
    retains_data: bool | None = None
    trains_on_data: bool = False
    answer_use: str = ""
    masking: bool = True
    price: dict[str, Any] | str | None = None
    marginal_cost: dict[str, Any] | None = None
    price_factors: Any = None  # Any: read by `parse_factors`, which knows better words for what is wrong
    lacks: list[Feature] = []
    serves: list[Operation] | None = None
    also_speaks: list[str] | None = None
    parameters: dict[str, str] = {}
    auth: dict[str, Any] | None = None
    context_tokens: _Count = 0
    max_output_tokens: _Count = 0
    max_concurrency: _Count = 0
    max_queue: _Count = 0
    weight: _Count = 1
    timeouts: dict[str, float] = {}
    quirks: dict[str, Any] = {}


class _Model(_Table, frozen=True):
    name: str
    candidates: list[str]
    policy: str = "own_first"
    fallback: bool = True
    weights: dict[str, _Count] = {}
    masking: Switch = "on"
    masked_kinds: list[str] | None = None
    burst: dict[str, Any] | None = None
    reference: str = ""
    router: str = ""
    router_sha256: str = ""
    guarantee: dict[str, Any] | None = None
    cascade: dict[str, Any] | None = None
    watch: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None
    trials: list[dict[str, Any]] = []


class _Pattern(_Table, frozen=True):
    kind: str
    regex: str


class _Terms(_Table, frozen=True):
    kind: str
    terms: list[str]


class _Sensitivity(_Table, frozen=True):
    levels: tuple[str, ...] = DEFAULT_LEVELS
    default: str = ""
    unscannable: str = ""
    kinds: dict[str, str] = {}
    patterns: list[dict[str, Any]] = []
    terms: list[dict[str, Any]] = []
    documents: dict[str, Any] | None = None
    names: dict[str, Any] = {}
    declassifiers: list[str] = []
    judge: dict[str, Any] | None = None


class _Embedded(_Table, frozen=True):
    enabled: bool = True
    model: str = "smollm2-135m"
    clearance: str = ""
    threads: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 0
    context_tokens: Annotated[int, msgspec.Meta(ge=256, le=2**24)] = 4096
    parallel: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 4
    max_queue: _Count = 64


class _StoredResponses(_Table, frozen=True):
    retention_days: Annotated[float, msgspec.Meta(ge=0, le=3650)] = 30.0


class _Money(_Table, frozen=True):
    currency: str = "USD"
    rates: dict[str, float | str | int] = {}


class _Audit(_Table, frozen=True):
    origin: str = "yuzui.local/audit"
    publish_interval_s: Annotated[float, msgspec.Meta(ge=0.05, le=3600)] = 1.0


_DEFAULTS = ""
