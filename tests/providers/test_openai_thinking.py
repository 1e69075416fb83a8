"""Thoughts that stand in the text are taken apart the same way, however the text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.providers._openai_thinking import ThinkSplitter, split

CASES = [
    ("<think>a</think>b", "a", "b"),
    ("<think>\na\n\nb\n</think>\n\nc", "a\n\nb", "c"),
    ("\n <think>a</think> b", "a", "b"),
    ("plain", "", "plain"),
    ("in <think>the</think> middle", "", "in <think>the</think> middle"),
    ("<think>never ends", "never ends", ""),
    ("<thin air", "", "<thin air"),
    ("<think>a < b</thin>k</think>c", "a < b</thin>k", "c"),
    ("<think></think>b", "", "b"),
    ("<think>a</think>", "a", ""),
    ("<think>a</think>b</think>c", "a", "b</think>c"),
    ("", "", ""),
    ("  ", "", "  "),
]


def streamed(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    found = [splitter.feed(piece) for piece in pieces] + [splitter.close()]
    return "".join(thought for thought, _ in found), "".join(text for _, text in found)


@pytest.mark.parametrize(("text", "thought", "said"), CASES)
def test_thoughts_are_apart_from_the_text(text: str, thought: str, said: str) -> None:
    assert streamed([text]) == (thought, said)
    assert streamed(list(text)) == (thought, said)
    assert split(text) == (thought, said)


@given(st.sampled_from([text for text, _, _ in CASES]), st.data())
def test_any_cut_gives_the_same(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert streamed(pieces) == streamed([text])


@given(st.text("<think/> \na", max_size=30), st.data())
def test_nothing_is_lost_but_marks_and_line_breaks(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    thought, said = streamed([text[:cut], text[cut:]])
    bare = text.replace("<think>", "", 1).replace("</think>", "", 1) if text.lstrip().startswith("<think>") else text
    assert "".join((thought + said).split()) == "".join(bare.split())


def test_a_whole_answer_whose_template_wrote_the_opening_mark_is_split_too() -> None:
    assert split("first I think\n</think>\n\nthen I say") == ("first I think", "then I say")
