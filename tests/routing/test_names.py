"""What a client may write into `model`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing_kit import CHEAP, DEAR, HOUSE
from yuzui.core.errors import ConfigError, NotAllowed, NotFound
from yuzui.core.target import Target, VirtualModel
from yuzui.routing.names import Names
from yuzui.routing.policies.catalogue import load_policies

POLICIES = load_policies()
EMBEDDED = replace(HOUSE, name="embedded/small", model="small", engine="small")
AZURE = replace(DEAR, name="azure/gpt", jurisdiction="EU")
SIMULATED = replace(CHEAP, name="scripted/vendor", model="scripted", is_simulated=True)


def names(targets: list[Target], models: list[VirtualModel] | None = None) -> Names:
    return Names(targets, models or [], POLICIES, {"USD": 1.0})


def candidates(book: Names, model: str) -> list[str]:
    return [target.name for target in book.resolve(model, None).candidates]


def test_the_built_in_names_exist_without_being_configured() -> None:
    book = names([EMBEDDED, SIMULATED, DEAR, HOUSE, CHEAP])
    assert candidates(book, "auto") == [HOUSE.name, EMBEDDED.name, CHEAP.name, DEAR.name, SIMULATED.name]
    assert candidates(book, "own") == [HOUSE.name, EMBEDDED.name]
    assert candidates(book, "vendor") == [CHEAP.name, DEAR.name, SIMULATED.name]
    assert book.resolve("auto", None).policy_name == "own_first"
    assert book.resolve("auto", None).may_fall_back


def test_an_operators_model_takes_the_place_of_a_built_in_one() -> None:
    own = VirtualModel(name="auto", candidates=(CHEAP.name,), policy="cheapest", may_fall_back=False)
    found = names([HOUSE, CHEAP], [own]).resolve("auto", None)
    assert [target.name for target in found.candidates] == [CHEAP.name]
    assert (found.policy_name, found.may_fall_back) == ("cheapest", False)


def test_a_concrete_target_is_pinned_without_fallback() -> None:
    found = names([HOUSE, CHEAP]).resolve(CHEAP.name, None)
    assert (found.candidates, found.policy_name, found.may_fall_back) == ((CHEAP,), "pinned", False)


def test_a_vendors_own_model_name_keeps_working() -> None:
    book = names([HOUSE, DEAR, AZURE, CHEAP])
    assert candidates(book, "deepseek-chat") == [CHEAP.name]
    assert not book.resolve("deepseek-chat", None).may_fall_back
    assert candidates(book, "gpt-4o") == [DEAR.name, AZURE.name]
    assert book.resolve("gpt-4o", None).may_fall_back


def test_a_configured_name_wins_over_a_vendors_model_name() -> None:
    model = VirtualModel(name="gpt-4o", candidates=(HOUSE.name,), policy="pinned")
    assert candidates(names([HOUSE, DEAR], [model]), "gpt-4o") == [HOUSE.name]


def test_own_and_vendor_do_not_exist_where_they_would_be_empty() -> None:
    with pytest.raises(NotFound):
        names([CHEAP]).resolve("own", None)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("deepsek/chat", "did you mean 'deepseek/chat'"),
        ("QWEN", "'house/qwen'"),
        ("zzz", "GET /v1/models lists"),
        ("", "GET /v1/models lists"),
        ("x" * 5000, "no model is named 'xxx"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(written: str, says: str) -> None:
    with pytest.raises(NotFound, match="no model is named") as caught:
        names([HOUSE, CHEAP]).resolve(written, None)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 400
    assert (caught.value.status, caught.value.code, caught.value.param) == (404, "model_not_found", "model")


def test_without_any_target_the_way_to_one_is_named() -> None:
    with pytest.raises(NotFound, match="yuzui init"):
        names([]).resolve("auto", None)


def test_a_key_may_write_only_its_names_and_is_told_which() -> None:
    book = names([HOUSE, CHEAP, DEAR])
    mine = frozenset({HOUSE.name, "auto"})
    assert book.resolve("auto", mine).name == "auto"
    with pytest.raises(NotAllowed, match="it may use 'auto', 'house/qwen'") as caught:
        book.resolve(CHEAP.name, mine)
    assert (caught.value.status, caught.value.code) == (403, "model_not_allowed")


def test_near_names_do_not_tell_what_the_key_may_not_use() -> None:
    with pytest.raises(NotFound) as caught:
        names([HOUSE, CHEAP]).resolve("deepsek/chat", frozenset({HOUSE.name}))
    assert CHEAP.name not in str(caught.value)


def test_a_vendors_model_name_is_allowed_exactly_if_all_its_targets_are() -> None:
    book = names([DEAR, AZURE])
    assert book.resolve("gpt-4o", frozenset({DEAR.name, AZURE.name})).is_alias
    assert book.resolve("gpt-4o", frozenset({"gpt-4o"})).is_alias
    with pytest.raises(NotAllowed):
        book.resolve("gpt-4o", frozenset({DEAR.name}))


@pytest.mark.parametrize(
    ("targets", "models", "says"),
    [
        ([HOUSE, HOUSE], [], "same name"),
        ([HOUSE], [VirtualModel(name=HOUSE.name, candidates=(HOUSE.name,), policy="pinned")], "names two things"),
        ([HOUSE], [VirtualModel(name="m", candidates=("ghost",), policy="pinned")], "no target is named 'ghost'"),
        ([HOUSE], [VirtualModel(name="m", candidates=(HOUSE.name,), policy="best")], "own_first"),
    ],
)
def test_a_contradiction_is_a_configuration_error(targets: list[Target], models: list[VirtualModel], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        names(targets, models)


def test_a_name_with_nothing_behind_it_yet_is_answered_with_what_would_fill_it() -> None:
    with pytest.raises(NotFound, match="no target stands behind 'own' yet"):
        names([CHEAP]).resolve("own", None)
    with pytest.raises(NotFound, match="behind 'vendor' yet: set a vendor's key variable"):
        names([HOUSE]).resolve("vendor", None)
