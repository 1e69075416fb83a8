"""CPU per kilobyte of folding and patterns (T0 and T1), beside Python's `re` with the same patterns in the same run.

And of a long prompt with names (T2): all of it new, and as a turn of a conversation of which all is known.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from privacy_bench.corpora import load
from privacy_bench.detection import Names, Yuzui
from yuzui.core.sensitivity import NameRules
from yuzui.io.names import NameSearch
from yuzui.privacy.catalogue import load_detectors
from yuzui.privacy.ner.cache import SpanCache
from yuzui.privacy.ner.spans import NameSpan
from yuzui.privacy.numbers import CLUSTER_REGEX

DOCUMENT = 4096  # bytes
DOCUMENTS = 60
PROMPT = 32 * 1024  # bytes
PROMPTS = 24
TURNS = 200
ENGLISH = ("wikigold", "wnut17", "tab")
CHINESE = ("peoples_daily", "msra", "cluener")
ROUNDS = 5


def run_speed(detection: Yuzui) -> dict[str, dict[str, Any]]:  # Any: JSON
    """Per language: µs of CPU per KB, of ours and of `re`, and the ratio."""
    expressions = [
        re.compile(("(?i)" if pattern.ignore_case else "") + pattern.regex, re.MULTILINE)
        for pattern in dict.fromkeys(pattern for detector in load_detectors().values() for pattern in detector.patterns)
    ]
    expressions.append(re.compile(CLUSTER_REGEX))
    result = {}
    for language, corpora in (("english", ENGLISH), ("chinese", CHINESE)):
        texts = documents(corpora)
        size_kb = sum(len(text.encode()) for text in texts) / 1024
        ours_us = _cpu_us(lambda texts=texts: [detection.scanner.scan_text(text) for text in texts], ROUNDS) / size_kb
        sample = texts[:6]  # `re` is slow, and its cost per KB does not depend on how much there is
        sample_kb = sum(len(text.encode()) for text in sample) / 1024
        re_us = _cpu_us(lambda sample=sample: _search_all(expressions, sample), 2) / sample_kb
        result[language] = {
            "us_per_kb": round(ours_us, 1),
            "re_us_per_kb": round(re_us, 1),
            "ratio": round(ours_us / re_us, 4),
            "patterns": len(expressions),
        }
    return result


def run_names_speed(names: Names) -> dict[str, dict[str, float]]:
    """Per language: milliseconds of CPU for 32 KB. `new`: patterns and names; `known`: what names cost once known."""
    return asyncio.run(_names_speed(names))


async def _names_speed(names: Names) -> dict[str, dict[str, float]]:
    scanner, rules = Yuzui().scanner, NameRules()
    result = {}
    for language, corpora in (("english", ENGLISH), ("chinese", CHINESE)):
        prompts = documents(corpora, PROMPT, PROMPTS)
        search = NameSearch(_Here(names), cache=SpanCache(os.urandom(16), max_bytes=64 << 20))
        new_ms, known_ms = [], []
        for turn in range(len(prompts) + TURNS):
            body = {"model": "m", "messages": [{"role": "user", "content": prompts[turn % len(prompts)]}]}
            is_new = turn < len(prompts)
            before = time.process_time()
            if is_new:
                scanner.scan(body)
            found = await search.find(body, rules)
            (new_ms if is_new else known_ms).append((time.process_time() - before) * 1e3)
            if found.failures:
                raise RuntimeError(f"names were not searched: {found.failures}")
            await asyncio.sleep(0)  # what was found is remembered now
        result[language] = {
            "prompts": len(prompts),
            "new_p50_ms": round(_quantile(new_ms, 0.5), 1),
            "new_p99_ms": round(_quantile(new_ms, 0.99), 1),
            "known_p50_ms": round(_quantile(known_ms, 0.5), 2),
            "known_p99_ms": round(_quantile(known_ms, 0.99), 2),
        }
    return result


class _Here:
    """The worker's work without its process, so that its CPU is counted as well."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def ask(self, texts: Sequence[str]) -> asyncio.Future[list[list[NameSpan]]]:
        answer: asyncio.Future[list[list[NameSpan]]] = asyncio.get_running_loop().create_future()
        answer.set_result([list(self._names(text)) for text in texts])
        return answer


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def documents(corpora: tuple[str, ...], size: int = DOCUMENT, count: int = DOCUMENTS) -> list[str]:
    """At most `count` texts of about `size` bytes each, taken from the corpora in turn."""
    found: list[str] = []
    for name in corpora:
        piece: list[str] = []
        filled = taken = 0
        for row in load(name):
            for line in row.text.split("\n"):
                piece.append(line)
                filled += len(line.encode()) + 1
                if filled >= size:
                    found.append("\n".join(piece))
                    piece, filled, taken = [], 0, taken + 1
            if taken >= count // len(corpora):
                break
    return found


def _search_all(expressions: list[re.Pattern[str]], texts: list[str]) -> None:
    for text in texts:
        for expression in expressions:
            for _ in expression.finditer(text):
                pass


def _cpu_us(work: Callable[[], object], rounds: int) -> float:
    """The least of several rounds: others share the machine."""
    work()
    best = float("inf")
    for _ in range(rounds):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return best * 1e6
