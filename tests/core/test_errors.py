"""The error tree is complete, its codes are stable and unique, and its picture in the docstring is true."""

from __future__ import annotations

import re

import pytest

from yuzui.core import errors
from yuzui.core.errors import AnswerWithheld, ClientFault, UpstreamFault, UpstreamRefused, YuzuiError

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, YuzuiError)]
DRAWN = re.findall(r"[├└]── (\w+) +(?:(\d{3})(?:/\d{3})?\b)?", errors.__doc__ or "")


def test_the_picture_shows_every_class_and_no_other() -> None:
    # ConfigError is never an answer to a client: it ends a start or a reload.
    assert {name for name, _ in DRAWN} == {c.__name__ for c in CLASSES} - {"YuzuiError", "ConfigError"}


@pytest.mark.parametrize(("name", "status"), [(name, status) for name, status in DRAWN if status])
def test_the_picture_shows_the_right_status(name: str, status: str) -> None:
    assert getattr(errors, name).status == int(status)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_has_a_code_of_its_own_and_a_matching_status(kind: type[YuzuiError]) -> None:
    families = {YuzuiError, ClientFault}  # drawn to be derived from; ClientFault is raised with a code of its own
    if kind not in families:
        assert "code" in vars(kind)
        assert [other for other in CLASSES if other.code == kind.code] == [kind]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    if issubclass(kind, ClientFault):
        assert 400 <= kind.status < 500
    elif issubclass(kind, UpstreamFault):
        assert kind.status in (429, 502, 504)
    elif kind is AnswerWithheld:  # nobody's fault: the operator forbids what the model said
        assert kind.status == 403
    else:
        assert kind.status >= 500


def test_what_is_given_overrides_the_class_for_one_instance_only() -> None:
    error = ClientFault("words", code="special", status=421, param="model", retry_after_s=1.5)
    assert (str(error), error.message) == ("words", "words")
    assert (error.code, error.status, error.param, error.retry_after_s) == ("special", 421, "model", 1.5)
    assert (ClientFault("x").code, ClientFault("x").status) == ("internal_error", 400)


def test_a_refusal_remembers_what_the_target_answered() -> None:
    error = UpstreamRefused("no", upstream_status=418, code="teapot")
    assert (error.upstream_status, error.code, error.may_have_run) == (418, "teapot", False)
