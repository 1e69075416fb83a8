from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from yuzui.economics import report, words
from yuzui.economics.words import WORDS, Speaker


@pytest.mark.parametrize("name", WORDS)
def test_both_languages_have_the_same_blanks_and_neither_is_empty(name: str) -> None:
    english, chinese = WORDS[name]
    blanks = [
        {field for _, field, _, _ in string.Formatter().parse(text) if field is not None} for text in (english, chinese)
    ]
    assert blanks[0] == blanks[1]
    assert english.strip() and chinese.strip()


def test_chinese_is_chinese_and_english_is_not() -> None:
    han = re.compile(r"[一-鿿]")
    same = {name for name, (_, chinese) in WORDS.items() if not han.search(chinese)}
    assert same == {"y_month", "y_request"} - {name for name in WORDS if han.search(WORDS[name][1])}
    assert not [name for name, (english, _) in WORDS.items() if han.search(english)]


def test_no_word_is_left_over() -> None:
    folder = Path(words.__file__).parent
    code = "".join(path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "words.py")
    code += (folder.parent / "cli" / "tco.py").read_text("utf-8")
    made = {
        f"swing_{name}"
        for name in ("vendor_price", "volume", "utilisation", "power_price", "machine_price", "staff", "speed", "fx")
    }
    made |= {f"never_{name}" for name in ("marginal", "capacity", "far")}
    used = {*re.findall(r"[\"']([a-z0-9_]+)[\"']", code), *made}
    assert not sorted(WORDS.keys() - used)
    assert report


def test_an_operators_own_name_is_said_as_it_is() -> None:
    say = Speaker("zh")
    assert say.or_own("staff") == "人员"
    assert say.or_own("rack {0}") == "rack {0}"


def test_a_missing_word_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Speaker("en")("nothing of that name")
