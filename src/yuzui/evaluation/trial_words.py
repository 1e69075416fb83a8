"""The report on a trial in words, English and Chinese, and as JSON; each figure says how it was computed."""

from __future__ import annotations

from math import isnan
from typing import Any, Final, Literal

from yuzui.core.trial import Trial
from yuzui.evaluation.trial_report import Figure, Row, Side, Sides, rows

Language = Literal["en", "zh"]

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Trial {name} of {model}", "{model} 的试验 {name}"),
    "about": ("Arm {arm}, {percent} % of {whom}, {kind}.", "试验组 {arm}，占{whom}的 {percent} %，类型 {kind}。"),
    "everybody": ("all requests", "全部请求"),
    "some": ("the requests of named keys, teams or apps", "指定密钥、团队或应用的请求"),
    "period": ("Requests from {first} to {last} (UTC).", "请求时间：{first} 至 {last}（UTC）。"),
    "none": ("No request of this trial is recorded in that time.", "该时段内没有此试验的请求记录。"),
    "state_running": ("State: running.", "状态：运行中。"),
    "state_stopped": ("State: stopped at {at} by {by}: {reason}.", "状态：已于 {at} 由 {by} 停止：{reason}。"),
    "own_rule": ("its own rule", "自动回滚规则"),
    "figure": ("figure", "指标"),
    "arm": ("arm", "试验组"),
    "control": ("control", "对照组"),
    "difference": ("difference", "差值"),
    "requests": ("requests", "请求数"),
    "failure_rate": ("first target failed", "首个目标失败率"),
    "unanswered_rate": ("client got an error", "客户端收到错误的比例"),
    "first_token_p50": ("first token, p50", "首 token 延迟 p50"),
    "first_token_p95": ("first token, p95", "首 token 延迟 p95"),
    "duration_p50": ("whole answer, p50", "完整回答耗时 p50"),
    "duration_p95": ("whole answer, p95", "完整回答耗时 p95"),
    "cost": ("cost per request", "每请求费用"),
    "input_tokens": ("input tokens per request", "每请求输入 token"),
    "output_tokens": ("output tokens per request", "每请求输出 token"),
    "quality": ("quality (grades, 0 to 1)", "质量（评分，0 至 1）"),
    "failures": ("How first targets failed", "首个目标的失败原因"),
    "elsewhere": (
        "Answered by another target than the first: arm {arm}, control {control}.",
        "由其他目标回答：试验组 {arm}，对照组 {control}。",
    ),
    "neither": ("Counted for neither side: {reasons}.", "两组均不计入：{reasons}。"),
    "ungraded": (
        "Quality: no request of it was graded (--grades).",
        "质量：没有带评分的请求（--grades）。",
    ),
    "how": ("How it was computed", "计算方法"),
    "how_source": (
        "From the audit records of these requests. A request counts for the side that it was drawn for, whoever "
        "answered in the end; what the arm may not see counts for neither.",
        "根据这些请求的审计记录计算。请求计入其抽中的一组，无论最终由谁回答；试验组无权查看的请求两组均不计入。",
    ),
    "how_failures": (
        "First target failed: it could not be reached, refused, timed out, broke off, sent what cannot be read, or its "
        "own filter held the answer back; also where another target then answered. Wilson intervals, their difference "
        "by Newcombe's method.",
        "首个目标失败：无法连接、拒绝、超时、中断、返回无法解析的内容，或其自身过滤器拦截了回答；之后由其他目标回答的也算在内。"
        "区间为 Wilson 区间，差值用 Newcombe 方法。",
    ),
    "how_latency": (
        "Latency: first tokens of requests that the first target answered; whole answers of all that were answered, "
        "from the request's body to its closing. Intervals between order statistics.",
        "延迟：首 token 只计首个目标回答的请求；完整回答计全部已回答的请求，从收到请求体到结算。区间取次序统计量。",
    ),
    "how_means": (
        "Cost and tokens: means per request with normal 95 % intervals, differences with unequal variances. Cost is "
        "what was booked, in {currency}; {estimated} of the usages are estimates.",
        "费用与 token：每请求均值，95 % 正态区间，差值按方差不等计算。费用为实际入账金额（{currency}），"
        "其中 {estimated} 个用量为估计值。",
    ),
    "how_looking": (
        "These intervals hold for one look at a time that was chosen beforehand. The rollback has a test of its own "
        "that holds however often one looks.",
        "上述区间仅适用于事先选定时间的一次查看。自动回滚使用另一种可随时查看的检验。",
    ),
}
"""Name → (English, Chinese)."""
HOW: Final = ("how_source", "how_failures", "how_latency", "how_means", "how_looking")


