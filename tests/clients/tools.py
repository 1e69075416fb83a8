"""The tools that the scripted model calls, and the value that it gives: the same for every client."""

from __future__ import annotations

import json
from base64 import b64encode
from struct import pack
from typing import Any
from zlib import compress, crc32

from pydantic import BaseModel

from clients.scripted_model import CITIES

DONE = " and ".join(f"{degrees} degrees in {city}" for city, degrees in CITIES.items()) + " at noon."
"""How the script `weather` ends, if every result reached the model."""
WEATHER_SCHEMA: dict[str, Any] = {  # Any: a JSON schema
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Its name."}},
    "required": ["city"],
    "additionalProperties": False,
}
NOTHING_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


class Weather(BaseModel):
    """What is asked of the script `schema`."""

    city: str
    degrees: int


def weather(city: str) -> str:
    """How warm it is in a city."""
    return f"{CITIES[city]} degrees in {city}"


def now() -> str:
    """What time it is."""
    return "noon"


def run(name: str, arguments: str | dict[str, Any]) -> str:  # Any: JSON values
    """Call a tool by name, as an application does."""
    given = json.loads(arguments) if isinstance(arguments, str) else arguments
    return weather(**given) if name == "weather" else now(**given)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))


PICTURE = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", compress(b"\0\xff\0\0\0\xff\0" * 2))
    + _chunk(b"IEND", b"")
)
"""Two by two pixels."""
PICTURE_URL = "data:image/png;base64," + b64encode(PICTURE).decode()
