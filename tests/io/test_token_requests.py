"""What each issuer is asked, and what its answers mean. The requests equal those of the vendors' own libraries."""

from __future__ import annotations

import contextlib
import json
from base64 import urlsafe_b64decode
from functools import cache
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.errors import UpstreamRefused
from yuzui.io.token_requests import Token, TokenRequest, read_token, write_request

NOW_S = 1_800_000_000
ENTRA = {"tenant_id": "ten-1", "client_id": "cid", "client_secret": "sec&ret"}


@cache
def a_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def account(**changes: object) -> dict[str, str]:
    whole = {
        "type": "service_account",
        "client_email": "a@p.test",
        "private_key": pem_of(a_key()),
        "private_key_id": "k1",
    }
    return {"service_account": json.dumps(whole | changes)}


def form_of(request: TokenRequest) -> dict[str, str]:
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    return {name: value[0] for name, value in parse_qs(request.body.decode(), strict_parsing=True).items()}


def test_entra_is_asked_for_client_credentials() -> None:
    request = write_request("entra_id", ENTRA, NOW_S)
    assert (request.method, request.url) == ("POST", "https://login.microsoftonline.com/ten-1/oauth2/v2.0/token")
    assert form_of(request) == {
        "client_id": "cid",
        "client_secret": "sec&ret",
        "grant_type": "client_credentials",
        "scope": "https://cognitiveservices.azure.com/.default",
    }


@pytest.mark.parametrize("authority", ["login.chinacloudapi.cn", "https://login.chinacloudapi.cn/"])
def test_entras_authority_and_scope_may_be_others(authority: str) -> None:
    request = write_request("entra_id", ENTRA | {"authority": authority, "scope": "api://x/.default"}, NOW_S)
    assert request.url == "https://login.chinacloudapi.cn/ten-1/oauth2/v2.0/token"
    assert form_of(request)["scope"] == "api://x/.default"


