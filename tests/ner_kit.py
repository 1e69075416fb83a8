"""What tests of names share: the misbehaving worker as a command, and a process over it."""

from __future__ import annotations

import sys
from pathlib import Path

from yuzui.io.ner_process import NerProcess, Patience

TESTS = Path(__file__).parent
QUICK = Patience(load_s=5, hang_s=0.4, stop_s=0.2, first_backoff_s=0.05, most_backoff_s=0.2, failures_until_failed=3)
BROKEN = (
    "dies", "hangs", "slow", "raises", "too few", "beyond the text", "unknown kind", "another number", "no frame",
    "half a frame",
)  # fmt: skip
"""Ways in which a worker that was ready fails whoever asks it."""


def fake_command(mode: str) -> tuple[str, ...]:
    return (sys.executable, str(TESTS / "ner_fake_worker.py"), mode)


def fake_process(mode: str, patience: Patience = QUICK) -> NerProcess:
    return NerProcess(command=fake_command(mode), patience=patience)
