"""Addresses and announced hashes of the two model hubs, Hugging Face and ModelScope, and of mirrors of the former."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import msgspec
from pyreqwest.client import SyncClient
from pyreqwest.exceptions import PyreqwestError

from yuzui.engine.catalogue import HuggingFaceSource, ModelScopeSource
from yuzui.engine.download import redacted
from yuzui.engine.faults import SourceFault

HUGGING_FACE: Final = "https://huggingface.co"
MODELSCOPE: Final = "https://www.modelscope.cn"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What a source says about its own file. Worth less than a pinned hash: it shows damage, not a swapped file."""

    sha256: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hubs:
    """Endpoints without a trailing slash. `token` goes to the Hugging Face endpoint only, never to a mirror."""

    hugging_face: str = HUGGING_FACE
    modelscope: str = MODELSCOPE
    mirror: str = ""
    token: str = ""


def hubs_of(environ: Mapping[str, str] = os.environ, mirror: str = "") -> Hubs:
    """`HF_ENDPOINT`, `HF_TOKEN` and `MODELSCOPE_DOMAIN`, as the hubs' own tools read them."""
    domain = environ.get("MODELSCOPE_DOMAIN", "")
    return Hubs(
        hugging_face=environ.get("HF_ENDPOINT", "").rstrip("/") or HUGGING_FACE,
        modelscope=(domain if "://" in domain else f"https://{domain}").rstrip("/") if domain else MODELSCOPE,
        mirror=mirror.rstrip("/"),
        token=environ.get("HF_TOKEN", ""),
    )


def hugging_face_url(endpoint: str, source: HuggingFaceSource) -> str:
    return f"{endpoint}/{quote(source.repo)}/resolve/{quote(source.revision, safe='')}/{quote(source.file)}"


def modelscope_url(endpoint: str, source: ModelScopeSource) -> str:
    return f"{endpoint}/models/{quote(source.repo)}/resolve/{quote(source.revision, safe='')}/{quote(source.file)}"


def announced_by_hugging_face(client: SyncClient, url: str, token: str = "") -> Announced:
    """From the headers of the file's own address before its redirect: `X-Linked-ETag` is the sha256 of a large file.

    `client` must not follow redirects: the storage behind them knows other tags.
    """
    try:
        request = client.head(url)
        response = (request.bearer_auth(token) if token else request).build().send()
    except PyreqwestError as error:
        raise SourceFault(f"{redacted(url)}: {type(error).__name__}") from None
    if response.status >= 400:
        raise SourceFault(f"{redacted(url)}: HTTP status {response.status}")
    tag = (response.get_header("x-linked-etag") or "").removeprefix("W/").strip('"').lower()
    size = response.get_header("x-linked-size") or ""
    return Announced(sha256=tag if _SHA256.fullmatch(tag) else "", size_bytes=int(size) if size.isdigit() else 0)


class _File(msgspec.Struct, rename="pascal"):
    path: str
    size: int = 0
    sha256: str = ""


class _Files(msgspec.Struct, rename="pascal"):
    files: list[_File] = []


class _FileList(msgspec.Struct, rename="pascal"):
    data: _Files | None = None


def announced_by_modelscope(client: SyncClient, endpoint: str, source: ModelScopeSource) -> Announced:
    """From the repository's file list."""
    url = f"{endpoint}/api/v1/models/{quote(source.repo)}/repo/files"
    query = {"Revision": source.revision, "Recursive": "true"}
    try:
        response = client.get(url).query(query).build().send()
        body = bytes(response.bytes())
    except PyreqwestError as error:
        raise SourceFault(f"{url}: {type(error).__name__}") from None
    if response.status != 200:
        raise SourceFault(f"{url}: HTTP status {response.status}")
    try:
        listing = msgspec.json.decode(body, type=_FileList)
    except msgspec.DecodeError:
        raise SourceFault(f"{url}: the file list is not readable") from None
    for file in listing.data.files if listing.data else ():
        if file.path == source.file:
            sha256 = file.sha256.lower()
            return Announced(sha256=sha256 if _SHA256.fullmatch(sha256) else "", size_bytes=max(file.size, 0))
    raise SourceFault(f"{source.repo} on ModelScope has no file {source.file}")
