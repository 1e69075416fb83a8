"""What stands around a name makes it one; what only looks like it does not."""

from __future__ import annotations

import pytest

from yuzui.privacy.ner.latin_rules import rule_spans, with_titles
from yuzui.privacy.ner.segments import Segment
from yuzui.privacy.ner.spans import NameSpan
from yuzui.privacy.ner.word_lists import Lists

COMMON = "the rose will may call from work friend boss has been tested a flat fine manager hiring bank group first company was in"
LISTS = Lists(
    frozenset(("ada", "will", "may", "john")),
    frozenset(("lovelace", "smith")),
    frozenset(COMMON.split()),
    frozenset(("paris",)),
)


def people(text: str) -> set[str]:
    spans = rule_spans(text, [Segment(0, len(text), "latin")], LISTS)
    return {text[one.start : one.end] for one in spans if one.kind == "person"}


def companies(text: str) -> set[str]:
    spans = rule_spans(text, [Segment(0, len(text), "latin")], LISTS)
    return {text[one.start : one.end] for one in spans if one.kind == "organization"}


def test_titles() -> None:
    text = "Judge Brown's"
    assert [(one.start, one.end) for one in with_titles(text, [NameSpan(6, 13, "person", 0.9, "m")], LISTS)] == [
        (0, 11)
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("for the Government Mr I. Christie, Counsel", {"Mr I. Christie"}),
        ("said Lord Justice Kennedy and Ms. van der Berg today", {"Lord Justice Kennedy", "Ms. van der Berg"}),
        ("hi, my name is xyzzy plugh the rose", {"xyzzy plugh"}),
        ("Patient name: Xyzzy Q. Plugh, born", {"Xyzzy Q. Plugh"}),
        ("write to xyzzy.plugh@example.com for Xyzzy Plugh", {"Xyzzy Plugh"}),
        ("the rose of the drive", set()),
    ],
)
def test_titles_labels_and_mail_make_a_name(text: str, names: set[str]) -> None:
    assert people(text) == names


def test_rules_are_linear_in_the_text() -> None:
    for text in (
        "Mr " * 20_000,
        "Mr A." * 10_000,
        "name: A " * 8_000,
        "a.b@" * 10_000,
        "my name is " * 6_000,
        "A" * 60_000,
        "A.B." * 10_000,
        "Xyzzy a " * 8_000,
        "The a " * 10_000,
        "call will " * 6_000,
        "Regards,\n" * 6_000,
        "“K” " * 8_000,
    ):
        rule_spans(text, [Segment(0, len(text), "latin")], LISTS)


def test_degrees_and_the_other_one_of_a_couple_belong_to_the_span() -> None:
    def widened(text: str, name: str) -> str:
        start = text.index(name)
        (one,) = with_titles(text, [NameSpan(start, start + len(name), "person", 0.9, "m")], LISTS)
        return text[one.start : one.end]

    assert widened("by Xyzzy Plugh MD today", "Xyzzy Plugh") == "Xyzzy Plugh MD"
    assert widened("with John and Ada Lovelace", "Ada Lovelace") == "John and Ada Lovelace"
    assert widened("with Rose and Ada Lovelace", "Ada Lovelace") == "Ada Lovelace"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dear Xyzzy,\nhow are you", {"Xyzzy"}),
        ("Dear Hiring Manager,\nhow are you", set()),
        ("Hi All,", set()),
        ("See you.\nBest regards,\nXyzzy Plugh", {"Xyzzy Plugh"}),
        ("i am xyzzy from work", {"xyzzy"}),
        ("i am tested", set()),
        ("my friend is called so, a boy named Plugh's", {"Plugh"}),
        ("write to ms. xyzzy at work", {"ms. xyzzy"}),
        ("Plugh LJ dissented", {"Plugh LJ"}),
        ("heard Lord Xyzzy of Plughferry", {"Lord Xyzzy", "Lord Xyzzy of Plughferry"}),
        ("as in Xyzzy et al. [3]", {"Xyzzy et al."}),
        ("Plugh, P., & Xyzzy, Y. (2021)", {"Plugh, P.", "Xyzzy, Y."}),
        ("call will smith and may chen from work", {"will smith", "may chen"}),
        ("this will work and may call", set()),
        ("about will wood", set()),
    ],
)
def test_greetings_signatures_citations_and_small_letters(text: str, names: set[str]) -> None:
    assert people(text) == names


def test_initials_are_persons_but_for_states_and_hours() -> None:
    assert people("C.Ç. and W.K lodged it in the U.S. at 5 p.m. with J. A. in D.C.") == {"C.Ç.", "W.K", "J. A."}


def test_a_letter_that_acts_is_a_person_after_it_was_named_as_one() -> None:
    text = "sued by “K”, a patient. When K was asked, K’s answer failed."
    assert (
        sum(text[one.start : one.end] == "K" for one in rule_spans(text, [Segment(0, len(text), "latin")], LISTS)) == 3
    )
    assert people("option “K” and vitamin K in food") == set()
    assert people("by Miss M., the victim. M. gave evidence") >= {"M."}


def test_companies_by_their_endings_and_institutions() -> None:
    assert companies("worked at Xyzzy national company in Paris") == {"Xyzzy national company"}
    assert companies("I worked in Xyzzy national company") == {"Xyzzy national company"}
    assert companies("between Xyzzy Worldwide Pte. Limited and us") == {"Xyzzy Worldwide Pte. Limited"}
    assert companies("Plugh solutions ltd and the Ministry of Xyzzy") == {"Plugh solutions ltd", "Ministry of Xyzzy"}
    assert companies("The company and The first bank of it") == set()
