"""Finds a wheel through the user's own package index settings, as pip and uv would; holds no index's address itself."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import msgspec
from pyreqwest.client import SyncClient
from pyreqwest.exceptions import PyreqwestError
from typing_extensions import override

from yuzui.engine.faults import SourceFault, WrongContent

_PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check")
_DEFAULT_IN_HELP: Final = re.compile(r"Base URL.*?\(default\s+(\S+?)\)", re.DOTALL)
_JSON: Final = "application/vnd.pypi.simple.v1+json"
_ACCEPT: Final = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_MOST_PAGE_BYTES: Final = 16 * 1024 * 1024


ClientFor = Callable[[str], SyncClient]
"""An address → the client to use for it: hosts that the user trusts without a certificate have one of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """Where the user lets packages come from. Addresses may carry credentials: never show them as they are."""

    indexes: tuple[str, ...]
    find_links: tuple[str, ...] = ()
    certificates: Path | None = None
    trusted_hosts: frozenset[str] = frozenset()
    """`host` or `host:port`, as in pip's `trusted-host`."""

    def trusts(self, url: str) -> bool:
        place = urlsplit(url)
        return place.hostname in self.trusted_hosts or f"{place.hostname}:{place.port}" in self.trusted_hosts


def read_index_settings(environ: Mapping[str, str] = os.environ) -> IndexSettings:
    """The settings of `UV_*` variables and of pip's files and variables; without any, pip's own default index."""
    pip = parse_pip_config(_pip_output("config", "list"))
    offline = pip.get("no-index", "").lower() in ("1", "true", "yes", "on")
    main = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or pip.get("index-url", "")
    if not main and not offline:
        main = parse_default_index(_pip_output("install", "--help"))
    extra = [
        *environ.get("UV_INDEX", "").split(),
        *environ.get("UV_EXTRA_INDEX_URL", "").split(),
        *pip.get("extra-index-url", "").split(),
    ]
    certificates = pip.get("cert") or environ.get("SSL_CERT_FILE") or environ.get("REQUESTS_CA_BUNDLE")
    return IndexSettings(
        # uv writes a named index as name=address
        indexes=() if offline else tuple(_after_name(url) for url in (main, *extra) if url),
        find_links=(*environ.get("UV_FIND_LINKS", "").split(), *pip.get("find-links", "").split()),
        certificates=Path(certificates) if certificates else None,
        trusted_hosts=frozenset(pip.get("trusted-host", "").split()),
    )


def parse_pip_config(text: str) -> dict[str, str]:
    """`pip config list` → setting without its section → value; what stands nearer to the user wins."""
    found: dict[str, tuple[int, str]] = {}
    ranks = {"global": 0, "install": 1, "download": 2, ":env:": 3}
    for line in text.splitlines():
        key, _, literal = line.partition("=")
        section, _, name = key.rpartition(".")
        if section not in ranks:
            continue
        try:
            value = str(ast.literal_eval(literal))
        except (ValueError, SyntaxError):
            continue  # a line that is no setting
        rank = ranks[section]
        if name not in found or rank >= found[name][0]:
            found[name] = (rank, value)
    return {name: value for name, (_, value) in found.items()}


def parse_default_index(help_text: str) -> str:
    """The default that pip's own help names; empty when it does not."""
    match = _DEFAULT_IN_HELP.search(help_text)
    return match[1] if match and match[1].startswith("http") else ""


def wheel_links(client_for: ClientFor, settings: IndexSettings, package: str, file: str) -> Iterator[str]:
    """Addresses under which `file` of `package` is offered, nearest first. Unreachable indexes are passed over; raise
    `SourceFault` at the end if nothing was found."""
    problems: list[str] = []
    found = False
    for place in (*settings.find_links, *(_project_page(index, package) for index in settings.indexes)):
        try:
            for link in _links_at(client_for, place):
                if unquote(urlsplit(link).path.rpartition("/")[2]) == file:
                    found = True
                    yield urldefrag(link).url
        except (OSError, PyreqwestError, SourceFault, WrongContent) as error:
            reason = str(error) if isinstance(error, SourceFault) else type(error).__name__
            problems.append(f"{urlsplit(place).hostname or 'local folder'}: {reason}")
    if not found:
        raise SourceFault(
            f"{file} is in none of the configured package indexes" + (f" ({'; '.join(problems)})" if problems else "")
        )


