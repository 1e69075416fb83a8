"""A study as a document for people: the answer first, then how it came about, then every input with source and date."""

from __future__ import annotations

from fractions import Fraction

from yuzui.core.money import NANO, PICO_PER_NANO, per_million
from yuzui.economics.break_even import BreakEven
from yuzui.economics.document import Block, Code, Document, Figure, Paragraph, Section, Table
from yuzui.economics.figures import amount, change, number, percent, seconds, short
from yuzui.economics.input_table import input_rows, list_inputs, price_source
from yuzui.economics.inputs import EXAMPLE
from yuzui.economics.ownership import Ownership, nano
from yuzui.economics.sensitivity import Series, over_load, over_time, over_volume
from yuzui.economics.study import MachineStudy, Study
from yuzui.economics.svg import Bar, PlotLine, line_plot, tornado_plot
from yuzui.economics.throughput import Line
from yuzui.economics.words import Language, Speaker


def write_report(study: Study, language: Language) -> Document:
    say = Speaker(language)
    sections = [Section(heading=say("answer"), blocks=tuple(_answer(study, say)))]
    for one in study.machines:
        name = one.machine.name
        sections += [
            Section(heading=say("cost", machine=name), blocks=tuple(_cost(study, one, say))),
            Section(heading=say("queue", machine=name), blocks=(_queue(study, one, say),)),
            Section(heading=say("speed", machine=name), blocks=tuple(_speed(study, one, say))),
            Section(heading=say("routing", machine=name), blocks=_routing(study, one, say)),
        ]
    if study.vendors:
        heading = say("vendors", date=study.date.isoformat())
        sections.append(Section(heading=heading, blocks=(_vendors(study, say),)))
    for one in study.machines:
        if study.versus is not None:
            heading = say("hangs_on", machine=one.machine.name, vendor=study.versus.name)
            sections.append(Section(heading=heading, blocks=tuple(_hangs_on(study, one, say))))
    sections += [
        Section(heading=say("energy"), blocks=tuple(_energy(study, say))),
        Section(heading=say("work"), blocks=(_work(study, say),)),
        Section(heading=say("inputs"), blocks=(list_inputs(study, say),)),
        Section(heading=say("how"), blocks=tuple(_how(study, say))),
    ]
    return Document(
        title=say("title"),
        language="en" if language == "en" else "zh-Hans",
        lead=say("as_of", date=study.date.isoformat(), currency=study.inputs.currency),
        sections=tuple(sections),
    )


# ---- one function per section ---------------------------------------------------------------------------------------


def _answer(study: Study, say: Speaker) -> list[Block]:
    rows_told = list(input_rows(study))
    examples = sum(source == EXAMPLE for _, _, source, _ in rows_told)
    warning: list[Block] = []
    if examples:
        warning.append(Paragraph(text=say("examples", count=examples, all=len(rows_told))))
    if not study.vendors:
        return [*warning, Paragraph(text=say("no_vendor"))]
    rows = [
        (
            one.machine.name, other.vendor.name, amount(one.month_nano), amount(other.month_nano),
            amount(other.month_nano - one.month_nano), first_words(other.break_even, one.own, say),
            lasting_words(other.break_even, one.own, say),
        )
        for one in study.machines
        for other in one.against
    ]  # fmt: skip
    columns = ("machine", "vendor", "own_month", "vendor_month", "saving", "first", "lasting")
    return [
        *warning,
        Table(columns=tuple(map(say, columns)), rows=tuple(rows), right=frozenset((2, 3, 4))),
        Paragraph(text=say("how_saving")),
    ]


def first_words(found: BreakEven, own: Ownership, say: Speaker) -> str:
    if found.first is None:
        return say(
            "never", why=say(f"never_{found.never}", **({"count": own.most_replicas} if found.never == "far" else {}))
        )
    return say("requests_month", count=f"{found.first:,}")


