"""How long requests wait in front of servers, and how much load a goal for that wait permits.

M/M/c by Erlang's formula, M/G/c by scaling its wait with the variability of arrivals and service (Allen–Cunneen).
Sources: A. K. Erlang 1917; A. O. Allen, Probability, Statistics, and Queueing Theory, 2nd ed. 1990, section 5.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST_SERVERS = 1_000_000
_HALVINGS = 60  # of the interval in which the load is looked for: to the last bit of a float


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """`servers` equal places with one queue before them."""

    servers: int
    service_s: float
    """Mean time that a request holds a place."""
    arrival_cv2: float = 1.0
    """Squared coefficient of variation of the times between arrivals; 1: independent callers (Poisson)."""
    service_cv2: float = 1.0
    """The same of the service time; 1: exponential, 0: all alike."""

    @property
    def variability(self) -> float:
        """What Allen and Cunneen scale the wait with; 1 for M/M/c, exact for M/G/1 (Pollaczek–Khinchine)."""
        return (self.arrival_cv2 + self.service_cv2) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitGoal:
    """`quantile` of all requests wait at most `wait_s`; and no place is planned beyond `max_utilisation`."""

    quantile: float
    wait_s: float
    max_utilisation: float


def erlang_b(servers: int, offered: float) -> float:
    """The share that finds all `servers` busy and is lost. `offered`: load in erlangs (arrivals x service time)."""
    if servers < 0 or servers > MOST_SERVERS or not 0 <= offered < math.inf:
        raise ValueError(f"{servers} servers and {offered} erlangs: counts from 0 on")
    if not offered:
        return 0.0 if servers else 1.0
    inverse = 1.0  # of the probability: this recursion loses no digits, whatever the number of servers
    for busy in range(1, servers + 1):
        inverse = 1.0 + inverse * busy / offered
        if inverse > 1e300:
            return 0.0  # smaller than any float, and it only shrinks from here: offered < busy by now
    return 1.0 / inverse


def erlang_c(servers: int, offered: float) -> float:
    """The share that has to wait, M/M/c; 1 at and beyond saturation."""
    if offered >= servers:
        return 1.0
    lost = erlang_b(servers, offered)
    return lost / (1 - offered / servers * (1 - lost))


def mean_wait_s(station: Station, arrivals_per_s: float) -> float:
    """Seconds in the queue on average; infinite at and beyond saturation."""
    offered = arrivals_per_s * station.service_s
    if offered >= station.servers:
        return math.inf
    waiting = erlang_c(station.servers, offered)
    return waiting * station.service_s * station.variability / (station.servers - offered)


def wait_s(station: Station, arrivals_per_s: float, quantile: float) -> float:
    """The wait that `quantile` of all requests do not exceed: the wait of those who wait is taken as exponential."""
    if not 0 < quantile < 1:
        raise ValueError(f"{quantile} is no quantile; it lies between 0 and 1")
    offered = arrivals_per_s * station.service_s
    if offered >= station.servers:
        return math.inf
    waiting = erlang_c(station.servers, offered)
    if waiting <= 1 - quantile:
        return 0.0
    scale = station.service_s * station.variability / (station.servers - offered)
    return scale * math.log(waiting / (1 - quantile))


def most_arrivals_per_s(station: Station, goal: WaitGoal) -> float:
    """The largest load that keeps `goal`."""
    high = goal.max_utilisation * station.servers / station.service_s
    if wait_s(station, high, goal.quantile) <= goal.wait_s:
        return high
    low = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if wait_s(station, middle, goal.quantile) <= goal.wait_s:
            low = middle
        else:
            high = middle
    return low
