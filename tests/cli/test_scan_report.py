from __future__ import annotations

from collections import Counter

import pytest

from yuzui.cli._scan_report import Summary, masked, spell


@pytest.mark.parametrize(
    ("value", "shown"), [("", ""), ("hunter2", "•••••••"), ("13800138000", "13•••••••00"), ("a@b.com,", "a@••••m,")]
)
def test_a_masked_value_shows_its_ends_only_if_it_is_long(value: str, shown: str) -> None:
    assert masked(value) == shown


def test_the_summary_counts_everything_that_was_met() -> None:
    clean = Summary(files=1, size_bytes=12)
    assert spell(clean) == "0 findings in 1 file (0.0 MB)"
    full = Summary(files=1400, files_with_findings=2, findings=3, size_bytes=4_200_000, unreadable=5,
                   skipped=Counter({"symbolic link": 1, "version control": 1}))  # fmt: skip
    assert spell(full) == (
        "3 findings in 2 of 1,400 files (4.2 MB), 5 not readable, 2 skipped (1 symbolic link, 1 version control)"
    )
