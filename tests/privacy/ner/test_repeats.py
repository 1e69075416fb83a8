"""A name found once is found again."""

from __future__ import annotations

from yuzui.privacy.ner.repeats import known_names, longer, search_again
from yuzui.privacy.ner.spans import NameKind, NameSpan


def known(text: str, *names: str, kind: NameKind = "person", score: float = 0.9) -> dict[str, NameKind]:
    return known_names(text, [NameSpan(text.find(one), text.find(one) + len(one), kind, score, "m") for one in names])


def found(text: str, names: dict[str, NameKind]) -> list[str]:
    return [text[one.start : one.end] for one in search_again(text, names, bytearray(len(text)))]


def test_a_persons_parts_are_names_too() -> None:
    assert set(known("Ada Lovelace Byron", "Ada Lovelace Byron")) == {"Ada Lovelace Byron", "Lovelace", "Byron"}
    assert set(known("张建国先生", "张建国先生")) == {"张建国", "建国"}
    assert set(known("欧阳建国", "欧阳建国")) == {"欧阳建国", "建国"}
    assert set(known("王总", "王总")) == set()
    assert set(known("约翰·肯尼迪（John", "约翰·肯尼迪（John")) == {"约翰·肯尼迪（John", "约翰", "肯尼迪"}
    assert "主席" not in known("江主席", "江主席")  # a post is no given name


def test_weak_findings_and_places_do_not_spread() -> None:
    assert not known("Ada Lovelace", "Ada Lovelace", score=0.4)
    assert not known("Paris", "Paris", kind="location")
    assert not known("Bob", "Bob")  # too short to be told from a word


def test_latin_names_are_whole_words_and_chinese_ones_are_anywhere() -> None:
    assert found("Lovelace, Lovelaces, xLovelace, Lovelace's", {"Lovelace": "person"}) == ["Lovelace", "Lovelace"]
    assert found("找建国和张建国", {"建国": "person"}) == ["建国", "建国"]


def test_what_is_taken_already_is_not_reported_again() -> None:
    text = "Lovelace and Lovelace"
    taken = bytearray(len(text))
    taken[0:8] = b"\1" * 8
    assert [one.start for one in search_again(text, {"Lovelace": "person"}, taken)] == [13]


def test_what_goes_on_the_same_way_each_time_is_the_longer_name() -> None:
    def grown(text: str) -> set[str]:
        at = text.find("臧克")
        return {text[one.start : one.end] for one in longer(text, [NameSpan(at, at + 2, "person", 0.9, "m")])}

    assert grown("臧克和教授，如臧克和之所作") == {"臧克", "臧克和"}
    assert grown("臧克的教授，如臧克的之所作") == {"臧克"}  # 的 ends no name
    assert grown("臧克和教授，如臧克之所作") == {"臧克"}
    assert grown("臧克和教授") == {"臧克"}  # once is no habit
