"""The front desk answers without a model, tells strangers nothing, and is ready only when requests can be recorded."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_kit import without_names
from yuzui.admission.keys import key_hash, make_secret
from yuzui.config import read
from yuzui.core.booking import KeyRecord
from yuzui.core.errors import NotFound, Unauthenticated
from yuzui.desk import Desk, Part
from yuzui.io.secrets import load_secrets
from yuzui.wiring import Service

CONFIG = """
[server]
max_body_bytes = 1234
[[targets]]
name = "vendor/simulated"
provider = "scripted"
model = "scripted"
price = "free"
[[models]]
name = "assistant"
candidates = ["vendor/simulated"]
"""


@pytest.fixture
def service() -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(read(without_names(CONFIG), {}, source=Path("t.toml")), Path(folder))
        yield service
        service.books.stop()
        service._audit.close()


def desk_of(service: Service, *parts: Part) -> Desk:
    return Desk(service.gateway, version="1.2.3", parts=lambda: parts, scrape=lambda: b"metric 1\n")


def add_key(service: Service, *, models: tuple[str, ...] | None, own_only: bool = False) -> tuple[str, ...]:
    secret = make_secret(bytes(32))
    digest = key_hash(load_secrets(service._data_dir).pepper, secret)
    service.books.add_key(KeyRecord(
        id="key_1", key_hash=digest, app="a", team="", floor="", models=models, own_only=own_only,
        forbidden_jurisdictions=(), requests_per_minute=0, tokens_per_minute=0, concurrency=0, budget_nano=None,
        budget_period="month", created_ns=1,
    ))  # fmt: skip
    service.books.refresh_keys()
    return (f"Bearer {secret}",)


def names(body: bytes) -> set[str]:
    listed = json.loads(body)
    assert listed["object"] == "list"
    return {entry["id"] for entry in listed["data"]}


def test_targets_and_virtual_models_are_listed_together(service: Service) -> None:
    desk = desk_of(service)
    assert {"vendor/simulated", "assistant", "auto", "vendor"} <= names(desk.list_models(()))
    assert json.loads(desk.show_model((), "assistant"))["object"] == "model"
    with pytest.raises(NotFound) as caught:
        desk.show_model((), "nobody")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_a_key_sees_what_it_may_use_and_a_stranger_nothing(service: Service) -> None:
    desk = desk_of(service)
    assert desk.is_open
    bearer = add_key(service, models=("assistant",))
    assert not desk.is_open
    assert names(desk.list_models(bearer)) == {"assistant"}
    with pytest.raises(NotFound):
        desk.show_model(bearer, "vendor/simulated")
    for authorization in ((), ("Bearer nonsense",), ("Basic x",)):
        with pytest.raises(Unauthenticated):
            desk.list_models(authorization)
        with pytest.raises(Unauthenticated):
            desk.metrics(authorization, is_local=False)
    assert desk.metrics((), is_local=True) == desk.metrics(bearer, is_local=False) == b"metric 1\n"


def test_a_key_that_is_pinned_to_own_premises_sees_no_vendor(service: Service) -> None:
    desk = desk_of(service)
    bearer = add_key(service, models=None, own_only=True)
    assert not {"vendor/simulated", "assistant", "vendor"} & names(desk.list_models(bearer))
    with pytest.raises(NotFound, match="no model that this key may reach"):
        desk.show_model(bearer, "vendor/simulated")


def test_readiness_names_what_is_wrong_and_health_does_not_ask(service: Service) -> None:
    well, ill = Part(name="books", problem=""), Part(name="audit", problem="disk full")
    assert desk_of(service, well).readiness()[0] == 200
    status, body = desk_of(service, well, ill).readiness()
    assert (status, json.loads(body)) == (503, {"status": "unready", "problems": {"audit": "disk full"}})
    assert desk_of(service, ill).health()[0] == 200
    assert json.loads(desk_of(service).health()[1])["version"] == "1.2.3"


def test_the_limit_of_bodies_is_that_of_the_present_configuration(service: Service) -> None:
    assert desk_of(service).most_body_bytes == 1234
