"""AWS Signature Version 4: the headers that prove who sends a request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and botocore==1.44.8,
auth.py (read 2026-11-26), whose signatures these are. Signed are the headers that are handed over; a client library may
add others.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlsplit

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED: Final = frozenset(("authorization", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"))
"""Headers that something on the way may change or add."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    access_key: str,
    secret_key: str,
    session_token: str = "",
    region: str,
    service: str,
    at: datetime,
) -> dict[str, str]:
    """Headers to send beside `headers`: `authorization`, `x-amz-date` and, for temporary credentials, their token.

    `url` is the address as it is sent, percent-encoding included. `at` is aware; five minutes off is refused by AWS.
    """
    parts = urlsplit(url)
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-date": moment}
    if session_token:
        added["x-amz-security-token"] = session_token
    signed = {name.lower(): " ".join(value.split()) for name, value in headers.items() if name.lower() not in UNSIGNED}
    signed.setdefault("host", _host(parts.scheme, parts.hostname or "", parts.port))
    signed.update(added)
    names = ";".join(sorted(signed))
    request = "\n".join(
        (
            method.upper(),
            # Each segment is encoded once more than it travels; only S3 does otherwise.
            quote(_without_dots(parts.path), safe="/~"),
            "&".join(f"{name}={value}" for name, value in _pairs(parts.query)),
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{secret_key}".encode()
    for word in (moment[:8], region, service, "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    added["authorization"] = (
        f"{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return added


def _host(scheme: str, name: str, port: int | None) -> str:
    name = f"[{name}]" if ":" in name else name
    return name if port is None or port == _DEFAULT_PORTS.get(scheme) else f"{name}:{port}"


def _pairs(query: str) -> list[tuple[str, str]]:
    if not query:
        return []
    return sorted((pair.partition("=")[0], pair.partition("=")[2]) for pair in query.split("&"))


def _without_dots(path: str) -> str:
    """`path` without `.`, `..` and empty segments."""
    if not path:
        return "/"
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    start = "/" if path.startswith("/") else ""
    end = "/" if path.endswith("/") and kept else ""
    return f"{start}{'/'.join(kept)}{end}"
