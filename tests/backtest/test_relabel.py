"""Labels under other rules, from kinds, counts and causes alone."""

from __future__ import annotations

import msgspec
import pytest

from backtest_kit import TOML, Sent, read_back, record_of, snapshot
from yuzui.audit.record import CauseRecord
from yuzui.backtest.relabel import CHANGEABLE, Label, relabel, request_of
from yuzui.core.caller import LOOPBACK_CALLER, Caller, Constraints
from yuzui.core.price_terms import read_terms
from yuzui.core.sensitivity import Cause
from yuzui.masking_choice import NotMasked, choose, still

THERE = snapshot()
MASKING = TOML + '\n[masking]\nkinds = ["email"]\n'


def label(
    sent: Sent, draft: str = TOML, caller: Caller = LOOPBACK_CALLER, **changes: object
) -> tuple[Label, list[str]]:
    recorded = read_back([msgspec.structs.replace(record_of(sent, THERE), **changes)])[0]
    assumed: list[str] = []
    features = frozenset(recorded.asked.features) if recorded.asked else frozenset()
    found = relabel(recorded, snapshot(draft).config, caller, features, request_of(recorded, ()), assumed.append)
    return found, assumed


def test_a_kind_that_the_draft_does_not_know_counts_as_it_did() -> None:
    causes = (CauseRecord(source="finding", level="restricted", detail="project"),)
    found, assumed = label(Sent(), findings={"project": 1}, causes=causes)
    assert found.level == 3
    assert assumed == ["unknown_kind"]


def test_a_level_that_the_draft_does_not_know_counts_as_the_highest() -> None:
    causes = (CauseRecord(source="conversation", level="cosmic", detail=""),)
    found, assumed = label(Sent(), causes=causes)
    assert (found.level, assumed) == (3, ["conversation"])


@pytest.mark.parametrize(
    ("source", "level"), [("detector_failure", 3), ("unscanned", 2), ("conversation", 2), ("of a later version", 2)]
)
def test_other_causes(source: str, level: int) -> None:
    draft = TOML.replace("[sensitivity.names]", '[sensitivity]\nunscannable = "confidential"\n[sensitivity.names]')
    found, _ = label(Sent(), draft, causes=(CauseRecord(source=source, level="confidential", detail=""),))
    assert found.level == level


def test_a_judge_counts_where_the_draft_asks_one() -> None:
    causes = (CauseRecord(source="judge", level="restricted", detail="trade_secret"),)
    assert label(Sent(), causes=causes) == (Label(level=1, masked_level=None), [])
    draft = TOML + '\n[sensitivity.judge]\ntarget = "house/qwen"\nlabels = { trade_secret = "confidential" }\n'
    assert label(Sent(), draft, causes=causes) == (Label(level=2, masked_level=None), ["judge"])
    silent = (CauseRecord(source="judge", level="restricted", detail="it took too long"),)
    assert label(Sent(), draft, causes=silent)[0].level == 3


def test_a_lower_default_is_named() -> None:
    draft = TOML.replace("[sensitivity.names]", '[sensitivity]\ndefault = "public"\n[sensitivity.names]')
    assert label(Sent(), draft) == (Label(level=0, masked_level=None), ["lower_default"])


def test_stand_ins_lower_what_the_draft_lets_be_masked() -> None:
    assert label(Sent(findings=("email",)), MASKING) == (Label(level=2, masked_level=1), ["maskable"])
    assert label(Sent(findings=("email", "api_key")), MASKING)[0].masked_level is None


def test_a_conversation_counts_masked_as_it_was_masked() -> None:
    sent = Sent(findings=("email",), remembered=2)
    assert label(sent, MASKING)[0].masked_level is None
    assert label(sent, MASKING, masked_level="internal")[0].masked_level == 1


def test_what_cannot_be_masked_is_not() -> None:
    assert label(Sent(findings=("email",), features=frozenset({"logprobs"})), MASKING)[0].masked_level is None
    assert label(Sent(findings=("email",)), MASKING, operation="embeddings")[0].masked_level is None
    forbidding = Caller(key_id="k", app="a", constraints=Constraints(allow_masking=False))
    assert label(Sent(findings=("email",)), MASKING, forbidding)[0].masked_level is None


def test_the_reasons_of_configuration_and_key_are_told_from_those_of_the_request() -> None:
    request = request_of(read_back([record_of(Sent(), THERE)])[0], ())
    off = MASKING.replace('name = "assistant"', 'name = "assistant"\nmasking = "off"')
    forbidding = Caller(key_id="k", app="a", constraints=Constraints(allow_masking=False))
    changeable = [
        choose(THERE.config, LOOPBACK_CALLER, request, None),
        choose(snapshot(MASKING).config, forbidding, request, None),
        choose(snapshot(off).config, LOOPBACK_CALLER, request, None),
        still("confidential", (Cause(source="finding", level=2, detail="iban"),), 2),
    ]
    for one in changeable:
        assert isinstance(one, NotMasked)
        assert one.reason.startswith(CHANGEABLE)
    lasting = choose(snapshot(MASKING).config, LOOPBACK_CALLER, request, "off")
    assert isinstance(lasting, NotMasked)
    assert not lasting.reason.startswith(CHANGEABLE)


@pytest.mark.parametrize("term", ["service_tier=priority", "speed=fast", "inference_geo=us", "latency=optimized",
                                  "service_tier=?"])  # fmt: skip
def test_a_stand_in_request_asks_for_the_same_terms(term: str) -> None:
    request = request_of(read_back([record_of(Sent(), THERE)])[0], (term,))
    assert request.price_terms == read_terms(request.body) == {term}
    with pytest.raises(AssertionError):
        _ = request.meaning
