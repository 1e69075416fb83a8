"""Connection strings."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            'x = "Server=db1;Database=crm;User Id=app;Password=T7!kq29z;Encrypt=true"',
            "Server=db1;Database=crm;User Id=app;Password=T7!kq29z;Encrypt=true",
        ),
        ("use Driver={SQL};Server=h;Uid=me;Pwd=zz81kqp; please", "Driver={SQL};Server=h;Uid=me;Pwd=zz81kqp"),
        ("数据库 Server=h;Database=d;Password=zz81kqp 换了", "Server=h;Database=d;Password=zz81kqp"),
    ],
)
def test_a_string_with_a_password_is_found_whole(text: str, value: str) -> None:
    assert values(text, "connection_string") == [value]


@pytest.mark.parametrize(
    "text", ["Server=h;Password=password", "Server=h;Database=d", "a; password = x", "Server=h;Pwd=${DB_PW}"]
)
def test_placeholders_and_prose_are_left_alone(text: str) -> None:
    assert values(text, "connection_string") == []
