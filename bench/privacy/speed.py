"""CPU per kilobyte of folding and patterns (T0 and T1), beside Python's `re` with the same patterns in the same run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from privacy.corpora import load
from privacy.detection import Yuzui
from yuzui.privacy.catalogue import load_detectors
from yuzui.privacy.numbers import CLUSTER_REGEX

DOCUMENT = 4096  # bytes
DOCUMENTS = 60
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


def documents(corpora: tuple[str, ...]) -> list[str]:
    """Texts of about 4 KB each, taken from the corpora in turn."""
    found: list[str] = []
    for name in corpora:
        piece: list[str] = []
        size = count = 0
        for row in load(name):
            for line in row.text.split("\n"):
                piece.append(line)
                size += len(line.encode()) + 1
                if size >= DOCUMENT:
                    found.append("\n".join(piece))
                    piece, size, count = [], 0, count + 1
            if count >= DOCUMENTS // len(corpora):
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
