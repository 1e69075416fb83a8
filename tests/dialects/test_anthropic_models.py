"""The list of models, read back by Anthropic's own types."""

from __future__ import annotations

import json

from anthropic.types import ModelInfo

from yuzui.dialects.anthropic_models import list_models, show_model

ENTRIES = [
    {"id": name, "object": "model", "yuzui": {"premises": "own", "context_tokens": 4096}}
    for name in ("auto", "house/鱼嘴")
]


def test_a_page_holds_all_models_and_names_its_ends() -> None:
    page = json.loads(list_models(ENTRIES))
    assert (page["has_more"], page["first_id"], page["last_id"]) == (False, "auto", "house/鱼嘴")
    models = [ModelInfo.model_validate(entry) for entry in page["data"]]
    assert [model.id for model in models] == ["auto", "house/鱼嘴"]
    assert (models[0].max_input_tokens, models[0].max_tokens) == (4096, None)
    assert page["data"][0]["yuzui"]["premises"] == "own"


def test_an_empty_list_has_no_ends() -> None:
    assert json.loads(list_models([])) == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_one_model_is_shown_as_in_the_list() -> None:
    assert json.loads(show_model(ENTRIES[0])) == json.loads(list_models(ENTRIES))["data"][0]