def download_with_pip(package: str, version: str, folder: Path, *, timeout_s: float = 1800.0) -> None:
    """Let pip itself fetch the wheel into `folder`: it knows keyrings and client certificates, but cannot resume."""
    command = [
        *_PIP,
        "download",
        "--quiet",
        "--no-deps",
        "--no-cache-dir",
        "--only-binary=:all:",
        "--dest",
        str(folder),
        f"{package}=={version}",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceFault(f"pip download did not finish: {type(error).__name__}") from None
    if done.returncode != 0:
        raise SourceFault(f"pip download ended with exit code {done.returncode}: {_last_error(done.stderr)}")


def _last_error(stderr: str) -> str:
    """pip's last error line, with what looks like an address taken out, as it may carry credentials."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    return re.sub(r"\S+://\S+", "…", lines[-1])[:200] if lines else "it said nothing"


def _pip_output(*arguments: str) -> str:
    """What pip prints, or nothing where there is no pip; wide, so that its help is not wrapped."""
    try:
        done = subprocess.run(
            [*_PIP, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "1000"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _after_name(url: str) -> str:
    name, separator, rest = url.partition("=")
    return rest if separator and re.fullmatch(r"[\w-]+", name) else url


def _project_page(index: str, package: str) -> str:
    return f"{index.rstrip('/')}/{re.sub(r'[-_.]+', '-', package).lower()}/"


def _links_at(client_for: ClientFor, place: str) -> list[str]:
    """Links on a page, or files in a folder (a path or a file: address)."""
    if urlsplit(place).scheme in ("http", "https"):
        return _links_on_page(client_for(place), place)
    folder = Path(url2pathname(urlsplit(place).path)) if place.startswith("file:") else Path(place).expanduser()
    folder = folder.resolve()
    if not folder.is_dir():
        return []
    page = folder / "index.html"
    if page.is_file():
        return parse_html_links(page.read_text("utf-8", errors="replace"), folder.as_uri() + "/")
    return [file.as_uri() for file in folder.iterdir() if file.is_file()]


def _links_on_page(client: SyncClient, page: str) -> list[str]:
    with client.get(page).header("Accept", _ACCEPT).build_streamed() as response:
        if response.status != 200:
            raise SourceFault(f"HTTP status {response.status}")
        body = bytearray()
        while (chunk := response.body_reader.read_chunk()) is not None:
            body += bytes(chunk)
            if len(body) > _MOST_PAGE_BYTES:
                raise SourceFault("its page is implausibly large")
        kind = response.get_header("content-type") or ""
    if kind.partition(";")[0].strip().endswith("json"):
        return parse_json_links(bytes(body), page)
    return parse_html_links(body.decode("utf-8", "replace"), page)


class _JsonFile(msgspec.Struct):
    url: str


class _JsonPage(msgspec.Struct):
    files: list[_JsonFile]


def parse_json_links(body: bytes, page: str) -> list[str]:
    """A project page in the JSON form of the simple API (PEP 691, https://peps.python.org/pep-0691/)."""
    try:
        return [urljoin(page, file.url) for file in msgspec.json.decode(body, type=_JsonPage).files]
    except msgspec.DecodeError:
        raise SourceFault("its page is not the JSON that it claims to be") from None


def parse_html_links(text: str, page: str) -> list[str]:
    """A project page in the HTML form (PEP 503, https://peps.python.org/pep-0503/), or any page with links."""
    parser = _Links()
    parser.feed(text)
    return [urljoin(page, link) for link in parser.links]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]
