"""One batch, one statement; and what happens when the disk says no."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from books_kit import a_closing, an_intent
from yuzui.core.booking import Posting, Receipt
from yuzui.core.errors import BudgetExceeded, GatewayFault
from yuzui.io.database import migrate, open_database
from yuzui.io.ledger import Ledger, close_job, leaf_hash, reserve_job
from yuzui.io.sums import find_wrong_sums


class Disk:
    """Opens the database; `pages` bounds its size on the next connection, as a full disk does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pages = 0
        self.opened = 0

    def connect(self) -> apsw.Connection:
        self.opened += 1
        connection = open_database(self.path, busy_timeout_ms=50)
        migrate(connection)
        if self.pages:
            connection.pragma("max_page_count", self.pages)
        return connection


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "b")


def look(disk: Disk, sql: str) -> object:
    connection = open_database(disk.path, busy_timeout_ms=50)
    try:
        assert find_wrong_sums(connection) == []
        return connection.execute(sql).get
    finally:
        connection.close()


def test_receipts_number_the_leaves_from_zero_and_hash_the_record(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    answers = ledger.commit([close_job(a_closing(f"r{n}", record=b"leaf %d" % n)) for n in range(3)])
    answers += ledger.commit([close_job(a_closing("r3", record=b"leaf 3"))])
    ledger.close()
    assert answers == [Receipt(index=n, leaf_hash=leaf_hash(b"leaf %d" % n)) for n in range(4)]


def test_the_leaf_hash_is_that_of_rfc_6962(disk: Disk) -> None:
    # Source: RFC 6962 section 2.1.1 test data of the Certificate Transparency project: the hash of the empty leaf.
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_rows_of_one_batch_are_admitted_one_after_the_other(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    answers = ledger.commit([reserve_job(an_intent(f"r{n}", reserved=amount, cap=100))
                             for n, amount in enumerate((40, 50, 20, 10, 1))])  # fmt: skip
    ledger.close()
    assert [type(answer) for answer in answers] == [type(None), type(None), BudgetExceeded, type(None), BudgetExceeded]
    assert look(disk, "SELECT reserved FROM budget") == 100


def test_a_lower_cap_binds_the_next_admission(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    assert ledger.commit([reserve_job(an_intent("r1", reserved=40, cap=100))]) == [None]
    (answer,) = ledger.commit([reserve_job(an_intent("r2", reserved=20, cap=50))])
    assert isinstance(answer, BudgetExceeded) and "0.000000" in answer.message
    assert ledger.commit([reserve_job(an_intent("r3", reserved=10, cap=50))]) == [None]
    ledger.close()


def test_reserving_and_closing_in_one_batch_is_done_in_order(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    answers = ledger.commit([reserve_job(an_intent("r1", reserved=30, cap=30)), close_job(a_closing("r1", spent=10)),
                             reserve_job(an_intent("r2", reserved=20, cap=30))])  # fmt: skip
    ledger.close()
    assert answers[0] is None and isinstance(answers[1], Receipt) and answers[2] is None
    assert look(disk, "SELECT spent || ' ' || reserved FROM budget") == "10 20"


def test_the_second_closing_changes_nothing_and_returns_the_first_receipt(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    (first,) = ledger.commit([close_job(a_closing("r1", spent=10, record=b"one"))])
    other = a_closing("r2")
    again = ledger.commit([close_job(a_closing("r1", spent=99, record=b"two")), close_job(other)])
    twice = ledger.commit([close_job(a_closing("r3")), close_job(a_closing("r3", record=b"x"))])
    ledger.close()
    assert again == [first, Receipt(index=1, leaf_hash=leaf_hash(other.record))]
    assert twice[0] == twice[1]
    assert look(disk, "SELECT count(*) || ' ' || sum(spent) FROM request") == "3 50"


def test_reserving_twice_reserves_once(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    job = reserve_job(an_intent("r1", reserved=40, cap=50))
    assert ledger.commit([job]) + ledger.commit([job]) == [None, None]
    ledger.close()
    assert look(disk, "SELECT reserved FROM budget") == 40


def test_an_entry_that_the_books_refuse_fails_alone(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    wrong = a_closing("r2", input_tokens=-1), a_closing("r3", spent=2**70, postings=())
    answers = ledger.commit([close_job(closing) for closing in (a_closing("r1"), *wrong, a_closing("r4"))])
    ledger.close()
    codes = [answer.code if isinstance(answer, GatewayFault) else "" for answer in answers]
    assert codes == ["", "ledger_invalid", "ledger_invalid", ""]
    assert look(disk, "SELECT count(*) FROM request") == 2
    assert disk.opened == 1, "a refused entry is no reason to doubt the disk"


def test_a_name_without_utf8_fails_its_own_caller_only() -> None:
    with pytest.raises(GatewayFault) as refused:
        close_job(a_closing("r1", model="\ud800"))
    assert refused.value.code == "ledger_invalid"


@pytest.mark.parametrize("name", ['"; DROP TABLE request; --', "模型", "a\x00b", "[1,2]", "'"])
def test_names_arrive_as_they_were(disk: Disk, name: str) -> None:
    ledger = Ledger(disk.connect)
    ledger.commit([close_job(a_closing("r1", model=name))])
    ledger.close()
    assert look(disk, "SELECT CAST(model AS BLOB) FROM request") == name.encode()


def test_records_arrive_as_they_were_even_when_they_are_no_text(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    records = [bytes(range(256)), b"", b"\xff\xfe", b"\x00"]
    ledger.commit([close_job(a_closing(f"r{n}", record=record)) for n, record in enumerate(records)])
    ledger.close()
    assert look(disk, "SELECT group_concat(hex(record), ' ' ORDER BY seq) FROM leaf") == " ".join(
        record.hex().upper() for record in records
    )


def test_a_full_disk_refuses_and_recovers_without_a_restart(disk: Disk) -> None:
    disk.pages = 60
    ledger = Ledger(disk.connect)
    acknowledged: list[str] = []
    refused: list[str] = []
    for n in range(60):
        name = f"r{n:03d}"
        (answer,) = ledger.commit([close_job(a_closing(name, record=b"x" * 3000))])
        if isinstance(answer, Receipt):
            acknowledged.append(name)
        else:
            assert isinstance(answer, GatewayFault) and answer.code == "ledger_unavailable"
            assert "disk full" in answer.message and answer.retry_after_s
            refused.append(name)
    assert acknowledged and refused
    assert ledger.owed == len(refused)
    assert ledger.commit([reserve_job(an_intent("late"))])[0] is not None

    disk.pages = 0  # space returns
    ledger.close()
    (receipt,) = ledger.commit([close_job(a_closing("after"))])
    assert isinstance(receipt, Receipt)
    assert ledger.owed == 0
    assert receipt.index == len(acknowledged) + len(refused)
    ledger.close()
    assert look(disk, "SELECT count(*) FROM request") == len(acknowledged) + len(refused) + 1
    assert look(disk, "SELECT count(*) FROM intent") == 0, "a reservation that was refused holds no money"


def test_a_locked_database_is_a_bounded_wait_and_not_a_reason_to_reopen(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    ledger.commit([close_job(a_closing("r1"))])
    backup = open_database(disk.path, busy_timeout_ms=50)
    backup.execute("BEGIN IMMEDIATE")
    (answer,) = ledger.commit([close_job(a_closing("r2"))])
    assert isinstance(answer, GatewayFault) and "locked by another program" in answer.message
    backup.execute("COMMIT")
    backup.close()
    (receipt,) = ledger.commit([close_job(a_closing("r2"))])
    assert isinstance(receipt, Receipt) and receipt.index == 1
    assert disk.opened == 1
    ledger.close()


def test_postings_of_both_currencies_are_kept_with_price_and_rate(disk: Disk) -> None:
    ledger = Ledger(disk.connect)
    legs = (
        Posting(account="spend:k1", amount_nano=700, currency="CNY", price_version="config:9", rate="0.14"),
        Posting(account="target:a/b", amount_nano=-700, currency="CNY", price_version="config:9", rate="0.14"),
    )
    ledger.commit([close_job(a_closing("r0", spent=0)), close_job(a_closing("r1", spent=98, postings=legs))])
    ledger.close()
    found = look(
        disk, "SELECT group_concat(concat_ws(' ', seq, leg, account, amount_nano, currency, rate), '; ') FROM posting"
    )
    assert found == "1 0 spend:k1 700 CNY 0.14; 1 1 target:a/b -700 CNY 0.14"