def lasting_words(found: BreakEven, own: Ownership, say: Speaker) -> str:
    if found.lasting is not None:
        return say("requests_month", count=f"{found.lasting:,}")
    if found.first is None:
        return "–"
    return say("never", why=say("never_far", count=own.most_replicas))


def _cost(study: Study, one: MachineStudy, say: Speaker) -> list[Block]:
    lines = [
        (say.or_own(line.name), amount(line.nano * (one.replicas if line.is_per_replica else 1)))
        for line in one.own.fixed
    ]
    lines += [(say("marginal"), amount(one.marginal_month_nano)), (say("total"), amount(one.month_nano))]
    per_token = [
        (say("reserved"), *map(amount, one.reserved_per_million)),
        (say("usage"), *map(amount, one.marginal_per_million)),
    ]
    return [
        Table(columns=(say("item"), say("per_month")), rows=tuple(lines), right=frozenset((1,))),
        Table(
            columns=(say("per_million"), say("input"), say("output")), rows=tuple(per_token), right=frozenset((1, 2))
        ),
    ]


def _queue(study: Study, one: MachineStudy, say: Speaker) -> Table:
    own, requests = one.own, study.traffic.requests_per_month
    mean = own.utilisation(requests, one.replicas)
    goal = say("goal_wait", percent=number(own.goal.quantile * 100), goal=seconds(own.goal.wait_s))
    rows = [
        (say("replicas"), str(one.replicas)),
        (say("slots"), str(own.slots)),
        (say("service_time"), seconds(own.service_s)),
        (say("mean_utilisation"), percent(mean)),
        (say("peak_utilisation"), percent(mean * study.traffic.peak_factor)),
        (say("wait_share"), percent(one.wait_share)),
        (say("mean_wait"), seconds(one.mean_wait_s)),
        (goal, seconds(one.goal_wait_s)),
        (say("one_replica"), say("requests_month", count=f"{own.most_requests(1):,}")),
    ]
    return Table(columns=(say("quantity"), say("value")), rows=tuple(rows), right=frozenset((1,)))


def _speed(study: Study, one: MachineStudy, say: Speaker) -> list[Block]:
    curve, work = one.curve, study.traffic
    words = say(
        "speed_model", most=number(curve.most_per_s), half=number(curve.half_load), weight=number(curve.input_weight),
        rms=percent(curve.rms_residual), largest=curve.largest,
    )  # fmt: skip
    rows = [
        (
            str(n), number(measured), number(curve.work_per_s(n)), change_exact(residual),
            number(curve.request_s(n, float(work.input_tokens), float(work.output_tokens))),
        )
        for (n, measured), residual in zip(curve.points, curve.residuals, strict=True)
    ]  # fmt: skip
    columns = ("at_once", "measured", "fitted", "residual", "request_time")
    blocks: list[Block] = [
        Paragraph(text=words),
        Table(columns=tuple(map(say, columns)), rows=tuple(rows), right=frozenset(range(5))),
    ]
    if one.first_token is not None:
        blocks += _latency(one, one.first_token, say)
    if not curve.is_good:
        blocks.insert(1, Paragraph(text=say("bad_fit")))
    if not curve.is_saturating:
        blocks.insert(1, Paragraph(text=say("not_saturating")))
    return blocks


def _latency(one: MachineStudy, line: Line, say: Speaker) -> list[Block]:
    words = say("latency_model", first=seconds(line.at_zero), each=seconds(line.slope), rms=seconds(line.rms_residual))
    rows = [
        (
            str(found.concurrency), number(found.measured_s), number(found.fitted_s), change_exact(found.residual),
            number(found.p95_s), number(found.p95_first_token_s),
        )
        for found in one.latencies
    ]  # fmt: skip
    columns = ("at_once", "latency_measured", "latency_fitted", "residual", "p95", "p95_first")
    return [Paragraph(text=words), Table(columns=tuple(map(say, columns)), rows=tuple(rows), right=frozenset(range(6)))]


