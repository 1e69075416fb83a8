"""The whole way of one text, with models that know little: offsets are exact, whatever stands around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from yuzui.privacy.ner.han import Tags
from yuzui.privacy.ner.recogniser import Recogniser
from yuzui.privacy.ner.segments import Segment
from yuzui.privacy.ner.spans import NameSpan

NAME, LATIN = "欧阳若曦", "Ada Lovelace"


class Characters:
    """Sees one name, wherever it stands."""

    evidence = "characters 1"
    tags = Tags(["PER-B", "PER-I", "O"])
    transitions = np.zeros((3, 3), dtype=np.float32)

    def emissions(self, texts: Sequence[str]) -> Any:  # Any: an array
        scores = np.zeros((len(texts), max(map(len, texts)), 3), dtype=np.float32)
        scores[:, :, 2] = 9.0
        for row, text in enumerate(texts):
            at = text.find(NAME)
            while at >= 0:
                scores[row, at] = (12.0, 0.0, 0.0)
                scores[row, at + 1 : at + len(NAME)] = (0.0, 12.0, 0.0)
                at = text.find(NAME, at + 1)
        return scores


class Words:
    evidence = "words 1"

    def __call__(self, text: str, segments: Sequence[Segment]) -> list[NameSpan]:
        return [
            NameSpan(at, at + len(LATIN), "person", 0.9, self.evidence)
            for one in segments
            if (at := text.find(LATIN, one.start, one.end)) >= 0
        ]


RECOGNISER = Recogniser(Characters(), Words())


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from([NAME, LATIN, "，", "。", "\n", "的", "很长的一句话没有标点符号", " ", "x = 1;", "word ", "`"]),
        max_size=60,
    )
)
def test_the_slice_of_the_original_is_the_name(pieces: list[str]) -> None:
    text = "".join(pieces)
    spans = RECOGNISER.find(text)
    for span in spans:
        assert 0 <= span.start < span.end <= len(text)
        assert text[span.start : span.end] in (NAME, LATIN, "Lovelace", "若曦")
    assert text.count(NAME) == sum(text[one.start : one.end] == NAME for one in spans)


def test_a_name_at_every_distance_from_a_cut_is_found() -> None:
    for before in range(0, 300, 7):
        text = "字" * before + NAME + "字" * 200
        assert any(text[one.start : one.end] == NAME for one in RECOGNISER.find(text)), before


def test_without_models_the_rules_of_chinese_stand_alone() -> None:
    text = "姓名：王小明"
    assert [text[one.start : one.end] for one in Recogniser(None, None).find(text)] == ["王小明"]
    assert Recogniser(None, None).models == () and RECOGNISER.models == ("characters 1", "words 1")


def test_nothing_to_say_about_code_and_empty_texts() -> None:
    assert RECOGNISER.find("") == [] and RECOGNISER.find("def run(self):\n    return 1\n") == []


class Jordan:
    evidence = "jordan 1"

    def __call__(self, text: str, segments: Sequence[Segment]) -> list[NameSpan]:
        return [NameSpan(0, len("Jordan Lovelace"), "person", 0.9, self.evidence)]


def test_a_repeat_of_a_person_is_one_although_it_is_a_place_too() -> None:
    text = "Jordan Lovelace wrote. Jordan did."
    spans = Recogniser(None, Jordan()).find(text)
    assert [(one.start, one.end) for one in spans if one.kind == "person"] == [(0, 15), (23, 29)]


def test_latin_sentences_in_chinese_lines_are_asked_about_too() -> None:
    text = "请翻译这句话：We met Ada Lovelace in the park."
    assert "Ada Lovelace" in {text[one.start : one.end] for one in RECOGNISER.find(text) if one.kind == "person"}


def test_what_tells_who_is_meant_is_found_without_a_model_and_in_code() -> None:
    assert [one.kind for one in Recogniser(None, None).find("open('/home/ada/notes.txt');")] == ["file_path"]
