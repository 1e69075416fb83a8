"""Learned routers of a draft: by the numbers in the record where they suffice, else by the text, else not at all."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from backtest_kit import Sent, kept, reading, record_of, replayed, snapshot
from guarantee_kit import EASY, HARD, STRANGE, certificate, config, write_router
from yuzui.audit.record import RequestRecord
from yuzui.backtest.tally import Tally
from yuzui.core.chat import ChatRequest
from yuzui.dialects.openai_chat import OpenAIChat
from yuzui.io.learned_routers import load_routers
from yuzui.routing.artefact import Certificate
from yuzui.world import Snapshot

SAID = (EASY, HARD, STRANGE)
BIG, SMALL = "vendor/big", "house/small"


def guaranteed(folder: Path, *certificates: Certificate, demand: str = "loss = 0.02, confidence = 0.9") -> Snapshot:
    folder.mkdir(exist_ok=True)
    text = config(folder / "r.json", write_router(folder / "r.json", *certificates))
    there = snapshot(text.replace("loss = 0.02, confidence = 0.9", demand))
    return replace(there, guaranteed=load_routers(there.config))


def request(said: str) -> ChatRequest:
    return OpenAIChat().read_request({"model": "support", "messages": [{"role": "user", "content": said}]})


def served(there: Snapshot, said: Iterable[str] = SAID) -> list[RequestRecord]:
    """What the gateway with this configuration would have recorded of texts."""
    model = there.guaranteed["support"]
    sents = [Sent(model="support", advice=model.advice(request(one))) for one in said]
    return [record_of(sent, there, number) for number, sent in enumerate(sents)]


def went(tally: Tally) -> dict[tuple[str, str], int]:
    return {(change.before, change.after): line.requests for change, line in tally.lines.items()}


def test_the_configuration_that_decided_changes_nothing_and_needs_no_text(tmp_path: Path) -> None:
    there = guaranteed(tmp_path, certificate())
    records = served(there)
    assert [one.target for one in records] == [SMALL, BIG, BIG]
    tally = replayed(records, there)
    assert all(change.is_quiet for change in tally.lines)
    assert tally.looks == {("support", "record"): 3}
    assert tally.rules == {("support", "certified"): 1, ("support", "reference_better"): 1, ("support", "unlike"): 1}
    assert not tally.assumed


def test_another_threshold_of_the_same_file_is_replayed_from_the_record(tmp_path: Path) -> None:
    bold = certificate(epsilon=0.5, threshold=0.99)
    there = guaranteed(tmp_path, certificate(), bold)
    draft = guaranteed(tmp_path, bold, certificate())  # the order is that of preference; both are in the file
    assert there.guaranteed["support"].demand.router_sha256 != draft.guaranteed["support"].demand.router_sha256
    both = guaranteed(tmp_path, certificate(), bold, demand="loss = 0.5, confidence = 0.9")
    model = both.guaranteed["support"]
    assert model.certificate is not None
    draft = replace(both, guaranteed={"support": replace(model, certificate=bold)})
    tally = replayed(served(there), draft)
    assert went(tally)[BIG, SMALL] == 1  # the hard one goes to the candidate now; the strange one never does
    assert tally.looks == {("support", "record"): 3}


def test_a_new_certificate_of_the_same_fit_is_replayed_from_the_record_where_the_old_file_is_named(
    tmp_path: Path,
) -> None:
    there = guaranteed(tmp_path / "old", certificate())
    draft = guaranteed(tmp_path / "new", certificate(threshold=0.99))
    assert replayed(served(there), draft).looks == {("support", "nothing"): 3}
    told = replayed(served(there), draft, known=there)
    assert told.looks == {("support", "record"): 3}
    assert went(told)[BIG, SMALL] == 1


def test_without_numbers_the_router_looks_at_the_text(tmp_path: Path) -> None:
    draft = reading(guaranteed(tmp_path, certificate()))
    plain = replace(draft, guaranteed={})
    pairs = [kept(record_of(Sent(model="support"), plain, n), said) for n, said in enumerate(SAID)]
    tally = replayed([record for record, _ in pairs], draft, texts=[text for _, text in pairs])
    assert went(tally) == {("house/other", SMALL): 1, ("house/other", BIG): 2}
    assert tally.looks == {("support", "text"): 3}
    masked = [(record, msgspec.structs.replace(text, is_masked=True)) for record, text in pairs]
    told = replayed([record for record, _ in masked], draft, texts=[text for _, text in masked])
    assert told.assumed["router_masked"] == 3


def test_without_either_the_reference_answers_and_that_is_counted(tmp_path: Path) -> None:
    there = guaranteed(tmp_path, certificate())
    records = [record_of(Sent(model="support"), replace(there, guaranteed={}))]
    tally = replayed(records, there)
    assert went(tally) == {("house/other", BIG): 1}
    assert (tally.looks, tally.assumed) == ({("support", "nothing"): 1}, {"router": 1})
    assert not tally.rules


def test_where_nothing_is_certified_the_reference_answers_whatever_is_asked(tmp_path: Path) -> None:
    there = guaranteed(tmp_path)
    tally = replayed(served(there), there)
    assert all(change.is_quiet for change in tally.lines)
    assert (tally.looks, tally.assumed) == ({("support", "not_asked"): 3}, {})


def test_predicted_gains_are_added_up_with_their_sign(tmp_path: Path) -> None:
    there = guaranteed(tmp_path, certificate())
    careful = guaranteed(tmp_path / "none", certificate(threshold=-0.9))
    tally = replayed(served(there, [EASY] * 3), careful, known=there)
    assert went(tally) == {(SMALL, BIG): 3}
    (sums,) = [one for blocks in tally.blocks.values() for one in blocks.values()]
    gain = served(there, [EASY])[0].routed
    assert gain is not None and gain.gain is not None
    assert (sums.answered, sums.moved, sums.predicted) == (3, 3, 3)
    assert sums.gained_micro == pytest.approx(3 * gain.gain * 1e6, abs=3)  # back to the reference: as much is won


def test_a_rounded_gain_does_not_cross_its_threshold(tmp_path: Path) -> None:
    there = guaranteed(tmp_path, certificate())
    (record,) = served(there, [HARD])
    assert record.routed is not None
    edge = msgspec.structs.replace(record, routed=msgspec.structs.replace(record.routed, gain=0.3))
    assert all(change.is_quiet for change in replayed([edge], there).lines)
    assert math.nextafter(0.3, 1) > 0.3


def test_a_promise_that_was_broken_then_is_not_made_whole(tmp_path: Path) -> None:
    there = guaranteed(tmp_path, certificate())
    model = there.guaranteed["support"]
    broken = replace(model, certificate=None, problem="it does not hold", is_broken=True)
    (record,) = served(replace(there, guaranteed={"support": broken}), [EASY])
    assert record.routed is not None and record.routed.rule == "promise_broken"
    tally = replayed([record], there)
    assert all(change.is_quiet for change in tally.lines)
    assert (tally.looks, tally.rules) == ({("support", "broken"): 1}, {})


def test_what_a_cascade_accepted_or_not_is_so_again_under_the_same_certificate_and_unknown_under_another(
    tmp_path: Path,
) -> None:
    there = guaranteed(tmp_path, certificate())
    cascade = certificate(policy="cascade", threshold=0.2)
    draft = replace(
        there, guaranteed={"support": replace(there.guaranteed["support"], certificate=None, cascade=cascade)}
    )
    easy, hard = served(there, [EASY, HARD])
    assert easy.routed is not None and hard.routed is not None
    told = {"policy": "cascade", "threshold": 0.2, "epsilon": cascade.epsilon, "data": cascade.data.sha256}
    records = [
        msgspec.structs.replace(easy, routed=msgspec.structs.replace(easy.routed, rule="accepted", **told)),
        msgspec.structs.replace(
            hard, plan=(SMALL, BIG, "house/other"),
            routed=msgspec.structs.replace(hard.routed, rule="escalated", chosen=BIG, **told),
        ),
    ]  # fmt: skip
    tally = replayed(records, draft)
    assert all(change.is_quiet for change in tally.lines)
    assert tally.rules == {("support", "accepted"): 1, ("support", "escalated"): 1}
    bolder = replace(draft, guaranteed={"support": replace(draft.guaranteed["support"], cascade=certificate(
        policy="cascade", threshold=0.5))})  # fmt: skip
    assert replayed(records, bolder).looks == {("support", "nothing"): 2}
