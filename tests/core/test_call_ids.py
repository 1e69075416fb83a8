"""Names of tool calls: allowed for the client, and the vendor's own again on the way back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.call_ids import PREFIX, to_client, to_upstream


@pytest.mark.parametrize("given_id", ["call_1", "toolu_01AbC", "chatcmpl-tool-1"])
def test_a_name_that_the_api_allows_stays(given_id: str) -> None:
    assert to_client(given_id) == to_upstream(given_id) == given_id


@given(st.text(min_size=1, max_size=200) | st.text(max_size=20).map(lambda text: PREFIX + text))
def test_every_name_is_allowed_and_comes_back(given_id: str) -> None:
    named = to_client(given_id)
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", named)
    assert to_upstream(named) == given_id


@pytest.mark.parametrize("client_id", [PREFIX + "!", PREFIX + "A", PREFIX + "_w"])
def test_a_name_that_is_no_encoding_of_ours_stays(client_id: str) -> None:
    assert to_upstream(client_id) == client_id
