from __future__ import annotations

import re
from pathlib import Path

from yuzui.backtest import replay
from yuzui.backtest.words import ASSUMPTIONS, words_of


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    english, chinese = words_of("en"), words_of("zh")
    assert english.keys() == chinese.keys()
    for name, words in english.items():
        assert sorted(re.findall(r"{\w+}", words)) == sorted(re.findall(r"{\w+}", chinese[name])), name


def test_every_supposition_in_the_code_is_listed() -> None:
    folder = Path(replay.__file__).parent
    code = "".join((folder / name).read_text("utf-8") for name in ("replay.py", "relabel.py", "texts.py"))
    assert set(re.findall(r'assume\("(\w+)"\)', code)) == set(ASSUMPTIONS)
