"""A report as data, and how it is written: Markdown, or one HTML page that a strict content security policy takes.

The page loads nothing and runs nothing: one style block, named by its hash in the policy that the page itself carries,
and plots as inline SVG.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from yuzui.economics.figures import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    """Columns of numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    svg: str
    caption: str
    series: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = ()
    """What is drawn, as numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One line to be copied as it is."""

    text: str


Block = Paragraph | Table | Figure | Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    title: str
    language: str
    """As HTML names it: `en`, `zh`."""
    lead: str
    sections: tuple[Section, ...]


# ---- Markdown --------------------------------------------------------------------------------------------------------


def write_markdown(document: Document) -> str:
    """GitHub's Markdown. Plots are left out, with their captions: their numbers are in the tables and the JSON."""
    parts = [f"# {_plain(document.title)}", _plain(document.lead)]
    for section in document.sections:
        parts.append(f"## {_plain(section.heading)}")
        for block in section.blocks:
            match block:
                case Paragraph():
                    parts.append(_plain(block.text))
                case Table():
                    parts.append(_markdown_table(block))
                case Code():
                    parts.append(f"```\n{plain(block.text)}\n```")
                case Figure():
                    pass
                case _:
                    assert_never(block)
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: Table) -> str:
    rule = ["---:" if column in table.right else "---" for column in range(len(table.columns))]
    rows = [table.columns, tuple(rule), *table.rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """Without HTML and without what Markdown would read as markup."""
    text = html.escape(plain(text), quote=False)
    return "".join("\\" + char if char in "\\`*[]_" else char for char in text)


# ---- HTML ------------------------------------------------------------------------------------------------------------

STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#18181b;"
    "background:#fff}"
    "table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}"
    "th,td{border-bottom:1px solid #d4d4d8;padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    "figure{margin:1.5rem 0}svg{width:100%;height:auto}figcaption{font-size:.9rem;color:#52525b}"
    "h2{margin-top:2.5rem}.wide,pre{overflow-x:auto}"
    "@media print{body{max-width:none}h2{break-after:avoid}figure,tr{break-inside:avoid}}"
)


def policy() -> str:
    """The content security policy of the page: nothing but its own style block."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def write_html(document: Document) -> str:
    parts = [
        "<!doctype html>",
        f'<html lang="{html.escape(document.language)}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy())}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{_shown(document.title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{_shown(document.title)}</h1><p>{_shown(document.lead)}</p>",
    ]
    for section in document.sections:
        parts.append(f"<h2>{_shown(section.heading)}</h2>")
        parts += [_html_block(block) for block in section.blocks]
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _shown(text: str) -> str:
    return html.escape(plain(text))


def _html_block(block: Block) -> str:
    match block:
        case Paragraph():
            return f"<p>{_shown(block.text)}</p>"
        case Table():
            head = _html_row(block.columns, block.right, "th")
            rows = "".join([_html_row(row, block.right, "td") for row in block.rows])
            return f'<div class="wide"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
        case Code():
            return f"<pre><code>{_shown(block.text)}</code></pre>"
        case Figure():
            return f"<figure>{block.svg}<figcaption>{_shown(block.caption)}</figcaption></figure>"
        case _:
            assert_never(block)


def _html_row(cells: Sequence[str], right: frozenset[int], tag: str) -> str:
    marked = [f"<{tag}{_NUMBER if column in right else ''}>{_shown(cell)}</{tag}>" for column, cell in enumerate(cells)]
    return f"<tr>{''.join(marked)}</tr>"


_NUMBER: Final = ' class="n"'
