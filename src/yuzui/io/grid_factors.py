"""Knows what a kilowatt-hour of a country emits: from the data files of codecarbon, if it is installed. Never online.

The package itself is not imported: its trackers, and pandas with them, are not needed for one number.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.economics.energy import GridFactor
from yuzui.economics.inputs import Told

PACKAGE = "codecarbon"
FILE = "codecarbon/data/private_infra/global_energy_mix.json"


class _Country(msgspec.Struct, frozen=True):
    country_name: str
    carbon_intensity: float
    """g CO2e per kWh."""
    year: int


def grid_factor(country: str) -> GridFactor:
    """`country`: ISO 3166, three letters. Raise `ConfigError` when the package or the country is not there."""
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError as error:
        raise ConfigError(
            "grid.country needs the data of codecarbon: pip install 'yuzui[energy]'; or write grid.g_co2e_per_kwh with "
            "source and date"
        ) from error
    path = Path(str(package.locate_file(FILE)))
    try:
        countries = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
        raw = countries.get(country)
        if raw is None:
            raise ConfigError(f"grid.country: {country!r} is not in the data of codecarbon; write DEU, CHN, USA, …")
        found = msgspec.json.decode(raw, type=_Country)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"the data of codecarbon {package.version} cannot be read; write grid.g_co2e_per_kwh with source and date"
        ) from error
    return GridFactor(
        g_per_kwh=Fraction(str(found.carbon_intensity)),
        told=Told(
            source=f"{PACKAGE}=={package.version}, {found.country_name}, mean of {found.year}",
            date=dt.date(found.year, 12, 31),
        ),
    )
