"""Secrets of yuzui.toml: named by reference only, and resolved here, from the operator's file alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

import msgspec

from yuzui.config_checks import convert, near
from yuzui.core.errors import ConfigError
from yuzui.core.target import Auth, AuthKind

Need = Literal["secret", "secret or not", "text", "text or not"]

AUTH_FIELDS: Final[Mapping[str, Mapping[str, Need]]] = MappingProxyType(
    {
        "entra_id": {
            "tenant_id": "text",
            "client_id": "text",
            "client_secret": "secret",
            "scope": "text or not",
            "authority": "text or not",
        },
        "google_service_account": {"service_account": "secret", "scope": "text or not"},
        "ibm_iam": {"api_key": "secret", "url": "text or not"},
        "baidu_iam": {"access_key": "secret", "secret_key": "secret", "url": "text or not"},
        "aws_sigv4": {
            "access_key": "secret",
            "secret_key": "secret",
            "session_token": "secret or not",
            "region": "text",
            "service": "text or not",
        },
    }
)
"""What each kind of `targets.auth` takes; docs/reference/configuration.md says what it means."""


class _SecretReference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    env: str = ""
    file: str = ""


def read_reference(value: object, environ: Mapping[str, str], path: str) -> tuple[str, str]:
    """The secret, and the variable that was to hold it when that is empty. Raise `ConfigError` for anything else."""
    if isinstance(value, str):
        name = path.rpartition(".")[2]
        raise ConfigError(f'{path}: secrets stay out of this file; write {name} = {{ env = "NAME" }}')
    entry = convert(value, _SecretReference, path)
    if bool(entry.env) == bool(entry.file):
        raise ConfigError(f"{path}: name exactly one of `env` and `file`")
    if entry.file:
        try:
            return Path(entry.file).read_text("utf-8").strip(), ""
        except OSError as error:
            raise ConfigError(f"{path}.file: {entry.file} cannot be read: {error.strerror}") from error
    found = environ.get(entry.env, "")
    return found, "" if found else entry.env


def files_named(targets: object) -> tuple[Path, ...]:
    """Where secrets of the tables `targets` lie, in files of their own; absolute."""
    tables = [one for one in targets if isinstance(one, dict)] if isinstance(targets, list) else []
    auths = [one["auth"] for one in tables if isinstance(one.get("auth"), dict)]
    values = [one.get("api_key") for one in tables] + [value for auth in auths for value in auth.values()]
    files = [value["file"] for value in values if isinstance(value, dict) and isinstance(value.get("file"), str)]
    return tuple([Path(file).absolute() for file in dict.fromkeys(files)])


def read_auth(table: Mapping[str, object], environ: Mapping[str, str], path: str) -> tuple[Auth, list[str]]:
    """The table `targets.auth`, and warnings of variables that are not set.

    Texts stand as they are, secrets are references: `client_secret = { env = "NAME" }`.
    """
    settings = dict(table)
    kind = settings.pop("kind", None)
    fields = AUTH_FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise ConfigError(f"{path}.kind is one of {', '.join(sorted(AUTH_FIELDS))}")
    read: dict[str, str] = {}
    warnings: list[str] = []
    for name, value in settings.items():
        if name not in fields:
            raise ConfigError(f"{path}.{name}: unknown key{near(name, fields)}")
        read[name] = _read(value, fields[name], environ, f"{path}.{name}", warnings)
    for name, need in fields.items():
        if not need.endswith("or not") and (name not in read or (need == "text" and not read[name])):
            raise ConfigError(f"{path}.{name} is missing; kind {kind!r} needs it")
    # cast: `kind` is a key of the table, and those are what the Literal names
    return Auth(kind=cast(AuthKind, kind), settings=read), warnings


def _read(value: object, need: Need, environ: Mapping[str, str], path: str, warnings: list[str]) -> str:
    if need.startswith("secret"):
        found, unset = read_reference(value, environ, path)
        if unset:
            warnings.append(f"{path}: the environment variable {unset} is not set; the target cannot be reached")
        return found
    if not isinstance(value, str):
        raise ConfigError(f"{path}: write a text")
    return value
