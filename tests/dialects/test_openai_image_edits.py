"""Pictures to be changed, as the official client sends them."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest

from yuzui.core.chat import ChatRequest
from yuzui.core.errors import InvalidRequest
from yuzui.dialects.openai_image_edits import DIALECT
from yuzui.privacy.leaves import read_leaves

PART = {"type": "input_image", "name": "image", "filename": "a.png", "media_type": "image/png", "data": b"\x89PNG"}


def test_what_the_official_client_sends_is_read() -> None:
    seen: list[ChatRequest] = []

    def gateway(request: httpx2.Request) -> httpx2.Response:
        seen.append(DIALECT.read_request(DIALECT.read_body(request.read(), request.headers["content-type"])))
        assert request.url.path == "/v1/images/edits"
        return httpx2.Response(200, json={"created": 1, "data": [{"b64_json": "QUFB"}]})

    client = openai.OpenAI(
        api_key="none", base_url="http://gateway.test/v1", max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(gateway)),
    )  # fmt: skip
    client.images.edit(model="gpt-image-2", prompt="Ada", image=("a.png", b"\x89PNG", "image/png"), n=2)
    client.images.edit(
        model="gpt-image-2", prompt="p", image=[("a.png", b"1"), ("b.png", b"2")], mask=("m.png", b"3"), stream=False
    )  # fmt: skip
    one, several = seen
    assert (one.model, one.n, one.operation, one.dialect) == ("gpt-image-2", 2, "images", "openai_image_edits")
    assert one.body["input"] == [PART]
    assert [(part["name"], part["data"]) for part in several.body["input"]] == [
        ("image[]", b"1"), ("image[]", b"2"), ("mask", b"3")]  # fmt: skip
    leaves = read_leaves(one.body)
    assert {"Ada", "a.png"} <= {leaf.text for leaf in leaves.found}
    assert "input_image" in leaves.unscannable


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": "p"}, "image"),
        ({"prompt": "p", "input": [PART | {"data": b""}]}, "image"),
        ({"prompt": "p", "input": [PART | {"name": "mask"}]}, "image"),
        ({"input": [PART]}, "prompt"),
        ({"prompt": "p", "n": "many", "input": [PART]}, "n"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, Any], param: str) -> None:  # Any: texts and parts
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.read_request(body)
    assert caught.value.param == param


def test_pictures_by_address_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="multipart"):
        DIALECT.read_body(b'{"images":[{"image_url":"https://x.test/a.png"}]}', "application/json")
