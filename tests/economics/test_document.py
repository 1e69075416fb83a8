from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from typing_extensions import override

from yuzui.economics.document import (
    STYLE,
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    policy,
    write_html,
    write_markdown,
)

NASTY = 'a|b <script>alert("x")</script> *c* [d](e) `f`'
DOCUMENT = Document(
    title="T & t", language="en", lead="lead",
    sections=(
        Section(heading="One", blocks=(
            Paragraph(text=NASTY),
            Table(columns=("name", "n"), rows=((NASTY, "1"),), right=frozenset((1,))),
            Figure(svg='<svg xmlns="http://www.w3.org/2000/svg"><title>x</title></svg>', caption="c < d"),
        )),
    ),
)  # fmt: skip
VOID = {"meta", "!doctype"}


class Checker(HTMLParser):
    """Notes tags that are closed in the wrong order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.tags: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert not checker.wrong and not checker.open
    return checker


def test_a_page_is_well_formed_loads_nothing_and_runs_nothing() -> None:
    page = write_html(DOCUMENT)
    checker = checked(page)
    assert "script" not in checker.tags and "link" not in checker.tags and "img" not in checker.tags
    assert not [name for name, _ in checker.attributes if name in ("style", "src", "href") or name.startswith("on")]
    assert "<script" not in page and "&lt;script&gt;" in page


def test_the_policy_names_the_one_style_block_by_its_hash() -> None:
    page = write_html(DOCUMENT)
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style == [STYLE]
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy()
    assert policy().startswith("default-src 'none'")
    content = next(value for name, value in checked(page).attributes if name == "content" and "default-src" in value)
    assert content == policy()


def test_markdown_keeps_cells_apart_and_markup_plain() -> None:
    text = write_markdown(DOCUMENT)
    rows = [line for line in text.split("\n") if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert rows[1] == "| --- | ---: |"
    assert "<script" not in text and r"\*c\*" in text and r"\[d\](e)" in text
    assert "<svg" not in text


def test_nothing_reaches_a_terminal_or_a_page_that_they_obey() -> None:
    table = Table(columns=("a",), rows=(("x\x1b[31m\x00\u202ey",),))
    document = Document(title="t\x1b", language="en", lead="", sections=(Section(heading="h", blocks=(table,)),))
    for text in (write_markdown(document), write_html(document)):
        assert not set(text) & {"\x1b", "\x00", "\u202e"} and "\ufffd" in text


def test_a_line_break_in_a_cell_breaks_no_table() -> None:
    table = Table(columns=("a",), rows=(("x\ny",),))
    text = write_markdown(
        Document(title="t", language="en", lead="", sections=(Section(heading="h", blocks=(table,)),))
    )
    assert "| x y |" in text
