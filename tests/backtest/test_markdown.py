from __future__ import annotations

import pytest

from yuzui.backtest.document import Block, Grid, Heading, Sentence
from yuzui.backtest.markdown import escaped, write_markdown


def test_a_page_is_headings_sentences_and_tables() -> None:
    blocks: list[Block] = [Heading("T", 1), Sentence("s."), Grid(("a", "b"), (("x", "1"),), frozenset((1,)))]
    assert write_markdown(blocks) == "# T\n\ns.\n\n| a | b |\n|---|---:|\n| x | 1 |\n"


@pytest.mark.parametrize(
    ("text", "safe"),
    [("a|b", "a\\|b"), ("<img>", "\\<img\\>"), ("[x](y)", "\\[x\\](y)"), ("a\n\n# b", "a \\# b"), ("\x1b[1m", " \\[1m"),
     ("house/qwen", "house/qwen")],
)  # fmt: skip
def test_names_cannot_leave_their_cell(text: str, safe: str) -> None:
    assert escaped(text) == safe
