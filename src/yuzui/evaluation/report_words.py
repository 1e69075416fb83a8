"""The words of a report of an evaluation, in English and Chinese; a test holds both to the same names and blanks."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "zh"]

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Evaluation of {name}", "评测报告：{name}"),
    "lead": (
        "{examples} examples, {models} models. Every call went through the gateway, so its rules, budgets and records hold for all of them.",
        "{examples} 条样例，{models} 个模型。每次调用都经过网关，因此其规则、预算与记录对所有调用均有效。",
    ),
    "missing": (
        "The run is not complete: {count} answers are missing. Figures are of what is there.",
        "评测尚未完成：缺少 {count} 个回答。以下数字仅基于已有结果。",
    ),
    "all": ("All examples", "全部样例"),
    "slice": ("Slice: {name} ({count} examples)", "切片：{name}（{count} 条样例）"),
    "model": ("model", "模型"),
    "premises": ("premises", "部署"),
    "own": ("own (open)", "自有（开放）"),
    "vendor": ("vendor (closed)", "供应商（封闭）"),
    "mixed": ("mixed", "混合"),
    "unknown": ("not known", "未知"),
    "answered": ("answered", "已回答"),
    "not_permitted": ("not permitted", "不允许"),
    "failed": ("failed", "失败"),
    "cost_mean": ("cost per answer", "每次回答成本"),
    "cost_total": ("cost in all", "总成本"),
    "p50": ("latency p50", "延迟 p50"),
    "p95": ("latency p95", "延迟 p95"),
    "tokens": ("tokens in / out", "输入/输出 token"),
    "ungraded": (
        "Without a score: {model}, {scorer}: {reasons}. Means are of the others.",
        "无得分：{model}，{scorer}：{reasons}。平均值仅基于其余回答。",
    ),
    "against": ("Against {reference}, paired", "与 {reference} 配对比较"),
    "scorer": ("scorer", "评分器"),
    "difference": ("difference", "差值"),
    "pairs": ("pairs", "配对数"),
    "wins": ("better / same / worse", "更好/相同/更差"),
    "open_closed": ("Open against closed", "开放模型与封闭模型"),
    "best_own": ("best own", "最佳自有"),
    "best_vendor": ("best of vendors", "最佳供应商"),
    "own_minus": ("own minus vendor", "自有减供应商"),
    "cost_share": ("cost of own in % of vendor's", "自有成本占供应商的百分比"),
    "worst": ("Worst examples", "最差样例"),
    "example": ("example", "样例"),
    "score": ("score", "得分"),
    "reference_score": ("reference", "参考得分"),
    "question": ("question", "问题"),
    "answer": ("answer", "回答"),
    "none_worse": ("No answer scored below the reference.", "没有回答的得分低于参考模型。"),
    "judge": (
        "Judges: {count} questions to {judge}, {cost} in all, not part of the costs above. Each pair was judged in both orders; where they disagree it is a tie.",
        "评审：向 {judge} 提问 {count} 次，共 {cost}，不含在上述成本内。每对回答以两种顺序评审；结论不一致时记为平局。",
    ),
    "how_title": ("How the figures were made", "数字的计算方法"),
    "how": (
        "Scores are means over graded answers, 0 to 1. Brackets are {level} bootstrap intervals over examples ({method}, {redraws} redraws, seed {seed}); differences are of the same examples. Without brackets: fewer than 8 examples, or all values the same.",
        "得分为已评分回答的平均值，范围 0 到 1。括号内为按样例重抽样的 {level} 自助法区间（{method}，重抽样 {redraws} 次，种子 {seed}）；差值基于相同样例。没有括号表示样例少于 8 条，或所有值相同。",
    ),
    "how_cost": (
        "Costs are what the gateway booked for each answer. An own model that is free in the configuration costs 0 here; `yuzui tco` says what it really costs. Latency is measured by the client, from sending to the last byte, with up to {parallel} calls at once.",
        "成本为网关对每次回答的入账金额。配置为免费的自有模型在此计为 0；其真实成本见 `yuzui tco`。延迟由客户端测量，从发送到最后一个字节，最多同时 {parallel} 次调用。",
    ),
    "how_best": (
        "Best own and best of vendors are chosen by the same examples on which they are compared, so the better of several "
        "looks a little better than it is. Own minus vendor is paired; the share of cost is the ratio of their mean costs.",
        "“最佳自有”与“最佳供应商”由用来比较的同一批样例选出，因此多个模型中的最佳者看起来略好于实际。自有减供应商为配对差值；成本占比为两者平均成本之比。",
    ),
    "how_refused": (
        "An example that a model may not see is counted as not permitted, has no score, and is in no difference: compare models with unequal counts with care.",
        "模型无权查看的样例计为“不允许”，没有得分，也不计入差值：比较计数不同的模型时请谨慎。",
    ),
    "how_slices": (
        "Slices are looked at one by one without correction: of twenty slices that differ in nothing, one differs by chance at 95 %.",
        "各切片单独检验，未做多重比较校正：在 95 % 水平下，二十个并无差异的切片中约有一个会因偶然而显示差异。",
    ),
    "settings": (
        "Parameters: {parameters}. Examples: SHA-256 {sha256}.",
        "参数：{parameters}。样例文件 SHA-256：{sha256}。",
    ),
    "plot_quality": ("Mean {scorer}, with intervals", "{scorer} 平均得分及区间"),
    "plot_cost": ("{scorer} against cost per answer", "{scorer} 与每次回答成本"),
    "x_score": ("mean score", "平均得分"),
    "x_cost": ("{currency} per answer", "每次回答（{currency}）"),
}  # fmt: skip


def word(name: str, language: Language, /, **blanks: object) -> str:
    english, chinese = WORDS[name]
    return (chinese if language == "zh" else english).format(**blanks)
