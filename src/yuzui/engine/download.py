"""One file from one address, resumable, hashed while it is written. HTTP(S) and file: addresses."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

import msgspec
from pyreqwest.client import SyncClient, SyncClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.response import SyncResponse

from yuzui.engine.faults import SourceFault, WrongContent

Progress = Callable[[str, int, int], None]
"""Called with what is done ("fetch", "unpack"), bytes done and bytes in all (0: unknown)."""

_READ_BYTES: Final = 1024 * 1024
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the file must be. A hash is compared when all is there; a size bounds what is read at all."""

    sha256: str = ""
    size_bytes: int = 0
    most_bytes: int = 64 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """How often a cut transfer is taken up again, and the waits between, in seconds."""

    count: int = 5
    first_wait_s: float = 0.5
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Fetched:
    sha256: str
    size_bytes: int


class _Validator(msgspec.Struct, frozen=True):
    """Lies beside a partial file: which bytes it is the beginning of."""

    url: str
    etag: str


class _Cut(Exception):
    """The transfer stopped early; what came is on the disk."""


@dataclass(slots=True)
class _Writer:
    """The partial file and the hash of all that is in it."""

    path: Path
    expected: Expected
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def take_up(self) -> None:
        """Hash what an earlier attempt left."""
        if self.path.exists():
            with self.path.open("rb") as file:
                while block := file.read(_READ_BYTES):
                    self.digest.update(block)
                    self.size += len(block)

    def start_over(self) -> None:
        self.path.unlink(missing_ok=True)
        self.size = 0
        self.digest = hashlib.sha256()

    def append(self, blocks: Iterator[bytes], progress: Progress, total: int) -> None:
        limit = self.expected.size_bytes or self.expected.most_bytes
        with self.path.open("ab") as file:
            for block in blocks:
                if self.size + len(block) > limit:
                    raise WrongContent(f"more than the expected {limit:,} bytes came")
                file.write(block)
                self.digest.update(block)
                self.size += len(block)
                progress("fetch", self.size, self.expected.size_bytes or total)


def fetch(
    client: SyncClient,
    url: str,
    part: Path,
    *,
    expected: Expected,
    progress: Progress,
    token: str = "",
    attempts: Attempts = Attempts(),
) -> Fetched:
    """Bring `url` into `part`, going on from what is there; return its hash and size.

    Raise `SourceFault` when the source gives up (the part stays for next time) and `WrongContent` when the bytes are
    wrong (the part is removed). `url` may carry credentials; messages do not.
    """
    writer = _Writer(part, expected)
    try:
        if urlsplit(url).scheme == "file":
            _copy_local(url, writer, progress)
        else:
            _fetch_http(client, url, writer, progress, token, attempts)
        if expected.size_bytes and writer.size != expected.size_bytes:
            raise WrongContent(f"{writer.size:,} bytes came instead of {expected.size_bytes:,}")
        found = writer.digest.hexdigest()
        if expected.sha256 and found != expected.sha256:
            raise WrongContent(f"its sha256 is {found[:12]}…, expected {expected.sha256[:12]}…")
    except WrongContent as error:
        forget(part)
        raise WrongContent(f"{redacted(url)}: {error}") from None
    _beside(part).unlink(missing_ok=True)
    return Fetched(found, writer.size)


def forget(part: Path) -> None:
    """Remove a partial file and what is known about it."""
    part.unlink(missing_ok=True)
    _beside(part).unlink(missing_ok=True)


def redacted(url: str) -> str:
    """`url` without user, password and query: fit for messages and records."""
    place = urlsplit(url)
    host = place.hostname or ""
    if place.port:
        host = f"{host}:{place.port}"
    return urlunsplit((place.scheme, host, place.path, "", ""))


def build_client(*, certificates: Path | None = None, trusts_any: bool = False, follow: bool = True) -> SyncClient:
    """A client for large files: no total deadline, but every silence is bounded. Proxies come from the environment.

    `certificates`: a PEM bundle to trust besides the system's.
    """
    builder = (
        SyncClientBuilder()
        .connect_timeout(timedelta(seconds=15))
        .read_timeout(timedelta(seconds=60))
        .follow_redirects(follow)
        .gzip(False).brotli(False).zstd(False).deflate(False)  # a range of a compressed answer would be nonsense
        .user_agent("yuzui")
    )  # fmt: skip
    if trusts_any:
        builder = builder.danger_accept_invalid_certs(True)
    if certificates is not None:
        try:
            bundle = certificates.read_bytes()
        except OSError as error:
            raise SourceFault(f"the certificates of the index settings cannot be read: {error}") from None
        for certificate in _CERTIFICATE.findall(bundle):
            builder = builder.add_root_certificate_pem(certificate)
    return builder.build()


