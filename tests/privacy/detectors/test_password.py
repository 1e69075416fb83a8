"""Secrets that only their label gives away."""

from __future__ import annotations

import pytest

from privacy.kit import RANDOM_LOOKING, values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("password: hunter2zz", "hunter2zz"),
        ('"password": "testpass"', "testpass"),
        ("密码是Tr0ub4dor&3", "Tr0ub4dor&3"),
        ("DB_PASSWORD=s3cr3t!pw host=x", "s3cr3t!pw"),
        ("密码：abc12345。", "abc12345"),
        ("pwd = '秘密abc1'", "秘密abc1"),
        ("run --password s8pn9x! --leader", "s8pn9x!"),
        ("tokens: ['" + RANDOM_LOOKING[:16] + "', 'x']", RANDOM_LOOKING[:16]),
        ('"apitoken": "{\\"sig\\":\\"' + RANDOM_LOOKING[:24] + '\\"}"', RANDOM_LOOKING[:24]),
        ("logged in with password 8nZ!kV4%beta.", "8nZ!kV4%beta"),
        ("POSTGRES_PASSWORD=sqxzf", "sqxzf"),
        ("user=me&password=hunter2zz&x=1", "hunter2zz"),
        ("my API key is 9djsw25b28hnm9u2", "9djsw25b28hnm9u2"),
        (f"client_secret={RANDOM_LOOKING[:32]}", RANDOM_LOOKING[:32]),
    ],
)
def test_a_labelled_secret_is_found(text: str, value: str) -> None:
    assert values(text, "password") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "do.password = password",
        "password = get_password()",
        "token = request.token",
        'password: "<your password>"',
        "password: ${DB_PASS}",
        "password=None",
        'secret = "a short text"',
        "Forgot your password? Click here",
        "token: str",
        "max_tokens=1024",
        "password: ********",
        "token = tokens[0]",
        "monkey = banana12345",
        "password: 123456",
        "nonce:cnonce",
        "usernamePassword(credentialsId: x1)",
        "the password protected area",
        "tokens: [1, 2, 3]",
        'PASSWORD = os.environ["X1Y2Z3"]',
    ],
)
def test_code_and_placeholders_are_left_alone(text: str) -> None:
    assert values(text, "password") == []