class Told:
    """One report, ready to be said."""

    def __init__(self, trial: Trial, sides: Sides, *, state: tuple[str, dict[str, str]], currency: str) -> None:
        """`state`: `state_running` or `state_stopped` with its blanks."""
        self._trial, self._sides, self._state, self._currency = trial, sides, state, currency
        self._rows = rows(sides)

    def markdown(self, language: Language) -> str:
        trial, sides = self._trial, self._sides
        column = 0 if language == "en" else 1

        def say(word: str, **blanks: object) -> str:
            return WORDS[word][column].format(**blanks)

        whom = say("some" if trial.keys or trial.teams or trial.apps else "everybody")
        name, blanks = self._state
        blanks = {**blanks, "by": blanks.get("by") or say("own_rule")}
        lines = [
            f"# {say('title', name=trial.name, model=trial.model)}", "",
            say("about", arm=trial.arm, percent=f"{trial.percent:g}", whom=whom, kind=trial.kind),
            say(name, **blanks), "",
        ]  # fmt: skip
        if not sides.first_at:
            return "\n".join([*lines, say("none"), ""])
        lines += [say("period", first=sides.first_at, last=sides.last_at), ""]
        lines += [f"| {say('figure')} | {say('arm')} | {say('control')} | {say('difference')} |", "|---|---|---|---|"]
        lines.append(f"| {say('requests')} | {sides.arm.requests} | {sides.control.requests} | |")
        lines += [
            f"| {say(row.name)} | {self._show(row, row.arm)} | {self._show(row, row.control)} | "
            f"{self._show(row, row.difference, signed=True)} |"
            for row in self._rows
        ]
        lines += ["", *self._notes(say), "", f"## {say('how')}", ""]
        estimated = sides.arm.estimated + sides.control.estimated
        lines += [f"- {say(name, currency=self._currency, estimated=estimated)}" for name in HOW]
        return "\n".join([*lines, ""])

    def as_json(self) -> dict[str, Any]:  # Any: JSON values
        trial, sides = self._trial, self._sides
        return {
            "trial": trial.name, "model": trial.model, "arm_target": trial.arm, "kind": trial.kind,
            "percent": trial.percent, "state": {"is_stopped": self._state[0] == "state_stopped", **self._state[1]},
            "first": sides.first_at, "last": sides.last_at, "currency": self._currency,
            "arm": _side(sides.arm), "control": _side(sides.control), "neither": dict(sides.neither),
            "figures": [
                {"name": row.name, "unit": row.unit, "arm": _figure(row.arm), "control": _figure(row.control),
                 "difference": _figure(row.difference)}
                for row in self._rows
            ],
            "how": [
                WORDS[name][0].format(
                    currency=self._currency, estimated=sides.arm.estimated + sides.control.estimated
                )
                for name in HOW
            ],
        }  # fmt: skip

    def _notes(self, say: Any) -> list[str]:  # Any: a function of a name and its blanks
        sides = self._sides
        notes = [say("elsewhere", arm=sides.arm.answered_elsewhere, control=sides.control.answered_elsewhere)]
        for side, name in ((sides.arm, "arm"), (sides.control, "control")):
            if side.failures:
                notes.append(f"{say('failures')} ({say(name)}): {_listed(side.failures)}.")
        if sides.neither:
            notes.append(say("neither", reasons=_listed(sides.neither)))
        if not any(row.name == "quality" for row in self._rows):
            notes.append(say("ungraded"))
        return notes

    def _show(self, row: Row, figure: Figure, *, signed: bool = False) -> str:
        if isnan(figure.value):
            return "–"
        shown = _value(figure.value, row.unit, "+" if signed else "")
        if isnan(figure.low):
            return shown
        sign = "+" if signed else ""
        return f"{shown} ({_value(figure.low, row.unit, sign)} … {_value(figure.high, row.unit, sign)})"


def _value(value: float, unit: str, sign: str) -> str:
    match unit:
        case "share":
            return f"{value:{sign}.2%}"
        case "ms":
            return f"{value:{sign}.0f} ms"
        case "money":
            return f"{value:{sign}.6f}"
        case "tokens":
            return f"{value:{sign}.1f}"
        case _:
            return f"{value:{sign}.3f}"


def _figure(figure: Figure) -> dict[str, float | int | None]:
    def known(value: float) -> float | None:
        return None if isnan(value) else value

    return {"value": known(figure.value), "low": known(figure.low), "high": known(figure.high), "n": figure.count}


def _side(side: Side) -> dict[str, object]:
    return {
        "requests": side.requests, "outcomes": dict(side.outcomes), "failures": dict(side.failures),
        "answered_elsewhere": side.answered_elsewhere,
    }  # fmt: skip


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(
        [f"{name} {count}" for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    )