def _copy_local(url: str, writer: _Writer, progress: Progress) -> None:
    source = Path(url2pathname(urlsplit(url).path))
    writer.start_over()
    try:
        total = source.stat().st_size
        with source.open("rb") as file:
            writer.append(iter(lambda: file.read(_READ_BYTES), b""), progress, total)
    except OSError as error:
        raise SourceFault(f"{source}: {error.strerror or error}") from None


def _fetch_http(
    client: SyncClient, url: str, writer: _Writer, progress: Progress, token: str, attempts: Attempts
) -> None:
    writer.take_up()
    if not _may_go_on(url, writer):
        writer.start_over()
    for attempt in range(attempts.count):
        try:
            _one_transfer(client, url, writer, progress, token)
            return
        except (PyreqwestError, _Cut) as error:
            if attempt + 1 == attempts.count:
                raise SourceFault(
                    f"{redacted(url)}: {_short(error)} ({writer.size:,} bytes are kept for the next attempt)"
                ) from None
            attempts.sleep(attempts.first_wait_s * 2**attempt)
            if not _may_go_on(url, writer):
                writer.start_over()


def _may_go_on(url: str, writer: _Writer) -> bool:
    """With a hash to hold it against, the beginning may come from anywhere; else only from the very same version."""
    if writer.size == 0:
        return True
    return bool(writer.expected.sha256) or bool(_known_etag(url, writer))


def _known_etag(url: str, writer: _Writer) -> str:
    try:
        known = msgspec.json.decode(_beside(writer.path).read_bytes(), type=_Validator)
    except (FileNotFoundError, msgspec.DecodeError):
        return ""
    return known.etag if known.url == redacted(url) else ""


def _one_transfer(client: SyncClient, url: str, writer: _Writer, progress: Progress, token: str) -> None:
    if writer.expected.size_bytes and writer.size == writer.expected.size_bytes:
        return  # all there already: only the end of an earlier run was missing
    request = client.get(url).streamed_read_buffer_limit(0)
    if token:
        request = request.bearer_auth(token)
    if writer.size:
        request = request.header("Range", f"bytes={writer.size}-")
        if etag := _known_etag(url, writer):
            request = request.header("If-Range", etag)
    with request.build_streamed() as response:
        total = _prepare(response, url, writer)
        if total is None:
            return
        writer.append(_blocks(response), progress, total)
        if total and writer.size < total:
            raise _Cut("the connection was cut")


def _prepare(response: SyncResponse, url: str, writer: _Writer) -> int | None:
    """Check the answer's head; bytes in all (0: unknown), or None when nothing is left to read."""
    status = response.status
    if status == 206:
        place = _CONTENT_RANGE.fullmatch(response.get_header("content-range") or "")
        if place is None or int(place[1]) != writer.size:
            writer.start_over()
            raise _Cut("the server continued at another place than asked")
        return 0 if place[3] == "*" else int(place[3])
    if status == 416 and writer.size:  # nothing behind what is there, or a stale part: the hash tells
        if writer.expected.sha256 and writer.digest.hexdigest() == writer.expected.sha256:
            return None
        writer.start_over()
        raise _Cut("the partial file did not fit")
    if status >= 500 or status in (408, 429):
        raise _Cut(f"HTTP status {status}")
    if status != 200:
        raise SourceFault(f"{redacted(url)}: HTTP status {status}")
    writer.start_over()
    etag = response.get_header("etag") or ""
    if etag and not etag.startswith("W/"):
        _beside(writer.path).write_bytes(msgspec.json.encode(_Validator(redacted(url), etag)))
    length = response.get_header("content-length") or ""
    return int(length) if length.isdigit() else 0


def _blocks(response: SyncResponse) -> Iterator[bytes]:
    reader = response.body_reader
    while (chunk := reader.read_chunk()) is not None:
        yield bytes(chunk)


def _beside(part: Path) -> Path:
    return part.with_name(part.name + ".from")


def _short(error: Exception) -> str:
    """What happened, without the address (it may carry credentials)."""
    return str(error) if isinstance(error, _Cut) else f"{type(error).__name__}"
