"""Reports in two languages say the same, hold no script, and show what models wrote as text."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from string import Formatter

import pytest

from evaluation_kit import outcomes
from yuzui.economics.document import write_html, write_markdown
from yuzui.evaluation.examples import Example
from yuzui.evaluation.report import Report
from yuzui.evaluation.report_words import WORDS, Language, word
from yuzui.evaluation.summary import How, summarise


def report(language: Language = "en") -> Report:
    run = outcomes()
    examples = [replace_first(example.prompt) if place == 4 else example for place, example in enumerate(run.examples)]
    run = replace(run, examples=examples)
    summary = summarise(run, How(redraws=300), random.Random(0))
    return Report(summary, run.settings, language, parallel=4)


def replace_first(prompt: str) -> Example:
    return Example(prompt="<script>alert(1)</script> | " + prompt, id="e4", references=["right"], tags=["even"])


@pytest.mark.parametrize("name", WORDS)
def test_both_languages_have_the_same_blanks(name: str) -> None:
    blanks = [{blank for _, blank, _, _ in Formatter().parse(text) if blank is not None} for text in WORDS[name]]
    assert blanks[0] == blanks[1]
    assert all(WORDS[name])


def test_markdown_has_every_table() -> None:
    text = write_markdown(report().document())
    assert text.startswith("# Evaluation of support.jsonl")
    for heading in ("## All examples", "## Open against closed", "## Slice: even (20 examples)", "## Worst examples",
                    "## How the figures were made"):  # fmt: skip
        assert heading in text
    assert "| own/a | own (open) | 0.744 \\[" in text
    assert "&lt;script&gt;" in text and "<script>" not in text
    assert "SHA-256 " + "ab" * 32 in text and "seed 0" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_html_is_one_page_that_loads_and_runs_nothing(language: Language) -> None:
    page = write_html(report(language).document())
    assert ("<script" not in page and "default-src &#x27;none&#x27;" in page) or "default-src 'none'" in page
    assert page.count("<svg") == 2 and not re.search(r"(src|href)=", page)
    assert ("全部样例" in page) == (language == "zh") and f'lang="{language}"' in page


def test_an_unfinished_run_says_so() -> None:
    run = outcomes()
    run = replace(run, results={key: value for key, value in run.results.items() if key[0] < 39})
    summary = summarise(run, How(redraws=300), random.Random(0))
    lead = Report(summary, run.settings, "en", parallel=1).document().lead
    assert word("missing", "en", count=2) in lead
