"""yuzui.toml → frozen values. STUB while the stations are written: shapes only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from yuzui.core.sensitivity import SensitivityRules
from yuzui.core.target import Target, VirtualModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    host: str = "127.0.0.1"
    port: int = 8080
    max_body_bytes: int = 16 * 1024 * 1024
    drain_timeout_s: float = 30.0
    heartbeat_s: float = 10.0
    max_connections: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedConfig:
    enabled: bool = True
    model: str = "smollm2-135m"
    threads: int = 0
    """0: one less than the cores, at least one."""
    context_tokens: int = 8192
    parallel: int = 4
    """Slots that decode together; fairness, not throughput, on a small machine."""
    max_queue: int = 32


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
class Config:
    server: ServerConfig
    sensitivity: SensitivityRules
    targets: tuple[Target, ...]
    models: tuple[VirtualModel, ...]
    money: MoneyConfig
    embedded: EmbeddedConfig
    audit: AuditConfig
    source: Path | None
    """None: built-in defaults."""
    snapshot_id: str
    """Short hash of everything above: which configuration decided a request."""
