"""Addresses as the hubs document them, and their announcements read with care."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pyreqwest.client import SyncClient

from yuzui.engine.catalogue import HuggingFaceSource, ModelScopeSource
from yuzui.engine.download import build_client
from yuzui.engine.faults import SourceFault
from yuzui.engine.hubs import (
    HUGGING_FACE,
    MODELSCOPE,
    Announced,
    Hubs,
    announced_by_hugging_face,
    announced_by_modelscope,
    hubs_of,
    hugging_face_url,
    modelscope_url,
)

Shelf = Any  # the fixture's class lives in conftest.py, which is not importable by name
SCOPE = ModelScopeSource(repo="o/r", file="f.gguf")


@pytest.fixture
def client() -> Iterator[SyncClient]:
    with build_client(follow=False) as client:
        yield client


def test_addresses_are_spelled_as_the_hubs_want_them() -> None:
    source = HuggingFaceSource(repo="o/r", file="d/f 1.gguf", revision="refs/pr/1")
    assert hugging_face_url(HUGGING_FACE, source) == f"{HUGGING_FACE}/o/r/resolve/refs%2Fpr%2F1/d/f%201.gguf"
    assert modelscope_url(MODELSCOPE, SCOPE) == f"{MODELSCOPE}/models/o/r/resolve/master/f.gguf"


def test_the_environment_moves_the_endpoints() -> None:
    assert hubs_of({}) == Hubs()
    moved = hubs_of({"HF_ENDPOINT": "https://m.example/", "MODELSCOPE_DOMAIN": "s.example"}, "https://x.example/")
    assert (moved.hugging_face, moved.modelscope, moved.mirror) == (
        "https://m.example", "https://s.example", "https://x.example")  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "size", "announced"),
    [
        (f'"{"a" * 64}"', "12", Announced(sha256="a" * 64, size_bytes=12)),
        ('"' + "a" * 40 + '"', "12", Announced(size_bytes=12)),  # a git hash: the file is not a large one
        ("", "-1", Announced()),
    ],
)
def test_hugging_faces_announcement(
    client: SyncClient, shelf: Shelf, tag: str, size: str, announced: Announced
) -> None:
    shelf.files["/f"] = b"x"
    shelf.extra_headers["/f"] = {"X-Linked-ETag": tag, "X-Linked-Size": size}
    assert announced_by_hugging_face(client, shelf.url + "/f", "tok") == announced
    assert shelf.authorizations == ["Bearer tok"]


def test_a_hub_that_does_not_answer_is_a_fault_of_the_source(client: SyncClient, shelf: Shelf) -> None:
    with pytest.raises(SourceFault, match="404"):
        announced_by_hugging_face(client, shelf.url + "/none")
    with pytest.raises(SourceFault, match="ConnectError"):
        announced_by_hugging_face(client, "http://127.0.0.1:1/f")
    with pytest.raises(SourceFault, match="404"):
        announced_by_modelscope(client, shelf.url, SCOPE)


@pytest.mark.parametrize(
    ("listing", "reason"),
    [(b"<html>", "not readable"), (b"{}", "has no file"), (b'{"Data":{"Files":[{"Path":"g"}]}}', "has no file")],
)
def test_a_file_list_without_the_file_is_a_fault_of_the_source(
    client: SyncClient, shelf: Shelf, listing: bytes, reason: str
) -> None:
    shelf.files["/api/v1/models/o/r/repo/files"] = listing
    with pytest.raises(SourceFault, match=reason):
        announced_by_modelscope(client, shelf.url, SCOPE)
