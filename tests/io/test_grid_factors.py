from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from yuzui.core.errors import ConfigError
from yuzui.io.grid_factors import FILE, grid_factor


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with the name, the version and the file of codecarbon, whose code would break if it were imported."""
    info = tmp_path / "codecarbon-3.3.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: codecarbon\nVersion: 3.3.2\n", "utf-8")
    data = tmp_path / FILE
    data.parent.mkdir(parents=True)
    (tmp_path / "codecarbon" / "__init__.py").write_text("raise RuntimeError('imported')\n", "utf-8")
    data.write_text(
        json.dumps({
            "DEU": {"country_name": "Germany", "carbon_intensity": 380.95, "year": 2023, "wind_TWh": 1},
            "XXX": {"country_name": "Nowhere", "year": 2023},
        }),
        "utf-8",
    )  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path))
    return data


def test_a_country_has_its_factor_with_source_and_year(installed: Path) -> None:
    found = grid_factor("DEU")
    assert found.g_per_kwh == Fraction("380.95")
    assert found.told.source == "codecarbon==3.3.2, Germany, mean of 2023"
    assert found.told.date.year == 2023
    assert "codecarbon" not in sys.modules


def test_an_unknown_country_is_named(installed: Path) -> None:
    with pytest.raises(ConfigError, match="'ZZZ' is not in the data"):
        grid_factor("ZZZ")


def test_data_of_another_shape_is_told_and_never_guessed(installed: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        grid_factor("XXX")
    installed.write_text("[]", "utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        grid_factor("DEU")
    installed.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        grid_factor("DEU")


def test_without_the_package_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ConfigError, match=r"yuzui\[energy\]"):
        grid_factor("DEU")
