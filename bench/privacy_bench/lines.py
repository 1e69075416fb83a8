"""Lines of repositories: those that hold a secret and those that only look so; and clean source in chunks of 1 KB."""

from __future__ import annotations

import hashlib
import sysconfig
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from privacy_bench.corpora import Span, load
from privacy_bench.detection import Detection

SECRETS = frozenset(
    [
        "api_key",
        "private_key",
        "jwt",
        "password",
        "url_credentials",
        "connection_string",
        "authorization",
        "uuid",
        "crypto_wallet",
    ]
)
CHUNK = 1024  # characters
CHUNKS = 400  # from the standard library, and as many from installed packages
_URLS = frozenset(("url", "URL", "DOMAIN_NAME"))


@dataclass(slots=True)
class Lines:
    secret: int = 0
    found: int = 0
    innocent: int = 0
    flagged: int = 0
    secret_by_category: Counter[str] = field(default_factory=Counter)
    found_by_category: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {
            "recall": round(self.found / max(1, self.secret), 4),
            "false_lines": round(self.flagged / max(1, self.innocent), 4),
            "secret": self.secret,
            "innocent": self.innocent,
            "recall_by_category": {
                name: [self.found_by_category[name], count] for name, count in self.secret_by_category.most_common()
            },
        }


def run_creddata(detection: Detection, kinds: frozenset[str] = SECRETS) -> Lines:
    """A secret counts as found when a finding of `kinds` overlaps it; any such finding flags an innocent line."""
    return _run(
        detection,
        kinds,
        [
            (row.text, row.spans, row.facts["truth"] == "T", row.facts["category"])
            for row in load("creddata_subset__lines")
        ],
    )


def run_gitleaks(detection: Detection, kinds: frozenset[str] = SECRETS) -> Lines:
    return _run(
        detection,
        kinds,
        [
            (row.text, row.spans, bool(row.facts["valid"]), row.facts["rule_file"])
            for row in load("gitleaks_rules__tps_fps")
        ],
    )


def _run(detection: Detection, kinds: frozenset[str], lines: list[tuple[str, tuple[Span, ...], bool, str]]) -> Lines:
    result = Lines()
    for (text, spans, is_secret, category), found in zip(
        lines, detection.spans([line[0] for line in lines]), strict=True
    ):
        secrets = [one for one in found if one.type in kinds]
        if is_secret:
            is_found = any(not spans or any(_overlap(one, span) for span in spans) for one in secrets)
            result.secret += 1
            result.found += is_found
            result.secret_by_category[category] += 1
            result.found_by_category[category] += is_found
            if not is_found:
                result.misses.append(f"{category}: {text[:200]}")
        else:
            result.innocent += 1
            result.flagged += bool(secrets)
            if secrets:
                result.extras.append(
                    f"{category}: {[(one.type, text[one.start : one.end]) for one in secrets]} {text[:160]}"
                )
    return result


def _overlap(one: Span, other: Span) -> bool:
    return min(one.end, other.end) > max(one.start, other.start)


@dataclass(slots=True)
class Chunks:
    chunks: int = 0
    flagged: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    extras: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {"chunks": self.chunks, "flagged": self.flagged, "kinds": dict(self.kinds.most_common())}


def run_source(detection: Detection) -> Chunks:
    """Chunks in which anything but a URL was found."""
    result = Chunks()
    chunks = clean_chunks()
    for chunk, found in zip(chunks, detection.spans(chunks), strict=True):
        kinds = {one.type for one in found} - _URLS
        result.chunks += 1
        result.flagged += bool(kinds)
        result.kinds.update(kinds)
        result.extras += [f"{one.type}: {chunk[max(0, one.start - 30) : one.end + 10]!r}" for one in found]
    return result


def clean_chunks() -> list[str]:
    """The same for the same Python and packages: files in the order of their names' hashes, the middle of each."""
    library = Path(sysconfig.get_path("stdlib"))
    packages = Path(sysconfig.get_path("purelib"))
    return [*_chunks_of(library, packages), *_chunks_of(packages, None)]


def _chunks_of(root: Path, without: Path | None) -> list[str]:
    files = [
        path
        for path in root.rglob("*.py")
        if (without is None or not path.is_relative_to(without))
        and not {"test", "tests", "site-packages"} & set(path.relative_to(root).parts)
    ]
    files.sort(key=lambda path: hashlib.sha256(path.relative_to(root).as_posix().encode()).digest())
    chunks: list[str] = []
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        if len(text) < 2 * CHUNK:
            continue
        start = text.rfind("\n", 0, len(text) // 2) + 1
        chunks.append(text[start : start + CHUNK])
        if len(chunks) == CHUNKS:
            break
    return chunks
