from __future__ import annotations

import heapq
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.economics.queueing import (
    Station,
    WaitGoal,
    erlang_b,
    erlang_c,
    mean_wait_s,
    most_arrivals_per_s,
    wait_s,
)


def exact_c(servers: int, offered: Fraction) -> Fraction:
    """By the definition, with factorials: nothing in common with the recursion."""
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(offered**n / math.factorial(n) for n in range(servers)) + last)


@pytest.mark.parametrize(("servers", "offered"), [(1, 0.01010), (5, 1.361), (10, 4.461), (20, 12.03), (100, 84.06)])
def test_erlang_b_is_that_of_the_tables_at_one_percent(servers: int, offered: float) -> None:
    assert erlang_b(servers, offered) == pytest.approx(0.01, rel=5e-3)


@pytest.mark.parametrize(
    ("servers", "offered"), [(1, Fraction(1, 2)), (2, Fraction(3, 2)), (10, Fraction(8)), (50, Fraction(42))]
)
def test_erlang_c_is_that_of_its_definition(servers: int, offered: Fraction) -> None:
    assert erlang_c(servers, float(offered)) == pytest.approx(float(exact_c(servers, offered)), rel=1e-12)


def test_ten_servers_at_eight_erlangs_let_two_fifths_wait() -> None:
    assert erlang_c(10, 8.0) == pytest.approx(0.4092, abs=5e-5)


def test_one_exponential_server_waits_as_the_textbook_says() -> None:
    station = Station(servers=1, service_s=2.0)
    assert mean_wait_s(station, 0.25) == pytest.approx(0.5 / (1 - 0.5) * 2.0)
    # P(W > t) = rho exp(-(1 - rho) t / S)
    assert wait_s(station, 0.25, 0.95) == pytest.approx(2.0 / 0.5 * math.log(0.5 / 0.05))


@pytest.mark.parametrize("cv2", [0.0, 0.5, 3.0])
def test_one_general_server_is_pollaczek_and_khinchine(cv2: float) -> None:
    station = Station(servers=1, service_s=1.0, service_cv2=cv2)
    assert mean_wait_s(station, 0.8) == pytest.approx(0.8 * (1 + cv2) / (2 * 0.2))


@pytest.mark.parametrize(("cv2", "load"), [(1.0, 0.8), (0.0, 0.85), (2.0, 0.8)])
def test_several_servers_wait_about_as_a_simulation_does(cv2: float, load: float) -> None:
    """First come, first served, eight servers; the approximation is within a fifth of 60,000 simulated requests."""
    servers, draw = 8, random.Random(7)
    station = Station(servers=servers, service_s=1.0, service_cv2=cv2)
    free = [0.0] * servers
    now, waited = 0.0, []
    for _ in range(60_000):
        now += draw.expovariate(load * servers)
        begin = max(now, heapq.heappop(free))
        waited.append(begin - now)
        heapq.heappush(free, begin + (1.0 if not cv2 else draw.gammavariate(1 / cv2, cv2)))
    simulated = sum(waited) / len(waited)
    assert mean_wait_s(station, load * servers) == pytest.approx(simulated, rel=0.2)
    waited.sort()
    assert wait_s(station, load * servers, 0.95) == pytest.approx(waited[int(0.95 * len(waited))], rel=0.25)


def test_nothing_waits_at_no_load_and_everything_at_saturation() -> None:
    assert erlang_c(4, 0.0) == 0.0
    assert erlang_c(4, 4.0) == 1.0
    assert mean_wait_s(Station(servers=4, service_s=1), 4) == math.inf
    assert wait_s(Station(servers=4, service_s=1), 9, 0.5) == math.inf


def test_thousands_of_servers_neither_overflow_nor_lose_digits() -> None:
    assert erlang_b(20_000, 19_000) == pytest.approx(0.0, abs=1e-9)
    assert 0 < erlang_c(20_000, 19_990) < 1
    assert erlang_b(5000, 1.0) == 0.0


@pytest.mark.parametrize(("servers", "offered"), [(-1, 1.0), (1, -1.0), (1, math.inf), (10**7, 1.0), (1, math.nan)])
def test_what_is_no_load_is_refused(servers: int, offered: float) -> None:
    with pytest.raises(ValueError, match="servers"):
        erlang_b(servers, offered)


def test_a_quantile_lies_between_nothing_and_everything() -> None:
    with pytest.raises(ValueError, match="no quantile"):
        wait_s(Station(servers=1, service_s=1), 0.5, 1.0)


loads = st.floats(0.01, 0.97)
stations = st.builds(
    Station,
    servers=st.integers(1, 60),
    service_s=st.floats(0.01, 60),
    service_cv2=st.floats(0, 5),
    arrival_cv2=st.floats(0, 5),
)


@given(stations, loads, loads, st.floats(0.5, 0.999))
def test_more_load_never_waits_less(station: Station, one: float, other: float, quantile: float) -> None:
    low, high = sorted((one * station.servers / station.service_s, other * station.servers / station.service_s))
    assert wait_s(station, low, quantile) <= wait_s(station, high, quantile) * (1 + 1e-9)
    assert mean_wait_s(station, low) <= mean_wait_s(station, high) * (1 + 1e-9)


@given(stations, st.floats(0.5, 0.999), st.floats(0, 10), st.floats(0.1, 0.95))
def test_the_largest_load_keeps_the_goal_and_hardly_more_does(
    station: Station, quantile: float, goal_s: float, utilisation: float
) -> None:
    goal = WaitGoal(quantile=quantile, wait_s=goal_s, max_utilisation=utilisation)
    most = most_arrivals_per_s(station, goal)
    assert wait_s(station, most, quantile) <= goal_s
    full = utilisation * station.servers / station.service_s
    assert most == full or wait_s(station, min(full, most * 1.001), quantile) >= goal_s * (1 - 1e-6)
