"""The same configuration changes nothing; another one changes what its rules say, and nothing is guessed in silence."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest_kit import TOML, Sent, kept, read_back, reading, record_of, replayed, snapshot
from guarantee_kit import certificate, config, write_router
from yuzui.backtest.replay import scaled
from yuzui.backtest.tally import Change, Line, Tally
from yuzui.core.caller import Budget, Caller, Constraints
from yuzui.core.chat import Feature
from yuzui.core.decision import Decision
from yuzui.core.errors import ConfigError
from yuzui.core.usage import Usage
from yuzui.io.learned_routers import load_routers
from yuzui.routing.health import Health

THERE = snapshot()
TRIED = TOML.replace(
    'name = "drawn"\n', 'name = "drawn"\ntrials = [{ name = "own", arm = "house/qwen", percent = 5 }]\n'
).replace('name = "assistant"\n', 'name = "assistant"\ntrials = [{ name = "far", arm = "far/gpt", percent = 5 }]\n')
MASKING = TOML + '\n[masking]\nkinds = ["email"]\n'
CALLERS = (
    Caller(key_id="k0", app="a", team="red"),
    Caller(key_id="k1", app="a", team="red", constraints=Constraints(own_only=True)),
    Caller(key_id="k2", app="b", team="blue", constraints=Constraints(floor=2), budget=Budget(cap_nano=90_000)),
    Caller(key_id="k3", app="b", team="blue", constraints=Constraints(forbidden_jurisdictions=frozenset({"US"}))),
    Caller(key_id="k4", app="c", models=frozenset({"drawn"}), constraints=Constraints(allow_masking=False)),
)
healths = st.builds(
    Health,
    blocked=st.sampled_from([frozenset(), frozenset({"deepseek/chat"}), frozenset({"house/qwen", "far/gpt"})]),
    in_flight=st.sampled_from([{}, {"house/qwen": 2}, {"house/qwen": 1, "far/gpt": 3}]),
    latency_ms=st.sampled_from([{}, {"far/gpt": 5.0, "deepseek/chat": 9.0}, {"deepseek/chat": 2.0, "far/gpt": 4.0}]),
)
sents = st.builds(
    Sent,
    model=st.sampled_from(["assistant", "thrifty", "drawn", "quick", "far/gpt", "house/qwen", "gpt", "auto", "none"]),
    findings=st.lists(st.sampled_from(["email", "bank_card", "api_key", "uuid"]), max_size=3).map(tuple),
    remembered=st.one_of(st.none(), st.integers(0, 3)),
    features=st.frozensets(st.sampled_from(get_args(Feature)), max_size=1),
    size_bytes=st.sampled_from([1, 800, 12_000, 40_000, 400_000]),
    max_output_tokens=st.sampled_from([None, 1, 100_000]),
    fraction=st.floats(0, 1, exclude_max=True),
    health=healths,
    failed=st.integers(0, 3),
    caller=st.sampled_from(CALLERS),
    draws_arm=st.booleans(),
    service_tier=st.sampled_from(["", "auto", "priority", "a customer's word"]),
)  # fmt: skip
policies = st.sampled_from(["own_first", "cheapest", "weighted", "fastest", "burst", "pinned"])


def only(tally: Tally) -> tuple[Change, Line]:
    found = [(change, line) for change, line in tally.lines.items() if line.requests]
    assert len(found) == 1, found
    return found[0]


@settings(max_examples=150, deadline=None)
@given(st.lists(sents, min_size=1, max_size=12), policies, st.sampled_from([TOML, MASKING, TRIED]), st.booleans())
def test_the_configuration_that_decided_changes_nothing(
    traffic: list[Sent], policy: str, configured: str, falls_back: bool
) -> None:
    text = configured.replace('policy = "own_first"', f'policy = "{policy}"')
    if not falls_back:
        text = text.replace('name = "thrifty"', 'name = "thrifty"\nfallback = false')
    there = snapshot(text)
    records = [record_of(sent, there, number) for number, sent in enumerate(traffic)]
    tally = replayed(records, snapshot(text), callers=CALLERS)
    assert tally.replayed == len(records)
    for change, line in tally.lines.items():
        assert change.is_quiet, (change, line)
        assert line.before_nano == line.after_nano
        assert not line.uncounted or change.after


def test_a_drawn_arm_is_drawn_again_and_without_its_trial_it_is_a_change() -> None:
    there = snapshot(TRIED)
    record = record_of(Sent(draws_arm=True), there)
    assert (record.target, record.trials) == ("far/gpt", {"far": "arm"})
    assert all(change.is_quiet for change in replayed([record], there).lines)
    change, _ = only(replayed([record], THERE))
    assert (change.before, change.after) == ("far/gpt", "house/qwen")


def test_what_went_by_the_latencies_of_the_moment_is_kept_and_named() -> None:
    sent = Sent(model="quick", health=Health(latency_ms={"far/gpt": 9.0, "deepseek/chat": 1.0}))
    record = record_of(sent, THERE)
    assert record.plan == ("deepseek/chat", "far/gpt")
    tally = replayed([record, record_of(Sent(model="quick"), THERE)], THERE)
    assert all(change.is_quiet for change in tally.lines)


def test_a_burst_of_the_moment_is_kept_and_named() -> None:
    text = TOML.replace('policy = "own_first"', 'policy = "burst"')
    there = snapshot(text)
    record = record_of(Sent(health=Health(in_flight={"house/qwen": 40})), there)
    assert record.target == "deepseek/chat"
    assert record.asked is not None
    queued = msgspec.structs.replace(record, asked=msgspec.structs.replace(record.asked, full=()))
    tally = replayed([record, queued], snapshot(text))
    assert all(change.is_quiet for change in tally.lines)
    assert tally.by_load == 1


def test_a_place_changes_with_the_policy_and_the_record_says_what_it_was() -> None:
    draft = snapshot(TOML.replace('policy = "own_first"', 'policy = "pinned"').replace(
        'candidates = ["house/qwen", "deepseek/chat", "far/gpt"]', 'candidates = ["far/gpt"]'))  # fmt: skip
    change, line = only(replayed([record_of(Sent(), THERE)], draft))
    assert (change.before, change.after, change.was, change.now) == (
        "house/qwen", "far/gpt", "permitted", "not a candidate",
    )  # fmt: skip
    assert change.left_house
    assert change.left_country
    assert line.examples == ["req_000000"]
    # 200 and 100 tokens at 0.1/0.2 and at 2/8 dollars per million, in billionths of a dollar.
    assert (line.before_nano, line.after_nano) == (40_000, 1_200_000)


def test_tokens_of_another_model_can_be_scaled_and_are_rounded_up() -> None:
    usage = Usage(input_tokens=10, output_tokens=3, images=2)
    assert scaled(usage, Fraction(11, 10)) == Usage(input_tokens=11, output_tokens=4, images=2)
    draft = snapshot(TOML.replace('policy = "own_first"', 'policy = "cheapest"').replace("input = 0.1,", "input = 9,"))
    records = [record_of(Sent(), THERE)]
    plain, twice = replayed(records, draft), replayed(records, draft, factors={"deepseek/chat": Fraction(2)})
    assert only(twice)[1].after_nano == 2 * only(plain)[1].after_nano > 0


def test_a_factor_for_a_target_that_the_draft_lacks_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no target 'x'"):
        replayed([], THERE, factors={"x": Fraction(2)})


def test_a_lower_clearance_refuses_and_says_why() -> None:
    draft = snapshot(TOML.replace('clearance = "restricted"', 'clearance = "internal"'))
    change, line = only(replayed([record_of(Sent(findings=("bank_card",)), THERE)], draft))
    assert change.is_newly_refused
    assert change.now == "clearance"
    assert (line.before_nano > 0, line.after_nano) == (True, 0)


def test_a_request_that_was_refused_and_would_be_answered_outside_leaves_the_house() -> None:
    record = record_of(Sent(model="far/gpt", findings=("email",)), THERE)
    assert record.error == "no_permitted_target"
    draft = snapshot(TOML.replace('clearance = "internal"', 'clearance = "restricted"'))
    change, line = only(replayed([record], draft))
    assert (change.before, change.after, change.was) == ("", "far/gpt", "clearance")
    assert change.is_newly_answered
    assert change.left_house
    assert change.left_country
    assert line.uncounted == 1  # nobody ever counted its tokens


def test_findings_count_at_the_levels_of_the_draft() -> None:
    sent = Sent(findings=("email",))
    draft = snapshot(TOML + '\n[sensitivity.kinds]\nemail = "public"\n')
    change, _ = only(replayed([record_of(sent, THERE)], draft))
    assert (change.slice.label, change.new_label) == ("confidential", "internal")
    assert change.may_leave_house  # the vendors are fallbacks now


def test_masking_in_the_draft_sends_what_it_may_and_says_that_nobody_tried() -> None:
    draft = snapshot(MASKING.replace('"own_first"', '"pinned"').replace(
        'candidates = ["house/qwen", "deepseek/chat", "far/gpt"]', 'candidates = ["deepseek/chat"]'))  # fmt: skip
    tally = replayed([record_of(Sent(findings=("email",)), THERE)], draft)
    change, _ = only(tally)
    assert (change.after, change.is_masked, change.left_house) == ("deepseek/chat", True, True)
    assert tally.assumed["maskable"] == 1


@pytest.mark.parametrize("reason", ["the request says x-yuzui-masking: off", "a finding stands in a header"])
def test_what_the_request_itself_ruled_out_is_masked_under_no_configuration(reason: str) -> None:
    record = msgspec.structs.replace(record_of(Sent(findings=("email",)), THERE), not_masked=reason)
    draft = snapshot(MASKING.replace("house/qwen", "house/new"))
    change, _ = only(replayed([record], draft))
    assert (change.after, change.now, change.may_leave_house) == ("house/new", "gone", False)


def test_a_target_that_failed_then_fails_again() -> None:
    record = record_of(Sent(failed=1), THERE)
    assert record.target == "deepseek/chat"
    draft = snapshot(TOML.replace('candidates = ["house/qwen", "deepseek/chat", "far/gpt"]',
                                  'candidates = ["house/qwen", "far/gpt", "deepseek/chat"]'))  # fmt: skip
    change, _ = only(replayed([record], draft))
    assert (change.before, change.after) == ("deepseek/chat", "far/gpt")
    assert not change.left_house  # it had left
    assert change.left_country


def test_old_records_are_replayed_and_every_supposition_is_counted() -> None:
    record = record_of(Sent(caller=Caller(key_id="k9", app="a", constraints=Constraints(floor=2))), THERE)
    old = msgspec.structs.replace(record, v=1, asked=None, premises="", jurisdiction="")
    tally = replayed([old], THERE)
    assert only(tally)[0].is_quiet
    assert tally.assumed == {"asked": 1, "key": 1}


def test_records_of_before_without_a_draw_get_the_same_one_each_time() -> None:
    old = [
        msgspec.structs.replace(record_of(Sent(model="drawn"), THERE, number), v=1, asked=None) for number in range(200)
    ]
    first, second = replayed(old, THERE), replayed(old, THERE)
    assert first.lines.keys() == second.lines.keys()
    assert first.assumed["draw"] == 200
    went = sum(line.requests for change, line in first.lines.items() if change.after == "far/gpt")
    assert 60 < went < 140


def test_what_ended_before_routing_is_counted_by_its_reason_and_not_decided() -> None:
    record = record_of(Sent(), THERE)
    limited = msgspec.structs.replace(
        record, sensitivity="", plan=(), target="", asked=None, outcome="refused", error="rate_limit_exceeded"
    )
    broke = msgspec.structs.replace(record, target="", attempts=(), outcome="refused", error="budget_exceeded")
    tally = replayed([limited, broke], THERE)
    assert tally.not_routed == {"rate_limit_exceeded": 1, "budget_exceeded": 1}
    assert not tally.lines


def test_books_in_another_currency_are_an_error() -> None:
    draft = snapshot(TOML + '\n[money]\ncurrency = "CNY"\nrates = { USD = 7 }\n')
    with pytest.raises(ConfigError, match="kept in USD"):
        replayed([record_of(Sent(), THERE)], draft)


def test_equal_requests_are_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = snapshot()
    asked = []
    decide = draft.router.decide

    def counted(*args: Any, **given: Any) -> Decision:  # Any: whatever is asked
        asked.append(1)
        return decide(*args, **given)

    monkeypatch.setattr(draft.router, "decide", counted)
    records = [record_of(Sent(size_bytes=800 + number), THERE, number) for number in range(50)]
    tally = replayed(records, draft)
    assert len(asked) == 1
    assert only(tally)[1].requests == 50
    assert len(only(tally)[1].examples) == 5


def test_a_record_holds_no_word_of_the_client_in_its_terms() -> None:
    house = record_of(Sent(model="house/qwen", service_tier="a secret plan"), snapshot(
        TOML.replace("price = { currency = \"USD\", input = 0.1, output = 0.2 }", 'price = "free"')))  # fmt: skip
    assert house.asked is not None
    assert house.asked.terms == ("service_tier=?",)
    assert replayed([house], THERE).assumed["terms"] == 1


def test_records_read_back_are_what_was_written() -> None:
    record = record_of(Sent(findings=("email", "email")), THERE)
    back = read_back([record])[0]
    assert (back.findings_read, back.allowed_read) == ({"email": 2}, record.allowed)
    assert replace(THERE, config=THERE.config) == THERE


def test_what_a_learned_router_would_read_is_not_recorded_so_the_reference_answers(tmp_path: Path) -> None:
    text = config(tmp_path / "r.json", write_router(tmp_path / "r.json", certificate()))
    plain = snapshot(text)
    draft = replace(plain, guaranteed=load_routers(plain.config))
    record = record_of(Sent(model="support"), plain)
    assert record.target == "house/other"  # recorded without a router: the operator's order
    tally = replayed([record], draft)
    assert only(tally)[0].after == "vendor/big"
    assert tally.assumed["router"] == 1


def test_a_budget_that_the_draft_overspends_refuses_and_says_so() -> None:
    # 40,000 nano-dollars at home, 1,200,000 far away: of ten requests the first four still fit.
    poor = Caller(key_id="k", app="a", team="red", budget=Budget(cap_nano=5_000_000, period="total"))
    records = [record_of(Sent(caller=poor), THERE, number) for number in range(10)]
    same = replayed(records, THERE, callers=[poor])
    assert all(change.is_quiet for change in same.lines)
    assert same.over_budget == 0
    dear = snapshot(TOML.replace('"house/qwen", "deepseek/chat", "far/gpt"]', '"far/gpt"]'))
    tally = replayed(records, dear, callers=[poor])
    told = {(change.after, change.now): line.requests for change, line in tally.lines.items()}
    assert told == {("far/gpt", "not a candidate"): 4, ("", "budget_exceeded"): 6}
    assert tally.over_budget == 6
    assert sum(line.after_nano for line in tally.lines.values()) == 4_800_000


def test_a_burst_that_the_budget_does_not_hold_stays_where_it_costs_nothing() -> None:
    poor = Caller(key_id="k", app="a", team="red", budget=Budget(cap_nano=10, period="day"))
    free = TOML.replace('price = { currency = "USD", input = 0.1, output = 0.2 }', 'price = "free"')
    there = snapshot(free.replace('"house/qwen", "deepseek/chat", "far/gpt"]', '"house/qwen"]'))
    draft = snapshot(free.replace('policy = "own_first"', 'policy = "burst"'))
    full = Health(in_flight={"house/qwen": 1000})
    record = record_of(Sent(caller=poor, health=full), there)
    assert record.asked is not None
    asked = msgspec.structs.replace(record, asked=msgspec.structs.replace(record.asked, full=("house/qwen",)))
    tally = replayed([asked], draft, callers=[poor])
    assert only(tally)[0].after == "house/qwen"
    assert tally.over_budget == 0


def test_texts_and_metadata_are_counted_apart(tmp_path: Path) -> None:
    records = [record_of(Sent(), THERE, number) for number in range(3)]
    first, text = kept(records[0], "write to wang@corp.cn")
    tally = replayed([first, *records[1:]], reading(THERE), texts=[text])
    assert tally.texts == {"read": 1}
    assert {change.new_label: line.requests for change, line in tally.lines.items()} == {
        "confidential": 1, "internal": 2,
    }  # fmt: skip
