from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ET

import pytest

from economics_kit import TEXT, a_study
from yuzui.config_economics import read_marginal
from yuzui.economics.document import Code, Figure, Paragraph, Table, write_html, write_markdown
from yuzui.economics.report import marginal_facts, write_report
from yuzui.economics.words import Language

LANGUAGES: tuple[Language, ...] = ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_tells_everything_in_its_language(language: Language) -> None:
    document = write_report(a_study(), language)
    blocks = [block for section in document.sections for block in section.blocks]
    assert len([block for block in blocks if isinstance(block, Figure)]) == 4  # a tornado and three curves
    for block in blocks:
        if isinstance(block, Table):
            assert block.rows and all(len(row) == len(block.columns) for row in block.rows)
        if isinstance(block, Figure):
            ET.fromstring(block.svg)
    text = write_markdown(document)
    assert "{" not in re.sub(r"^```\nmarginal_cost = \{.*\}\n```$", "", text, flags=re.MULTILINE)
    has_han = bool(re.search(r"[一-鿿]", text))
    assert has_han is (language == "zh")
    assert f'<html lang="{"en" if language == "en" else "zh-Hans"}">' in write_html(document)


def test_both_languages_tell_the_same_numbers() -> None:
    def numbers(language: Language) -> list[list[str]]:
        tables = [b for s in write_report(a_study(), language).sections for b in s.blocks if isinstance(b, Table)]
        texts = [" ".join(cell for row in table.rows for cell in row).replace("CO2e", "") for table in tables]
        return [re.findall(r"\d[\d.,]*", text) for text in texts]

    assert numbers("en") == numbers("zh")


def test_the_answer_comes_first_with_both_break_evens() -> None:
    first = write_report(a_study(), "en").sections[0]
    table = first.blocks[0]
    assert isinstance(table, Table)
    rows = {row[1]: row for row in table.rows}
    assert re.fullmatch(r"[\d,]+ requests/month", rows["big"][5])
    assert rows["small"][5].startswith("never: ")


def test_without_vendors_the_report_says_so() -> None:
    block = write_report(a_study(TEXT.split("[[vendors]]")[0]), "en").sections[0].blocks[0]
    assert isinstance(block, Paragraph) and "nothing to compare" in block.text


def test_without_grid_and_power_the_report_says_so() -> None:
    text = TEXT.split("[grid]")[0]
    assert "no CO2e is told" in write_markdown(write_report(a_study(text), "en"))
    head, tail = TEXT.split("[machines.power]")
    silent = head + tail[tail.index("[machines.staff]") :]
    assert "Nobody said what box draws" in write_markdown(write_report(a_study(silent), "en"))


def test_a_curve_that_does_not_fit_is_told() -> None:
    text = TEXT.replace("output_tokens_per_s = 160.0", "output_tokens_per_s = 20.0").replace("= 640.0", "= 80.0")
    assert "does not describe what was measured" in write_markdown(write_report(a_study(text), "en"))
    assert "does not describe" not in write_markdown(write_report(a_study(), "en"))


def test_a_bend_beyond_the_levels_is_told() -> None:
    text = TEXT.replace("output_tokens_per_s = 400.0", "output_tokens_per_s = 780.0").replace("= 1600.0", "= 3120.0")
    assert "extrapolated" in write_markdown(write_report(a_study(text), "en"))


def test_the_line_for_routing_is_one_that_yuzui_toml_takes() -> None:
    study = a_study()
    document = write_report(study, "en")
    (text,) = [block.text for section in document.sections for block in section.blocks if isinstance(block, Code)]
    assert f"```\n{text}\n```" in write_markdown(document)
    table = tomllib.loads(text)["marginal_cost"]
    found = read_marginal(table, "targets[0].marginal_cost")
    assert table == marginal_facts(study, study.machines[0])
    assert found is not None and found.slots == 16 and found.output_pico > 0
    # With all places taken it answers as many requests as the curve says.
    own = study.machines[0].own
    rate = found.most_requests_per_s * 16 / (16 + found.half_load)
    assert rate == pytest.approx(own.slots / own.service_s, rel=1e-2)
