# mypy: ignore-errors
# `llm` lies in an environment of its own, which mypy does not see
"""Simon Willison's `llm`: models of `extra-openai-models.yaml`, from Python and from its command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import Place, run

FOLDER = tempfile.TemporaryDirectory()
os.environ["LLM_USER_PATH"] = FOLDER.name

import llm  # noqa: E402  # it reads the folder's name when it is imported

from clients.scripted_model import PLAIN, counts_of  # noqa: E402  # as above
from clients.tools import DONE, PICTURE, Weather, now, weather  # noqa: E402  # as above


def model_of(place: Place):
    """Named as a user names it: in the file, with the gateway's key under `llm keys`."""
    entry = {
        "model_id": f"yuzui-{place.dialect}-{place.model}", "model_name": place.model, "api_base": place.openai,
        "api_key_name": "yuzui", "supports_schema": True, "supports_tools": True, "vision": True,
        "responses": place.dialect == "responses",
    }  # fmt: skip
    Path(FOLDER.name, "extra-openai-models.yaml").write_text(json.dumps([entry]))  # JSON is YAML
    Path(FOLDER.name, "keys.json").write_text(json.dumps({"yuzui": place.key}))
    return llm.get_model(entry["model_id"])


def check_plain(place: Place) -> None:
    answer = model_of(place).prompt("script:plain", stream=False)
    assert answer.text() == PLAIN, answer.text()
    counts = counts_of("plain")
    usage = answer.usage()
    assert (usage.input, usage.output) == (counts.input, counts.output), usage


def check_stream(place: Place) -> None:
    pieces = list(model_of(place).prompt("script:plain"))
    assert "".join(pieces) == PLAIN and len(pieces) > 3, pieces


def check_agent(place: Place) -> None:
    chain = model_of(place).chain("script:weather In Oslo and in 北京?", tools=[weather, now])
    assert chain.text().endswith(DONE), chain.text()


def check_structured_output(place: Place) -> None:
    answer = model_of(place).prompt("script:schema", schema=Weather, stream=False)
    assert Weather.model_validate_json(answer.text()) == Weather(city="Oslo", degrees=3)


def check_a_picture(place: Place) -> None:
    answer = model_of(place).prompt("script:picture", attachments=[llm.Attachment(content=PICTURE, type="image/png")])
    assert len(answer.text()) == 12, answer.text()


def check_the_command_line(place: Place) -> None:
    model = model_of(place)
    done = subprocess.run(
        [sys.executable, "-m", "llm", "-m", model.model_id, "script:plain"], capture_output=True, text=True, timeout=30
    )
    assert done.stdout.strip() == PLAIN, done


run(globals())
