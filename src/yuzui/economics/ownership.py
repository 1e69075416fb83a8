"""What own replicas cost for a volume of work, and what the same work costs at a vendor. Money in nano-units, exact.

A month has 730 hours. One replica has as many places as requests run together on it; all replicas share one queue. Each
place is taken to be as slow as on a full machine, so waits are estimated on the long side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from yuzui.core.errors import ConfigError
from yuzui.core.money import PICO_PER_NANO, Price
from yuzui.economics.depreciation import monthly_cost
from yuzui.economics.inputs import HOURS_PER_MONTH, Machine, Told, Traffic
from yuzui.economics.queueing import MOST_SERVERS, Station, WaitGoal, mean_wait_s, most_arrivals_per_s, wait_s
from yuzui.economics.throughput import Curve

SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600
MILLION = 1_000_000
_ONE = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What the numbers are multiplied with to ask "what if"; all 1: as the operator wrote them."""

    vendor_price: Fraction = _ONE
    volume: Fraction = _ONE
    utilisation: Fraction = _ONE
    power_price: Fraction = _ONE
    machine_price: Fraction = _ONE
    staff: Fraction = _ONE
    speed: Fraction = _ONE
    fx: Fraction = _ONE


AS_WRITTEN = Factors()


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedVendor:
    """A vendor with its price found; `rate`: the report's currency per unit of the price's."""

    name: str
    price: Price
    rate: Fraction
    is_foreign: bool
    batch_discount: Fraction
    told: Told | None
    """None: the price's version tells."""

    def request_nano(self, traffic: Traffic, factors: Factors = AS_WRITTEN) -> Fraction:
        """Of one mean request, in nano-units of the report's currency."""
        fresh = traffic.input_tokens * (1 - traffic.cached_share)
        cached = traffic.input_tokens * traffic.cached_share
        pico = (
            fresh * self.price.input_pico
            + cached * self.price.cached_input_pico
            + traffic.output_tokens * self.price.output_pico
        )
        pico *= 1 - traffic.batch_share * self.batch_discount
        pico += self.price.request_pico
        fx = factors.fx if self.is_foreign else _ONE
        return pico / PICO_PER_NANO * self.rate * factors.vendor_price * fx


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One kind of cost per month; of each replica, or of all together."""

    name: str
    nano: Fraction
    is_per_replica: bool


class Ownership:
    """One kind of machine under one kind of work, built per question; remembers what its replicas can take."""

    def __init__(
        self,
        machine: Machine,
        curve: Curve,
        traffic: Traffic,
        goal: WaitGoal,
        *,
        service_cv2: float,
        factors: Factors = AS_WRITTEN,
    ) -> None:
        """Raise `ConfigError` where more places are planned than were measured."""
        self.machine = machine
        self.traffic = traffic
        self.slots = machine.speed.slots or curve.largest
        if self.slots > curve.largest:
            raise ConfigError(
                f"machine {machine.name!r}: slots = {self.slots}, but only {curve.largest} at once were measured"
            )
        utilisation = min(goal.max_utilisation * float(factors.utilisation), 0.99)
        self.goal = WaitGoal(quantile=goal.quantile, wait_s=goal.wait_s, max_utilisation=utilisation)
        self.input_weight = curve.input_weight
        self.service_s = curve.request_s(self.slots, float(traffic.input_tokens), float(traffic.output_tokens)) / float(
            factors.speed
        )
        if self.service_s <= 0:
            raise ConfigError("traffic: a request without tokens costs nothing; write the tokens per request")
        self._service_cv2 = service_cv2
        self.fixed = tuple(_fixed_lines(machine, factors))
        self.per_replica_nano = sum((line.nano for line in self.fixed if line.is_per_replica), Fraction(0))
        self.for_all_nano = sum((line.nano for line in self.fixed if not line.is_per_replica), Fraction(0))
        power = machine.power
        self.marginal_kwh = Fraction(0)
        """Of one request, on top of an idle machine."""
        self.idle_kwh = Fraction(0)
        """Of one replica in a month."""
        self.marginal_nano = Fraction(0)
        if power is not None:
            self.idle_kwh = power.idle_w * power.pue * HOURS_PER_MONTH / 1000
            self.marginal_kwh = (power.busy_w - power.idle_w) * power.pue * Fraction(self.machine_s) / 3_600_000
            self.marginal_nano = self.marginal_kwh * power.price_per_kwh * factors.power_price
        self._most: dict[int, int] = {}

    @property
    def machine_s(self) -> float:
        """What one request takes of a busy machine's time."""
        return self.service_s / self.slots

    @property
    def most_replicas(self) -> int:
        return max(1, min(4096, MOST_SERVERS // self.slots))

    @property
    def limit_per_replica(self) -> float:
        """Requests per month that no number of replicas brings one of them beyond."""
        busiest = self.goal.max_utilisation * self.slots / self.service_s
        return busiest * SECONDS_PER_MONTH / self.traffic.peak_factor

    def station(self, replicas: int) -> Station:
        return Station(
            servers=replicas * self.slots,
            service_s=self.service_s,
            arrival_cv2=self.traffic.arrival_cv2,
            service_cv2=self._service_cv2,
        )

    def most_requests(self, replicas: int) -> int:
        """Per month, with the goal kept in the busiest hour."""
        if replicas < 1:
            return 0
        if replicas not in self._most:
            busiest = most_arrivals_per_s(self.station(replicas), self.goal)
            self._most[replicas] = int(busiest * SECONDS_PER_MONTH / self.traffic.peak_factor)
        return self._most[replicas]

    def replicas_for(self, requests: int) -> int:
        """The fewest that keep the goal for so many requests per month. Raise `ConfigError` beyond all reason."""
        low = max(1, min(self.most_replicas, int(requests / self.limit_per_replica)))
        if self.most_requests(low) >= requests:
            while low > 1 and self.most_requests(low - 1) >= requests:
                low -= 1
            return low
        high = low
        while self.most_requests(high) < requests:
            if high >= self.most_replicas:
                raise ConfigError(
                    f"machine {self.machine.name!r}: {requests} requests per month need more than {high} replicas; "
                    "look at its speed, the goal and traffic.requests_per_month"
                )
            low, high = high, min(2 * high, self.most_replicas)
        while high - low > 1:
            middle = (low + high) // 2
            if self.most_requests(middle) >= requests:
                high = middle
            else:
                low = middle
        return high

    def month_nano(self, requests: int, replicas: int | None = None) -> Fraction:
        """All of it: what stands there anyway, and what the requests draw on top."""
        count = self.replicas_for(requests) if replicas is None else replicas
        return self.for_all_nano + count * self.per_replica_nano + requests * self.marginal_nano

    def utilisation(self, requests: int, replicas: int) -> float:
        """The mean over the month."""
        return requests / SECONDS_PER_MONTH * self.service_s / (replicas * self.slots)

    def busiest_per_s(self, requests: int) -> float:
        return requests / SECONDS_PER_MONTH * self.traffic.peak_factor

    def waits_s(self, requests: int, replicas: int) -> tuple[float, float]:
        """(mean, the goal's quantile) in the busiest hour."""
        station, load = self.station(replicas), self.busiest_per_s(requests)
        return mean_wait_s(station, load), wait_s(station, load, self.goal.quantile)

    def per_million(self, nano: Fraction, requests: int) -> tuple[Fraction, Fraction]:
        """A sum for so many requests, as (input, output) per million tokens: an input token weighs what it was measured
        to weigh, so that both together give the sum again."""
        weight = Fraction(self.input_weight)
        work = requests * (self.traffic.output_tokens + weight * self.traffic.input_tokens)
        per_output = nano * MILLION / work
        return per_output * weight, per_output


def _fixed_lines(machine: Machine, factors: Factors) -> list[Line]:
    lines: list[Line] = []
    bought, rented, power = machine.purchase, machine.rental, machine.power
    if bought is not None:
        per_month = monthly_cost(
            bought.price, bought.residual, bought.lifetime_months, method=bought.method,
            interest_per_year=bought.interest_per_year, age_months=bought.age_months,
        )  # fmt: skip
        lines.append(Line(name="purchase", nano=per_month * factors.machine_price, is_per_replica=True))
    if rented is not None:
        per_month = rented.price_per_hour * HOURS_PER_MONTH * factors.machine_price
        lines.append(Line(name="rental", nano=per_month, is_per_replica=True))
    if power is not None:
        kwh = power.idle_w * power.pue * HOURS_PER_MONTH / 1000
        nano = kwh * power.price_per_kwh * factors.power_price
        lines.append(Line(name="idle_power", nano=nano, is_per_replica=True))
    for one in machine.fixed:
        factor = factors.staff if one.name == "staff" else _ONE
        lines.append(Line(name=one.name, nano=one.amount * factor, is_per_replica=one.is_per_replica))
    return lines


def cheapest(vendors: Sequence[PricedVendor], traffic: Traffic) -> PricedVendor | None:
    """By this work; the first of equals."""
    return min(vendors, key=lambda vendor: vendor.request_nano(traffic), default=None)


def nano(value: Fraction) -> int:
    """An amount as it is shown and kept: whole nano-units, rounded up, as costs are in the books."""
    return -(-value.numerator // value.denominator)
