"""Headers are read by name, and never listed."""

from __future__ import annotations

from yuzui.core.headers import HeaderView


def test_a_header_is_read_by_name_and_nothing_is_listed() -> None:
    view = HeaderView({"retry-after": "3"}.get)
    assert view["retry-after"] == "3" and view.get("retry-after") == "3"
    assert view.get("set-cookie") is None and "set-cookie" not in view
    assert (len(view), list(view)) == (0, [])
