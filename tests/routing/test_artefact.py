from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from graded_kit import fitted
from yuzui.core.errors import ConfigError
from yuzui.routing.artefact import VERSION, Certificate, hash_of, read_artefact, write_artefact


def certificate(**changes: object) -> Certificate:
    one = Certificate(
        policy="up_front", candidates=("small",), epsilon=0.02, delta=0.1, method="m", data=fitted().data, seed=1,
        made_at="2026-11-26", fitted_sha256=hash_of(fitted()), threshold=0.1, loss=0.01, open_share=0.5, saving=0.4,
        tested=(), cost_basis="as given",
    )  # fmt: skip  # one thing
    return replace(one, **changes)


def test_what_is_written_is_read() -> None:
    read = read_artefact(write_artefact(fitted(), (certificate(),)))
    assert read.fitted == fitted()
    assert read.fitted_sha256 == hash_of(fitted())
    assert read.certificates == (certificate(),)


def test_writing_is_the_same_twice() -> None:
    assert write_artefact(fitted()) == write_artefact(fitted())


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'"delta":0.1', b'"delta":0.9'),
        (b'"threshold":0.1', b'"threshold":9.9'),
        (b'"name":"small"', b'"name":"smell"'),
    ],
)
def test_a_changed_file_is_refused(was: bytes, becomes: bytes) -> None:
    raw = write_artefact(fitted(), (certificate(),))
    assert was in raw
    with pytest.raises(ConfigError, match="was changed after it was written"):
        read_artefact(raw.replace(was, becomes, 1))


def test_another_version_and_another_file_are_told_apart() -> None:
    raw = write_artefact(fitted())
    with pytest.raises(ConfigError, match=f"version {VERSION + 1}"):
        read_artefact(raw.replace(b'"version":1', b'"version":2', 1))
    with pytest.raises(ConfigError, match="not an artefact"):
        read_artefact(raw.replace(b"yuzui-routing", b"other-routing", 1))


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"\xff\xfe", b"\x80\x04pickle.", b'{"format":"yuzui-routing","version":1}']
)
def test_what_is_no_artefact_is_refused_in_one_sentence(raw: bytes) -> None:
    with pytest.raises(ConfigError, match=r"this\.json cannot be read"):
        read_artefact(raw, "this.json")


def test_a_certificate_of_another_fit_is_neither_written_nor_read() -> None:
    strange = certificate(fitted_sha256="0" * 64)
    with pytest.raises(ValueError, match="another fit"):
        write_artefact(fitted(), (strange,))
    raw = msgspec.json.decode(write_artefact(fitted(), (certificate(),)))
    raw["body"]["certificates"][0]["fitted_sha256"] = "0" * 64
    import hashlib

    body = msgspec.json.encode(raw["body"])
    forged = msgspec.json.encode({**raw, "sha256": hashlib.sha256(body).hexdigest(), "body": msgspec.Raw(body)})
    with pytest.raises(ConfigError, match="another fit"):
        read_artefact(forged)
