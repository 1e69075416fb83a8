"""The last look before bytes leave."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from privacy.kit import make_rules, scanner
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.privacy.egress import EgressRefused, MaskedProof, Scanned, check_egress, check_masked
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.privacy.surrogates import Namer, Surrogates


def target(name: str, clearance: int) -> Target:
    return Target(
        name=name, provider="vllm", codec="openai", model="m", base_url="http://127.0.0.1:1", premises="own",
        clearance=clearance, jurisdiction="CN",
    )  # fmt: skip  # two lines say less than nine


def decision(*allowed: str, level: int = 3) -> Decision:
    return Decision(
        model="auto",
        policy="own_first",
        level=level,
        allowed=AllowedSet(frozenset(allowed)),
        plan=(),
        refused=(),
        why="",
    )


def sensitivity(level: int) -> Sensitivity:
    return Sensitivity(level=level, causes=(), kinds={})


@pytest.mark.parametrize(("clearance", "level"), [(3, 3), (3, 0), (0, 0)])
def test_an_allowed_target_with_clearance_passes(clearance: int, level: int) -> None:
    scanned = check_egress(decision("a"), target("a", clearance), sensitivity(level), "wire", b"{}")
    assert (scanned.wire, scanned.target) == ("wire", "a")


@pytest.mark.parametrize(("name", "clearance", "level", "decided"), [("b", 3, 0, 3), ("a", 1, 2, 3), ("a", 3, 3, 2)])
def test_anything_else_is_stopped(name: str, clearance: int, level: int, decided: int) -> None:
    with pytest.raises(PermissionError):
        check_egress(decision("a", level=decided), target(name, clearance), sensitivity(level), None, b"{}")


# ---- masked ----------------------------------------------------------------------------------------------------------

MAIL = "wang@corp.cn"


def surrogates() -> tuple[Surrogates, str]:
    issued = Surrogates(Namer(b"a deployment's secret, 32 bytes.", tenant="key_1"))
    return issued, issued.issue("email", MAIL)


def proof_of(content: str, to: Target, **more: Any) -> tuple[MaskedProof, bytes]:  # Any: JSON values
    issued, _ = surrogates()
    sent = {"model": "m", "messages": [{"role": "user", "content": content}], **more}
    body = json.dumps(sent).encode()
    return check_masked(sent, body, to, 1, issued, scanner(), make_rules()), body


def test_only_the_checks_make_proofs() -> None:
    with pytest.raises(PermissionError):
        Scanned("wire", "a", seal=object())
    with pytest.raises(PermissionError):
        MaskedProof(b"", "a", 0, seal=object())


def test_a_clean_masked_body_may_go_to_its_target_and_no_other() -> None:
    _, token = surrogates()
    to = target("a", 1)
    proof, body = proof_of(f"ask {token}, password: {token}", to)
    assert check_egress(decision("a", "b"), to, sensitivity(3), "wire", body, proof).wire == "wire"
    for other, bytes_ in (
        (target("b", 1), body),
        (to, bytes(bytearray(body))),
        (replace(to, takes_masked=False), body),
    ):
        with pytest.raises(PermissionError):
            check_egress(decision("a", "b"), other, sensitivity(3), "wire", bytes_, proof)
    with pytest.raises(PermissionError):
        check_egress(decision("a"), target("a", 0), sensitivity(3), "wire", body, proof)


@pytest.mark.parametrize(
    "content",
    [MAIL, MAIL.upper(), "q=wang%40corp.cn", json.dumps({"a": f"{MAIL}\n"}), "other@corp.cn", "13800138000"],
)
def test_what_is_left_refuses_the_target(content: str) -> None:
    with pytest.raises(EgressRefused) as caught:
        proof_of(content, target("a", 1))
    assert "corp" not in str(caught.value)


@pytest.mark.parametrize("told", ["", "—", None])
def test_what_cannot_be_told_is_not_ours(told: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuzui.privacy.egress.text_of", lambda *_: told)
    with pytest.raises(EgressRefused):
        proof_of("13800138000", target("a", 1))


def test_pieces_of_stand_ins_that_look_like_a_value_across_turns_are_ours() -> None:
    found = 0
    for number in range(60):
        issued = Surrogates(Namer(bytes([number]) * 32, tenant="key_1"))
        first, second = issued.issue("bank_card", "4111111111111111"), issued.issue("cn_mobile", "13900001234")
        sent = {"messages": [{"role": "user", "content": f"手机 {one}"} for one in (first, second, first, second)]}
        body = json.dumps(sent).encode()
        found += bool(scanner().scan(sent).findings)
        check_masked(sent, body, target("a", 0), 0, issued, scanner(), make_rules())
        with pytest.raises(EgressRefused):
            sent = {
                "messages": [
                    *sent["messages"],
                    {"role": "user", "content": "1390000"},
                    {"role": "user", "content": "1235"},
                ]
            }
            check_masked(sent, body, target("a", 0), 0, issued, scanner(), make_rules())
    assert found, "then nothing was tried"


def test_what_the_target_may_see_anyway_is_no_reason() -> None:
    assert proof_of("other@corp.cn", target("a", 2))
    with pytest.raises(EgressRefused):
        proof_of(MAIL, target("a", 2))


def test_a_detector_that_breaks_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scanner, "scan", lambda *_: ScanResult(failures=("email",)))
    with pytest.raises(EgressRefused, match="failed"):
        proof_of("hello", target("a", 1))


def test_a_likeness_is_no_finding() -> None:
    issued, _ = surrogates()
    likeness = issued.issue("cn_mobile", "13800138000", lambda kind, surface, stream: "13900139000")
    sent = {"messages": [{"role": "user", "content": f"call {likeness}"}], "metadata": {"n": int(likeness)}}
    assert check_masked(sent, b"{}", target("a", 1), 1, issued, scanner(), make_rules())


def test_what_a_wire_encodes_is_looked_into() -> None:
    issued, _ = surrogates()
    likeness = issued.issue("cn_mobile", "13800138000", lambda kind, surface, stream: "13900139000")
    for text, is_clean in ((f"please do call {likeness} today", True), ("please do call 13700137000 today", False)):
        sent = {"messages": [{"role": "user", "content": b64encode(text.encode()).decode()}]}
        if is_clean:
            assert check_masked(sent, b"{}", target("a", 1), 1, issued, scanner(), make_rules())
        else:
            with pytest.raises(EgressRefused):
                check_masked(sent, b"{}", target("a", 1), 1, issued, scanner(), make_rules())
