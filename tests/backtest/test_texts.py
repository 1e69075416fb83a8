"""Kept texts are read with the draft's own detectors; what they cannot show counts as the record has it."""

from __future__ import annotations

import msgspec
import pytest

from backtest_kit import TOML, Sent, kept, reading, record_of, replayed, snapshot
from yuzui.backtest.tally import Tally
from yuzui.backtest.texts import read_text
from yuzui.core.chat import Feature
from yuzui.privacy.scan import ScanResult

THERE = snapshot()
OLD = THERE.config
MAIL = "write to wang@corp.cn"
PATTERN = (
    TOML
    + '\n[[sensitivity.patterns]]\nkind = "project"\nregex = "Yangtze-[0-9]+"\n[sensitivity.kinds]\nproject = "confidential"\n'
)
TERMS = (
    TOML
    + '\n[[sensitivity.terms]]\nkind = "customer"\nterms = ["Acme"]\n[sensitivity.kinds]\ncustomer = "confidential"\n'
)
MASKING = TOML + '\n[masking]\nkinds = ["email"]\n'
OUTSIDE = MASKING.replace(
    '"house/qwen", "deepseek/chat", "far/gpt"]\npolicy = "own_first"', '"far/gpt"]\npolicy = "pinned"'
)


def of(said: str, draft: str, *, is_masked: bool = False, sent: Sent | None = None, **changes: object) -> Tally:
    record, text = kept(record_of(sent or Sent(), THERE), said, is_masked=is_masked)
    return replayed([msgspec.structs.replace(record, **changes)], reading(snapshot(draft)), texts=[text])


def new_label(tally: Tally) -> str:
    (change,) = tally.lines
    return change.new_label


@pytest.mark.parametrize(
    ("draft", "said", "label"),
    [(PATTERN, "status of Yangtze-7", "confidential"), (PATTERN, "status of the river", "internal"),
     (TERMS, "call Acme back", "confidential"), (TOML, MAIL, "confidential")],
)  # fmt: skip
def test_new_patterns_terms_and_detectors_are_run_on_the_text(draft: str, said: str, label: str) -> None:
    tally = of(said, draft)
    assert new_label(tally) == label
    assert (tally.texts, tally.assumed) == ({"read": 1}, {})


def test_what_the_draft_no_longer_looks_for_does_not_count() -> None:
    known = Sent(findings=("project",))
    tally = of("status of Yangtze-7", TOML, sent=known, rules={"project@0123abcd": 1})
    assert (new_label(tally), tally.assumed) == ("internal", {"not_found": 1})


def test_what_the_same_detector_found_elsewhere_counts() -> None:
    version = next(iter(reading(THERE).scanner.versions_of("email")))
    tally = of("nothing here", TOML, sent=Sent(findings=("email",)), rules={f"email@{version}": 1})
    assert (new_label(tally), tally.assumed) == ("confidential", {"elsewhere": 1})


def test_what_was_masked_away_counts_by_its_recorded_kind() -> None:
    tally = of("write to EMAIL_QWERTYUIOPAS", TOML, is_masked=True, sent=Sent(findings=("email",)))
    assert new_label(tally) == "confidential"
    assert tally.assumed == {"masked_text": 1}
    assert tally.texts == {"masked": 1}
    lower = of("write to EMAIL_QWERTYUIOPAS", TOML + '\n[sensitivity.kinds]\nemail = "public"\n', is_masked=True,
               sent=Sent(findings=("email",)))  # fmt: skip
    assert new_label(lower) == "internal"


def test_names_are_not_searched_and_count_as_recorded() -> None:
    draft = TOML.replace("enabled = false", "enabled = true")
    tally = of("ask Ms Wang", draft, sent=Sent(findings=("person",)))
    assert tally.assumed["names"] == 1
    assert new_label(tally) == OLD.sensitivity.lattice.names[OLD.sensitivity.kinds["person"]]


def test_masking_is_tried_so_nothing_is_supposed() -> None:
    tally = of(MAIL, OUTSIDE, sent=Sent(findings=("email",)))
    (change,) = tally.lines
    assert (change.after, change.is_masked, change.left_house) == ("far/gpt", True, True)
    assert "maskable" not in tally.assumed


def test_a_value_where_no_stand_in_fits_is_not_masked_whatever_the_record_says() -> None:
    record, text = kept(record_of(Sent(findings=("email",)), THERE), MAIL)
    odd = msgspec.structs.replace(text, model="wang@corp.cn")  # the model's name is never replaced
    draft = reading(snapshot(OUTSIDE))
    (change,) = replayed([record], draft, texts=[odd]).lines
    assert (change.after, change.is_masked) == ("", False)
    (change,) = replayed([record], draft).lines  # by metadata alone it is supposed that it can be
    assert (change.after, change.is_masked) == ("far/gpt", True)


def test_a_detector_that_breaks_on_the_text_counts_as_the_highest_level(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = reading(THERE)
    monkeypatch.setattr(draft.scanner, "scan", lambda body: ScanResult(failures=("email",)))
    record, text = kept(record_of(Sent(), THERE), "hello")
    assert new_label(replayed([record], draft, texts=[text])) == "restricted"


def test_sizes_and_features_of_old_records_come_from_the_text() -> None:
    record, text = kept(msgspec.structs.replace(record_of(Sent(), THERE), v=1, asked=None), "x" * 30_000)
    tools: frozenset[Feature] = frozenset({"tools"})
    asking = msgspec.structs.replace(text, tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}])
    found = read_text(asking, reading(THERE).scanner)
    assert found is not None
    assert found.request.features == tools
    (change,) = replayed([record], reading(THERE), texts=[text]).lines
    assert change.after == "deepseek/chat"  # 30 kB do not fit the 4,000 tokens of the house


def test_texts_that_nobody_opens_or_that_are_gone_are_counted_and_replayed_by_metadata() -> None:
    record, text = kept(record_of(Sent(), THERE), MAIL)
    assert replayed([record], reading(THERE)).texts == {"closed": 1}
    gone = replayed([record], reading(THERE), texts=[])
    assert (gone.texts, new_label(gone)) == ({"gone": 1}, "internal")
    unreadable = msgspec.structs.replace(text, messages=[{"role": "nobody"}])
    assert replayed([record], reading(THERE), texts=[unreadable]).texts == {"gone": 1}
