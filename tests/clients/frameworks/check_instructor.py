# mypy: ignore-errors
# Instructor lies in an environment of its own, which mypy does not see
"""Instructor: structured output in its modes, over the official clients."""

from __future__ import annotations

import anthropic
import instructor
import openai
from google import genai
from harness import NotHere, Place, run
from instructor import Mode

from clients.tools import Weather

QUESTION = [{"role": "user", "content": "script:schema How warm is it in Oslo?"}]


def client_of(place: Place, mode: Mode):
    if place.dialect == "messages":
        return instructor.from_anthropic(
            anthropic.Anthropic(base_url=place.address, api_key=place.key, max_retries=0), mode=mode
        )
    if place.dialect == "gemini":
        return instructor.from_genai(
            genai.Client(api_key=place.key, http_options={"base_url": place.address}), mode=mode
        )
    return instructor.from_openai(openai.OpenAI(base_url=place.openai, api_key=place.key, max_retries=0), mode=mode)


TOOLS = {"messages": Mode.ANTHROPIC_TOOLS, "gemini": Mode.GENAI_TOOLS, "responses": Mode.RESPONSES_TOOLS}
JSON = {"messages": Mode.ANTHROPIC_JSON, "gemini": Mode.GENAI_STRUCTURED_OUTPUTS}


def ask(place: Place, mode: Mode) -> None:
    client, options = client_of(place, mode), {"model": place.model, "response_model": Weather, "max_retries": 0}
    if place.dialect == "responses":
        value = client.responses.create(input=QUESTION, **options)
    elif place.dialect == "messages":
        value = client.create(messages=QUESTION, max_tokens=4000, **options)
    else:
        value = client.create(messages=QUESTION, **options)
    assert (value.city, value.degrees) == ("Oslo", 3), value


def check_tools(place: Place) -> None:
    ask(place, TOOLS.get(place.dialect, Mode.TOOLS))


def check_json(place: Place) -> None:
    if place.dialect == "responses":
        raise NotHere("no such mode")
    ask(place, JSON.get(place.dialect, Mode.JSON_SCHEMA))


def check_json_mode(place: Place) -> None:
    if place.dialect != "chat":
        raise NotHere("no such mode")
    ask(place, Mode.JSON)


def check_strict_tools(place: Place) -> None:
    if place.dialect != "chat":
        raise NotHere("no such mode")
    ask(place, Mode.TOOLS_STRICT)


def check_partial_stream(place: Place) -> None:
    client = client_of(place, TOOLS.get(place.dialect, Mode.TOOLS))
    options = {"model": place.model, "response_model": Weather}
    if place.dialect == "responses":
        parts = client.responses.create_partial(input=QUESTION, **options)
    elif place.dialect == "messages":
        parts = client.create_partial(messages=QUESTION, max_tokens=4000, **options)
    else:
        parts = client.create_partial(messages=QUESTION, **options)
    *_, last = parts
    assert (last.city, last.degrees) == ("Oslo", 3), last


run(globals())
