"""A page as Markdown, for pull requests. Names that clients or operators chose cannot break out of their cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import assert_never

from yuzui.backtest.document import Block, Grid, Heading, Sentence

_MEANS_SOMETHING = re.compile(r"([\\`*_{}\[\]<>#|!~&])")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")


def write_markdown(blocks: Sequence[Block]) -> str:
    parts: list[str] = []
    for block in blocks:
        match block:
            case Heading():
                parts.append(f"{'#' * block.level} {escaped(block.text)}")
            case Sentence():
                parts.append(escaped(block.text))
            case Grid():
                parts.append(_table(block))
            case _:
                assert_never(block)
    return "\n\n".join(parts) + "\n"


def _table(grid: Grid) -> str:
    lines = [_row(grid.columns)]
    lines.append("|" + "|".join("---:" if at in grid.right else "---" for at in range(len(grid.columns))) + "|")
    lines += [_row(row) for row in grid.rows]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def escaped(text: str) -> str:
    return _MEANS_SOMETHING.sub(r"\\\1", _BREAKS.sub(" ", text))
