"""What was saved against sending everything to a reference, and under which assumption that is said.

The assumption: the reference would have read and written the same number of tokens, all of it fresh, at its list price
of the day of the question. What it answered itself counts as what that really cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from yuzui.core.money import PICO_PER_NANO, convert_nano, cost_nano
from yuzui.core.target import Target
from yuzui.core.usage import Usage

ASSUMPTION: Final = (
    "the same input and output tokens at the reference's list price today ({version}), without caches, batches or "
    "other discounts, whatever the label would have permitted; what the reference answered counts as booked for it "
    "alone; "
    "requests that wrote no tokens are left out; own targets count as booked, machines are in `yuzui tco report`"
)


class Work(Protocol):
    """Requests of one model that one target answered."""

    @property
    def model(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def requests(self) -> int: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def spent_nano(self) -> int: ...
    @property
    def others_nano(self) -> int:
        """Of it: paid to others than `target`, which a cascade asked beside it."""
        ...


@dataclass(slots=True, kw_only=True)
class Saving:
    """Of one model as clients asked for it; nano-units of the book currency."""

    model: str
    reference: str
    requests: int = 0
    elsewhere: int = 0
    """Of them: not answered by the reference."""
    spent_nano: int = 0
    reference_nano: int = 0

    @property
    def saved_nano(self) -> int:
        return self.reference_nano - self.spent_nano


def savings(
    rows: Iterable[Work],
    reference_of: Callable[[str], str],
    targets: Mapping[str, Target],
    rates: Mapping[str, Decimal],
) -> list[Saving]:
    """By model, the largest saving first. `reference_of`: model → target name, "" where there is none. A reference
    without a known price or rate is left out, as is work of targets that do not chat."""
    found: dict[str, Saving] = {}
    for row in rows:
        name = reference_of(row.model)
        reference = targets.get(name)
        if reference is None or reference.price is None or reference.price.currency not in rates:
            continue
        by = targets.get(row.target)
        if by is not None and "chat" not in by.serves:
            continue  # a transcription is no work that a chat model could have done
        saving = found.setdefault(row.model, Saving(model=row.model, reference=name))
        saving.requests += row.requests
        saving.spent_nano += row.spent_nano
        if row.target == name:
            saving.reference_nano += row.spent_nano - row.others_nano  # alone it would have needed no others
            continue
        usage = Usage(input_tokens=row.input_tokens, output_tokens=row.output_tokens)
        listed = cost_nano(reference.price, usage)  # with the price of one request inside
        listed += (row.requests - 1) * -(-reference.price.request_pico // PICO_PER_NANO)
        saving.elsewhere += row.requests
        saving.reference_nano += convert_nano(listed, rates[reference.price.currency])
    return sorted(found.values(), key=lambda saving: (-saving.saved_nano, saving.model))