def change_exact(share: float) -> str:
    return f"{share * 100:+.1f} %"


def _routing(study: Study, one: MachineStudy, say: Speaker) -> tuple[Block, ...]:
    values = marginal_facts(study, one)
    shown = ", ".join(
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in values.items()
    )
    return Paragraph(text=say("routing_note")), Code(text=f"marginal_cost = {{ {shown} }}")


def marginal_facts(study: Study, one: MachineStudy) -> dict[str, str | int | float]:
    """The table `marginal_cost` of a target in yuzui.toml, as measured."""
    work = float(study.traffic.output_tokens) + one.curve.input_weight * float(study.traffic.input_tokens)
    per_input, per_output = (per_million(-(-nano(value) // PICO_PER_NANO)) for value in one.marginal_per_million)
    return {
        "currency": study.inputs.currency,
        "input": per_input,
        "output": per_output,
        "slots": one.own.slots,
        "most_requests_per_s": float(f"{one.curve.most_per_s / work:.4g}"),
        "half_load": float(f"{one.curve.half_load:.4g}"),
    }


def _vendors(study: Study, say: Speaker) -> Table:
    requests = study.traffic.requests_per_month
    rows = [
        (
            vendor.name, f"{per_million(vendor.price.input_pico)} {vendor.price.currency}",
            f"{per_million(vendor.price.cached_input_pico)} {vendor.price.currency}",
            f"{per_million(vendor.price.output_pico)} {vendor.price.currency}",
            amount(vendor.request_nano(study.traffic)), amount(requests * vendor.request_nano(study.traffic)),
            price_source(vendor),
        )
        for vendor in study.vendors
    ]  # fmt: skip
    columns = ("vendor", "input", "cached", "output", "per_request", "per_month", "price_source")
    return Table(columns=tuple(map(say, columns)), rows=tuple(rows), right=frozenset(range(1, 6)))


def _hangs_on(study: Study, one: MachineStudy, say: Speaker) -> list[Block]:
    base, currency = one.base, study.inputs.currency
    assert base is not None  # there is a vendor
    bars = [
        Bar(
            name=say(f"swing_{swing.name}"),
            low=None if swing.low is None else _units(swing.low.saving_nano),
            high=None if swing.high is None else _units(swing.high.saving_nano),
            low_label=change(swing.shares[0]),
            high_label=change(swing.shares[1]),
        )
        for swing in one.swings
    ]
    rows = [
        (
            say(f"swing_{swing.name}"), change(share),
            say("no_answer") if end is None else amount(end.saving_nano),
            "" if end is None else lasting_words(end.break_even, one.own, say),
        )
        for swing in one.swings
        for share, end in zip(swing.shares, (swing.low, swing.high), strict=True)
    ]  # fmt: skip
    title = say("saving")
    label = say("y_month", currency=currency)
    caption = say("tornado_caption")
    columns = ("item", "change", "saving_then", "break_even_then")
    return [
        Figure(
            svg=tornado_plot(bars, _units(base.saving_nano), title=title, x_label=label, show_x=short), caption=caption
        ),
        Table(columns=tuple(map(say, columns)), rows=tuple(rows), right=frozenset((1, 2))),
        *curves(study, one, say),
    ]


def curves(study: Study, one: MachineStudy, say: Speaker) -> list[Figure]:
    """Over volume, over load, over time."""
    requests, outlook, currency = study.traffic.requests_per_month, study.inputs.outlook, study.inputs.currency
    month, each = say("y_month", currency=currency), say("y_request", currency=currency)
    note = say(
        "time_note", growth=change(study.traffic.growth_per_year), change=change(outlook.vendor_price_change_per_year)
    )
    return [
        _curve(
            over_volume(one.own, study.vendors, requests),
            say("over_volume"),
            say("x_volume"),
            month,
            say,
            is_log_x=True,
        ),
        _curve(over_load(one.own, study.vendors), say("over_load"), say("x_load"), each, say, is_share=True),
        _curve(
            over_time(one.own, study.vendors, requests, outlook),
            f"{say('over_time')}. {note}",
            say("x_time"),
            month,
            say,
        ),
    ]


def _curve(
    series: list[Series],
    caption: str,
    x_label: str,
    y_label: str,
    say: Speaker,
    *,
    is_log_x: bool = False,
    is_share: bool = False,
) -> Figure:
    lines = [
        PlotLine(name=say("own") if number_ == 0 else line.name, points=[(x, y / NANO) for x, y in line.points])
        for number_, line in enumerate(series)
    ]
    svg = line_plot(
        lines, title=caption, x_label=x_label, y_label=y_label, show_x=percent if is_share else short, show_y=short,
        is_log_x=is_log_x,
    )  # fmt: skip
    return Figure(svg=svg, caption=caption, series=tuple((line.name, tuple(line.points)) for line in lines))


def _energy(study: Study, say: Speaker) -> list[Block]:
    blocks: list[Block] = []
    for one in study.machines:
        found, name = one.footprint, one.machine.name
        if found is None:
            blocks.append(Paragraph(text=say("no_power", machine=name)))
            continue
        rows = [
            (say("kwh_month"), f"{number(found.kwh_per_month)} kWh"),
            (say("wh_request"), f"{number(found.whole_wh)} Wh"),
            (say("wh_marginal"), f"{number(found.marginal_wh)} Wh"),
        ]
        if found.kg_per_month is not None and found.whole_g is not None and found.marginal_g is not None:
            rows += [
                (say("kg_month"), f"{number(found.kg_per_month)} kg"),
                (say("embodied_month"), f"{number(found.embodied_kg_per_month)} kg"),
                (say("g_request"), f"{number(found.whole_g)} g"),
                (say("g_marginal"), f"{number(found.marginal_g)} g"),
            ]
        blocks.append(Table(columns=(name, say("value")), rows=tuple(rows), right=frozenset((1,))))
    if study.grid is None:
        blocks.append(Paragraph(text=say("no_grid")))
    blocks.append(Paragraph(text=say("vendor_energy")))
    return blocks


def _work(study: Study, say: Speaker) -> Table:
    work = study.traffic
    variation = study.machines[0].service_cv2 if study.machines else 1.0
    rows = [
        (say("requests_per_month"), f"{work.requests_per_month:,}"),
        (say("input_tokens_per_request"), number(work.input_tokens)),
        (say("output_tokens_per_request"), number(work.output_tokens)),
        (say("cached_input_share"), percent(work.cached_share)),
        (say("batch_share"), percent(work.batch_share)),
        (say("peak_factor"), number(work.peak_factor)),
        (say("growth_per_year"), percent(work.growth_per_year)),
        (say("arrival_cv"), number(work.arrival_cv2**0.5)),
        (say("service_cv"), number(variation**0.5)),
    ]
    return Table(columns=(say("quantity"), say("value")), rows=tuple(rows), right=frozenset((1,)))


def _how(study: Study, say: Speaker) -> list[Block]:
    utilisation = percent(study.inputs.goal.max_utilisation)
    return [
        Paragraph(text=say("how_month", currency=study.inputs.currency)),
        *([Paragraph(text=say("how_books"))] if study.traffic.told_rest is not None else []),
        Paragraph(text=say("how_speed")),
        Paragraph(text=say("how_queue", utilisation=utilisation)),
        Paragraph(text=say("how_tokens")),
        Paragraph(text=say("how_vendor")),
        Paragraph(text=say("how_break_even")),
        Paragraph(text=say("how_hangs_on")),
        Paragraph(text=say("how_energy")),
    ]


def _units(nano: Fraction) -> float:
    return float(nano / NANO)
