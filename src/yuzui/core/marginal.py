"""What one more request costs on an own target now: the power it draws, and the time it makes somebody wait.

Nothing of this is ever booked: it only compares. Reserved capacity that idles is nearly free, a queue is expensive.
"""

from __future__ import annotations

from dataclasses import dataclass

from yuzui.core.money import NANO, PICO_PER_NANO


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginalCost:
    """Of one own target. The load term is the server's measured curve (`yuzui tco measure`): with n requests at once it
    answers X(n) = `most_requests_per_s` * n / (n + `half_load`) of them per second, up to n = `slots`; more wait."""

    currency: str
    input_pico: int
    """Per token, on top of an idle machine."""
    output_pico: int
    waiting_pico_per_s: int = 0
    """What a second is worth that a request takes longer than on an idle server; 0: waiting costs nothing."""
    slots: int = 0
    """0: not known, so nothing is known of a queue either."""
    most_requests_per_s: float = 0.0
    """0: not measured, so the load costs nothing."""
    half_load: float = 0.0

    def extra_s(self, in_flight: int) -> float:
        """How much longer a request that comes now takes than it would on an idle server; `in_flight`: the others."""
        if not self.most_requests_per_s:
            return 0.0
        here = in_flight + 1
        running = min(here, self.slots) if self.slots else here
        slower_s = (running - 1) / self.most_requests_per_s  # Little's law: a request takes (n + h) / most
        per_s = self.most_requests_per_s * running / (running + self.half_load)
        return slower_s + (here - running) / per_s

    def pico(self, input_tokens: int, output_tokens: int, in_flight: int) -> float:
        """Of a request of that size that comes now. A float: it compares, nobody books it."""
        of_tokens = input_tokens * self.input_pico + output_tokens * self.output_pico
        return of_tokens + self.waiting_pico_per_s * self.extra_s(in_flight)


def show_pico(pico: float, currency: str) -> str:
    """For people: `0.000123 USD`; six decimals, or two digits of what is smaller."""
    amount = pico / (PICO_PER_NANO * NANO)
    text = f"{amount:.6f}" if amount >= 1e-6 or not amount else f"{amount:.1e}"
    return f"{text.rstrip('0').rstrip('.') if 'e' not in text else text} {currency}"
