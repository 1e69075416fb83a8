"""How each kind of credential is exchanged for a bearer token: the request to the issuer, and what its answer says.

Sources (read 2026-11-26): azure-identity==1.27.0, _internal/aad_client_base.py (client credentials);
google-auth==2.63.0, oauth2/service_account.py and auth/jwt.py (RFC 7523); ibm-cloud-sdk-core==3.28.0,
token_managers/iam_token_manager.py; bce-python-sdk==0.9.79, auth/bce_v1_signer.py with qianfan==0.4.12.3,
resources/console/iam.py (`bce-auth-v1`).
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from yuzui.core.errors import UpstreamRefused

ENTRA_AUTHORITY: Final = "https://login.microsoftonline.com"
ENTRA_SCOPE: Final = "https://cognitiveservices.azure.com/.default"
GOOGLE_TOKEN_URI: Final = "https://oauth2.googleapis.com/token"
GOOGLE_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
IBM_URL: Final = "https://iam.cloud.ibm.com"
BAIDU_URL: Final = "https://iam.bj.baidubce.com"
GOOGLE_GRANT_S: Final = 3600  # the most that Google takes
BAIDU_TOKEN_S: Final = 86_400  # we say how long it shall live
BAIDU_SIGNATURE_S: Final = 1800

_LOCAL: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_FORM: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    value: str = field(repr=False)
    life_s: float


def write_request(kind: str, settings: Mapping[str, str], now_s: int) -> TokenRequest:
    """The exchange of `settings` (see `core.target.Auth`). Raise `UpstreamRefused` for settings that cannot be used."""
    request = _WRITERS[kind](settings, now_s)
    parts = urlsplit(request.url)
    if parts.scheme != "https" and parts.hostname not in _LOCAL:
        raise refused(kind, "the address for tokens is not https")
    return request


def read_token(kind: str, status: int, body: bytes) -> Token:
    """Raise `UpstreamRefused` (code `upstream_auth`) when the issuer gave none."""
    try:
        found = _answer(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Answer()
    value = found.access_token or found.token or ""
    if status not in (200, 201):
        # Of the issuer's words only its code is told: descriptions name tenants and accounts.
        code = next((c for c in (found.error, found.errorCode, found.code) if c and _CODE.fullmatch(c)), "")
        raise refused(kind, f"HTTP {status}{f', {code}' if code else ''}", status)
    life_s = found.expires_in if found.expires_in is not None else float(BAIDU_TOKEN_S if found.token else 0)
    if not (value and value.isascii() and value.isprintable() and life_s > 0):
        raise refused(kind, "its answer holds no token or no life of it")
    return Token(value=value, life_s=life_s)


def refused(kind: str, why: str, status: int = 401) -> UpstreamRefused:
    fault = UpstreamRefused(
        f"no token for the target: {kind} was refused ({why}); check targets.auth",
        upstream_status=status,
        code="upstream_auth",
    )
    fault.retryable = False
    return fault


def _entra(settings: Mapping[str, str], now_s: int) -> TokenRequest:
    authority = (settings.get("authority") or ENTRA_AUTHORITY).rstrip("/")
    if "://" not in authority:
        authority = f"https://{authority}"  # both spellings are in use
    form = {
        "client_id": settings["client_id"],
        "client_secret": settings["client_secret"],
        "grant_type": "client_credentials",
        "scope": settings.get("scope") or ENTRA_SCOPE,
    }
    url = f"{authority}/{quote(settings['tenant_id'], safe='')}/oauth2/v2.0/token"
    return TokenRequest(method="POST", url=url, headers=_FORM, body=urlencode(form).encode())


def _google(settings: Mapping[str, str], now_s: int) -> TokenRequest:
    try:
        account = _account(settings["service_account"])
        key = serialization.load_pem_private_key(account.private_key.encode(), password=None)
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise refused("google_service_account", "service_account is not the JSON of a key") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise refused("google_service_account", "its key is not an RSA key")
    head = {"typ": "JWT", "alg": "RS256", **({"kid": account.private_key_id} if account.private_key_id else {})}
    claims = {
        "iat": now_s,
        "exp": now_s + GOOGLE_GRANT_S,
        "iss": account.client_email,
        "aud": GOOGLE_TOKEN_URI,  # also where another address stands for it
        "scope": settings.get("scope") or GOOGLE_SCOPE,
    }
    unsigned = b".".join(_base64(msgspec.json.encode(part)) for part in (head, claims))
    signature = key.sign(unsigned, padding.PKCS1v15(), hashes.SHA256())
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": (unsigned + b"." + _base64(signature)).decode(),
    }
    return TokenRequest(
        method="POST", url=account.token_uri or GOOGLE_TOKEN_URI, headers=_FORM, body=urlencode(form).encode()
    )


def _ibm(settings: Mapping[str, str], now_s: int) -> TokenRequest:
    base = (settings.get("url") or IBM_URL).rstrip("/").removesuffix("/identity/token")
    form = {
        "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
        "apikey": settings["api_key"],
        "response_type": "cloud_iam",
    }
    return TokenRequest(method="POST", url=f"{base}/identity/token", headers=_FORM, body=urlencode(form).encode())


def _baidu(settings: Mapping[str, str], now_s: int) -> TokenRequest:
    base = (settings.get("url") or BAIDU_URL).rstrip("/")
    host = urlsplit(base).netloc
    moment = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    scope = f"bce-auth-v1/{settings['access_key']}/{moment}/{BAIDU_SIGNATURE_S}"
    path, query = "/v1/BCE-BEARER/token", f"expireInSeconds={BAIDU_TOKEN_S}"
    to_sign = "\n".join(("GET", path, query, f"host:{quote(host, safe='-._~')}"))
    key = hmac.new(settings["secret_key"].encode(), scope.encode(), "sha256").hexdigest()
    signature = hmac.new(key.encode(), to_sign.encode(), "sha256").hexdigest()
    headers = {"accept": "application/json", "authorization": f"{scope}/host/{signature}"}
    return TokenRequest(method="GET", url=f"{base}{path}?{query}", headers=headers)


def _base64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


_WRITERS: Final[Mapping[str, Callable[[Mapping[str, str], int], TokenRequest]]] = {
    "entra_id": _entra,
    "google_service_account": _google,
    "ibm_iam": _ibm,
    "baidu_iam": _baidu,
}


class _Account(msgspec.Struct, frozen=True):
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = ""


class _Answer(msgspec.Struct, frozen=True):
    access_token: str | None = None
    token: str | None = None  # Baidu
    expires_in: float | None = None
    error: str | None = None
    errorCode: str | None = None  # IBM
    code: str | None = None  # Baidu


_account = msgspec.json.Decoder(_Account).decode
_answer = msgspec.json.Decoder(_Answer, strict=False).decode  # Entra's older endpoint sends numbers as texts
