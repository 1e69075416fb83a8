"""A study as JSON values: amounts as integers of nano-units, everything that the report says and more digits of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from yuzui.economics.break_even import BreakEven
from yuzui.economics.input_table import input_rows, price_source
from yuzui.economics.ownership import nano
from yuzui.economics.report import curves, marginal_facts
from yuzui.economics.sensitivity import Outcome
from yuzui.economics.study import MachineStudy, Study
from yuzui.economics.words import Speaker

Json = dict[str, Any]  # Any: JSON values
VERSION = 1


def facts(study: Study) -> Json:
    """Names of keys carry their units; `_nano` is a billionth of `currency`."""
    return {
        "v": VERSION,
        "date": study.date.isoformat(),
        "currency": study.inputs.currency,
        "requests_per_month": study.traffic.requests_per_month,
        "versus": study.versus.name if study.versus else None,
        "machines": [_machine(study, one) for one in study.machines],
        "vendors": [
            {
                "name": vendor.name,
                "price_source": price_source(vendor),
                "request_nano": nano(vendor.request_nano(study.traffic)),
                "month_nano": nano(study.traffic.requests_per_month * vendor.request_nano(study.traffic)),
            }
            for vendor in study.vendors
        ],
        "inputs": [
            {"key": key, "value": value, "source": source, "date": date}
            for key, value, source, date in input_rows(study)
        ],
    }


def _machine(study: Study, one: MachineStudy) -> Json:
    own, requests = one.own, study.traffic.requests_per_month
    return {
        "name": one.machine.name,
        "replicas": one.replicas,
        "slots_per_replica": own.slots,
        "month_nano": nano(one.month_nano),
        "marginal_month_nano": nano(one.marginal_month_nano),
        "lines": [
            {"name": line.name, "month_nano": nano(line.nano), "per": "replica" if line.is_per_replica else "all"}
            for line in own.fixed
        ],
        "reserved_per_million_nano": _pair(one.reserved_per_million),
        "marginal_per_million_nano": _pair(one.marginal_per_million),
        "speed": _speed(one),
        "latency": _latency(one),
        "queue": {
            "service_s": own.service_s,
            "service_cv2": one.service_cv2,
            "mean_utilisation": own.utilisation(requests, one.replicas),
            "wait_share": one.wait_share,
            "mean_wait_s": one.mean_wait_s,
            "goal_wait_s": one.goal_wait_s,
            "most_requests_per_month_of_one": own.most_requests(1),
        },
        "against": [
            {
                "vendor": other.vendor.name,
                "vendor_month_nano": nano(other.month_nano),
                "saving_month_nano": nano(other.month_nano) - nano(one.month_nano),
                "break_even": break_even_facts(other.break_even),
            }
            for other in one.against
        ],
        "sensitivity": [
            {
                "name": swing.name,
                "low": _end(swing.shares[0], swing.low),
                "high": _end(swing.shares[1], swing.high),
            }
            for swing in one.swings
        ],
        "curves": [
            {"caption": figure.caption, "series": [{"name": name, "points": points} for name, points in figure.series]}
            for figure in curves(study, one, Speaker("en"))
        ],
        "energy": _energy(one),
        "marginal_cost": marginal_facts(study, one),
    }


def _speed(one: MachineStudy) -> Json:
    curve = one.curve
    return {
        "model": "most_per_s * n / (n + half_load)",
        "most_per_s": curve.most_per_s,
        "half_load": curve.half_load,
        "input_token_weight": curve.input_weight,
        "rms_residual": curve.rms_residual,
        "points": [
            {"concurrency": n, "measured_per_s": measured, "fitted_per_s": curve.work_per_s(n), "residual": residual}
            for (n, measured), residual in zip(curve.points, curve.residuals, strict=True)
        ],
    }


def _latency(one: MachineStudy) -> list[Json]:
    return [
        {
            "concurrency": found.concurrency,
            "measured_s": found.measured_s,
            "fitted_s": found.fitted_s,
            "residual": found.residual,
            "p95_s": found.p95_s,
            "mean_first_token_s": found.first_token_s,
            "p95_first_token_s": found.p95_first_token_s,
        }
        for found in one.latencies
    ]


def break_even_facts(found: BreakEven) -> Json:
    return {
        "first_requests_per_month": found.first,
        "first_replicas": found.first_replicas,
        "lasting_requests_per_month": found.lasting,
        "never": found.never,
    }


def _pair(pair: tuple[Fraction, Fraction]) -> Json:
    return {"input": nano(pair[0]), "output": nano(pair[1])}


def _end(share: Fraction, end: Outcome | None) -> Json:
    if end is None:
        return {"change": float(share), "saving_month_nano": None}
    return {
        "change": float(share),
        "saving_month_nano": nano(end.saving_nano),
        "break_even": break_even_facts(end.break_even),
    }


def _energy(one: MachineStudy) -> Json | None:
    found = one.footprint
    if found is None:
        return None
    return {
        "kwh_per_month": float(found.kwh_per_month),
        "wh_per_request": float(found.whole_wh),
        "marginal_wh_per_request": float(found.marginal_wh),
        "kg_co2e_per_month": _optional(found.kg_per_month),
        "g_co2e_per_request": _optional(found.whole_g),
        "marginal_g_co2e_per_request": _optional(found.marginal_g),
        "embodied_kg_co2e_per_month": float(found.embodied_kg_per_month),
    }


def _optional(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
