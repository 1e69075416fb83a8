"""Knows what must add up in the books, as queries that find what does not."""

from __future__ import annotations

from typing import cast

import apsw

MOST_SHOWN = 20

_CHECKS: tuple[tuple[str, str], ...] = (
    (
        "request {}: its postings in {} sum to {} instead of 0",
        "SELECT seq, currency, sum(amount_nano) AS s FROM posting GROUP BY seq, currency HAVING s <> 0",
    ),
    (
        "key {}, {}: {} is booked as spent, its requests sum to {}",
        """SELECT b.key_id, b."window", b.spent, coalesce(r.s, 0)
           FROM budget b LEFT JOIN (SELECT key_id, "window", sum(spent) AS s FROM request WHERE "window" <> ''
                                    GROUP BY key_id, "window") r USING (key_id, "window")
           WHERE b.spent <> coalesce(r.s, 0)""",
    ),
    (
        "key {}, {}: its requests sum to {}, and there is no budget for them",
        """SELECT key_id, "window", sum(spent) AS s FROM request WHERE "window" <> '' AND NOT EXISTS
             (SELECT 1 FROM budget b WHERE b.key_id = request.key_id AND b."window" = request."window")
           GROUP BY key_id, "window" HAVING s <> 0""",
    ),
    (
        "key {}, {}: {} is booked as reserved, its open requests sum to {}",
        """SELECT b.key_id, b."window", b.reserved, coalesce(i.s, 0)
           FROM budget b LEFT JOIN (SELECT key_id, "window", sum(reserved) AS s FROM intent WHERE "window" <> ''
                                    GROUP BY key_id, "window") i USING (key_id, "window")
           WHERE b.reserved <> coalesce(i.s, 0)""",
    ),
    (
        "request {} is closed and still open",
        "SELECT request_id FROM request JOIN intent USING (request_id)",
    ),
    (
        "request {} was charged {} and has no postings",
        "SELECT request_id, spent FROM request WHERE spent <> 0 AND seq NOT IN (SELECT seq FROM posting)",
    ),
    (
        "{} requests are numbered 0 to {}, with {} audit leaves: some are missing",
        """SELECT * FROM (SELECT count(*) AS n, coalesce(max(seq), -1) AS last, (SELECT count(*) FROM leaf) AS leaves
                          FROM request) WHERE n <> last + 1 OR n <> leaves""",
    ),
)


def find_wrong_sums(connection: apsw.Connection) -> list[str]:
    """What does not add up, in words, at most `MOST_SHOWN` of each kind; also what SQLite itself finds damaged."""
    problems: list[str] = []
    try:
        for (line,) in cast(list[tuple[str]], connection.execute("PRAGMA integrity_check(20)").fetchall()):
            if line != "ok":
                problems.append(f"the file is damaged: {line}")
        with connection:  # one snapshot: a running gateway must not move the numbers between two checks
            for words, sql in _CHECKS:
                for row in connection.execute(f"{sql} LIMIT {MOST_SHOWN}"):
                    problems.append(words.format(*row))
    except (apsw.CorruptError, apsw.NotADBError) as error:
        problems.append(f"the file is damaged: {error}")
    return problems
