"""Secrets in addresses of services."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mysql://root:hunter2@db.internal/x", "hunter2"),
        ("nats://admin:crl4vkzu@localhost", "crl4vkzu"),
        ("redis://:s3cr3tpw@cache:6379/0", "s3cr3tpw"),
        ("amqp://me:p@ss1word@mq/", "p@ss1word"),
    ],
)
def test_the_secret_of_an_address_is_found(text: str, value: str) -> None:
    assert values(text, "url_credentials") == [value]


@pytest.mark.parametrize(
    "text", ["http://user:xxxxxx@host/", "http://user:pass@host", "https://u:${PW}@h", "http://host:80/a@b"]
)
def test_placeholders_and_ports_are_left_alone(text: str) -> None:
    assert values(text, "url_credentials") == []
