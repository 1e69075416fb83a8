"""Addresses in Latin script."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("She lives at 42 Maple Crescent and works", "42 Maple Crescent"),
        ("Ship it to 1600 North Vine Street, Apt. 4B, Springfield, IL 62704.", "1600 North Vine Street, Apt. 4B, Springfield, IL 62704"),
        ("at 815 East 71st Street Northwest.", "815 East 71st Street Northwest"),
        ("in der Goethestraße 17, 60313 Frankfurt.", "Goethestraße 17, 60313 Frankfurt"),
        ("Hauptstr. 5, 80331 München", "Hauptstr. 5, 80331 München"),
        ("P.O. Box 4412, Dover, DE 19901", "P.O. Box 4412, Dover, DE 19901"),
        ("Unit 2050 Box 4190\nAPO AP 96278", "Unit 2050 Box 4190\nAPO AP 96278"),
        ("Rue Pasteur 12 est fermée", "Rue Pasteur 12"),
        ("10 Downing Street, London SW1A 2AA", "10 Downing Street, London SW1A 2AA"),
        ("My zip code is 90211", "90211"),
        ("邮编：266071", "266071"),
        ("the corner of Elm Street and Third Avenue", "corner of Elm Street and Third Avenue"),
    ],
)  # fmt: skip  # one case, one line
def test_an_address_is_found_from_number_to_postcode(text: str, address: str) -> None:
    assert values(text, "postal_address") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "On 12 October 2001 the Court met",
        "see section 3 Way forward",
        "Python 3 Types and 2 Functions",
        "version 2 Beta Release",
        "it cost $40 Broadway tickets included",
        "in the 2007 Bowling Green season",
        "he ran 5 km in the park",
        "Article 8 of the Convention",
    ],
)
def test_dates_sections_and_amounts_are_left_alone(text: str) -> None:
    assert values(text, "postal_address") == []


def test_a_sentence_behind_an_address_does_not_belong_to_it() -> None:
    assert values("He resides at 977 Rebecca Drive. She holds a card.", "postal_address") == ["977 Rebecca Drive"]