def test_google_gets_an_assertion_that_its_public_key_verifies() -> None:
    request = write_request("google_service_account", account(), NOW_S)
    assert (request.method, request.url) == ("POST", "https://oauth2.googleapis.com/token")
    form = form_of(request)
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    head, claims, signature = form["assertion"].split(".")
    a_key().public_key().verify(_decode(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(_decode(head)) == {"typ": "JWT", "alg": "RS256", "kid": "k1"}
    assert json.loads(_decode(claims)) == {
        "iat": NOW_S,
        "exp": NOW_S + 3600,
        "iss": "a@p.test",
        "aud": "https://oauth2.googleapis.com/token",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
    }


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_googles_address_is_the_accounts_own() -> None:
    request = write_request(
        "google_service_account", account(token_uri="https://tokens.test/t") | {"scope": "s"}, NOW_S
    )
    assert request.url == "https://tokens.test/t"


def test_a_key_of_another_kind_is_refused_before_it_is_sent() -> None:
    other = account(private_key=pem_of(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(UpstreamRefused, match="not an RSA key"):
        write_request("google_service_account", other, NOW_S)


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"client_email":"a","private_key":"b"}'])
def test_what_is_no_service_account_is_named_without_its_content(text: str) -> None:
    with pytest.raises(UpstreamRefused, match=r"service_account is not the JSON of a key.*targets\.auth"):
        write_request("google_service_account", {"service_account": text}, NOW_S)


@pytest.mark.parametrize(
    "url", ["", "https://iam.test.cloud.ibm.com/", "https://iam.test.cloud.ibm.com/identity/token"]
)
def test_ibm_gets_the_api_key_grant(url: str) -> None:
    request = write_request("ibm_iam", {"api_key": "key/1"} | ({"url": url} if url else {}), NOW_S)
    host = "iam.test.cloud.ibm.com" if url else "iam.cloud.ibm.com"
    assert (request.method, request.url) == ("POST", f"https://{host}/identity/token")
    assert form_of(request) == {
        "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
        "apikey": "key/1",
        "response_type": "cloud_iam",
    }


def test_baidu_gets_its_own_signature() -> None:
    request = write_request("baidu_iam", {"access_key": "AKx", "secret_key": "SKy"}, NOW_S)
    assert (request.method, request.body) == ("GET", b"")
    assert request.url == "https://iam.bj.baidubce.com/v1/BCE-BEARER/token?expireInSeconds=86400"
    # What bce-python-sdk==0.9.79, auth/bce_v1_signer.py, makes of the same values with `host` signed.
    assert request.headers["authorization"] == (
        "bce-auth-v1/AKx/2027-01-15T08:00:00Z/1800/host/9471ab63541f6ff7a42c0d3d94168f65ff0edde96ca1792589718db109d8cf5a"
    )


def test_secrets_go_over_https_only_except_at_home() -> None:
    with pytest.raises(UpstreamRefused, match="not https"):
        write_request("ibm_iam", {"api_key": "k", "url": "http://iam.example.test"}, NOW_S)
    assert write_request("ibm_iam", {"api_key": "k", "url": "http://127.0.0.1:8443"}, NOW_S).host == "127.0.0.1"


def test_a_request_shows_no_secret() -> None:
    assert "sec" not in repr(write_request("entra_id", ENTRA, NOW_S)).replace("security", "")
    assert "SKy" not in repr(write_request("baidu_iam", {"access_key": "AKx", "secret_key": "SKy"}, NOW_S))
    assert "abc" not in repr(Token(value="abc", life_s=1))


@pytest.mark.parametrize(
    ("body", "token", "life_s"),
    [
        ({"token_type": "Bearer", "expires_in": 3599, "access_token": "t"}, "t", 3599),
        ({"expires_in": "3599", "access_token": "t"}, "t", 3599),
        ({"access_token": "t", "refresh_token": "not_supported", "expires_in": 3600, "expiration": 9}, "t", 3600),
        ({"userId": "u", "token": "bce-v3/x/y", "status": "enable", "expireTime": "2027-01-16T08:00:00Z"}, "bce-v3/x/y", 86_400),
    ],
    ids=["entra, google", "entra's older endpoint", "ibm", "baidu"],
)  # fmt: skip
def test_tokens_are_found_with_their_life(body: dict[str, object], token: str, life_s: float) -> None:
    found = read_token("entra_id", 200, json.dumps(body).encode())
    assert (found.value, found.life_s) == (token, life_s)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b'{"error":"invalid_client","error_description":"AADSTS7000215 for app 1234"}', "HTTP 401, invalid_client"),
        (400, b'{"errorCode":"BXNIM0415E","errorMessage":"Provided API key could not be found."}', "HTTP 400, BXNIM0415E"),
        (403, b'{"code":"AccessDenied","message":"no","requestId":"r"}', "HTTP 403, AccessDenied"),
        (400, b'{"error":"a code with\\nspaces"}', r"\(HTTP 400\)"),
        (302, b"", "HTTP 302"),
        (200, b"{}", "no token"),
        (200, b"<html>", "no token"),
        (200, b'{"access_token":"t"}', "no token or no life"),
        (200, b'{"access_token":"t","expires_in":0}', "no token or no life"),
        (200, b'{"access_token":"t\\r\\nx-evil: 1","expires_in":60}', "no token"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_setting_and_no_account(status: int, body: bytes, said: str) -> None:
    with pytest.raises(UpstreamRefused, match=said) as caught:
        read_token("entra_id", status, body)
    assert caught.value.code == "upstream_auth"
    assert not caught.value.retryable
    assert "targets.auth" in caught.value.message
    assert "1234" not in caught.value.message


@given(status=st.integers(200, 599), body=st.binary(max_size=80))
def test_any_answer_is_a_token_or_a_refusal(status: int, body: bytes) -> None:
    with contextlib.suppress(UpstreamRefused):
        assert read_token("ibm_iam", status, body).value
