"""The folder listing is the list of policies."""

from __future__ import annotations

from yuzui.routing.policies.catalogue import load_policies, policy_names


def test_every_policy_file_is_found_and_nothing_else() -> None:
    assert policy_names() == ("burst", "cheapest", "fastest", "guaranteed", "own_first", "pinned", "weighted")
    assert tuple(load_policies()) == policy_names()
