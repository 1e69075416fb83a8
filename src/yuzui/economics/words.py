"""The words of a report, in English and Chinese; a test holds both to the same names and blanks."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "zh"]

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Cost of ownership: own models and vendors", "总体拥有成本：自有模型与供应商"),
    "as_of": ("As of {date}. All amounts in {currency}.", "截至 {date}。金额单位均为 {currency}。"),
    "answer": ("The answer", "结论"),
    "machine": ("machine", "机器"),
    "vendor": ("vendor", "供应商"),
    "own_month": ("own per month", "自有每月"),
    "vendor_month": ("vendor per month", "供应商每月"),
    "saving": ("saving per month", "每月节省"),
    "first": ("own is first no dearer at", "自有首次不贵于供应商"),
    "lasting": ("and stays so from", "此后一直不贵于供应商"),
    "requests_month": ("{count} requests/month", "每月 {count} 次请求"),
    "never": ("never: {why}", "不会：{why}"),
    "never_marginal": ("the power of a request alone costs more", "仅每次请求的电费就更贵"),
    "never_capacity": ("a full replica costs more than its work does there", "满载副本的成本仍高于供应商"),
    "never_far": ("beyond {count} replicas", "超过 {count} 个副本"),
    "no_vendor": ("No vendor is named, so there is nothing to compare with.", "未写供应商，无从比较。"),
    "work": ("The work", "工作量"),
    "quantity": ("quantity", "项目"),
    "value": ("value", "数值"),
    "requests_per_month": ("requests per month", "每月请求数"),
    "input_tokens_per_request": ("input tokens per request", "每次请求输入 token"),
    "output_tokens_per_request": ("output tokens per request", "每次请求输出 token"),
    "cached_input_share": ("share of input that a vendor reads from its cache", "供应商缓存命中的输入占比"),
    "batch_share": ("share of requests at a vendor's batch price", "按供应商批处理价计费的请求占比"),
    "peak_factor": ("busiest hour over mean hour", "最忙小时与平均小时之比"),
    "growth_per_year": ("growth per year", "年增长率"),
    "arrival_cv": ("variation of arrivals (standard deviation / mean)", "到达间隔变异系数"),
    "service_cv": ("variation of service times (standard deviation / mean)", "服务时间变异系数"),
    "speed": ("Speed of {machine}", "{machine} 的速度"),
    "speed_model": (
        "Fitted: X(n) = {most} · n / (n + {half}) output tokens per second with n requests at once; an input token counts "
        "as {weight} of an output token. Root mean square of the relative residuals: {rms}. The curve is used up to "
        "n = {largest} only.",
        "拟合：X(n) = {most} · n / (n + {half})，单位为每秒输出 token，n 为同时处理的请求数；一个输入 token 计为 {weight} 个输出 "
        "token。相对残差的均方根：{rms}。曲线只用到 n = {largest}。",
    ),
    "not_saturating": (
        "The bend lies beyond what was measured: the limit is extrapolated and not used.",
        "拐点在测量范围之外：上限为外推值，未被使用。",
    ),
    "bad_fit": (
        "The curve does not describe what was measured (residuals above 15 %): measure again on a quiet machine with more requests.",
        "曲线与实测不符（残差超过 15 %）：请在空闲机器上用更多请求重新测量。",
    ),
    "latency_model": (
        "Latency of the requests of the measurement, beside n / X(n) for requests of their size. First token after {first} + n · {each} on average, root mean square of the residuals {rms}.",
        "测量中各请求的延迟，以及同等大小请求的 n / X(n)。首个 token 平均在 {first} + n · {each} 之后，残差均方根 {rms}。",
    ),
    "latency_measured": ("measured mean, s", "实测平均，秒"),
    "latency_fitted": ("n / X(n), s", "n / X(n)，秒"),
    "p95": ("p95, s", "p95，秒"),
    "p95_first": ("p95 of the first token, s", "首 token p95，秒"),
    "at_once": ("requests at once", "同时请求数"),
    "measured": ("measured, tokens/s", "实测，token/s"),
    "fitted": ("fitted, tokens/s", "拟合，token/s"),
    "residual": ("residual", "残差"),
    "request_time": ("time of a mean request, s", "平均请求用时，秒"),
    "queue": ("Waiting in front of {machine}", "{machine} 前的排队"),
    "replicas": ("replicas", "副本数"),
    "slots": ("places per replica", "每个副本的并发位"),
    "service_time": ("time of a request on a full replica", "满载副本上一次请求的用时"),
    "mean_utilisation": ("utilisation, mean of the month", "利用率，月平均"),
    "peak_utilisation": ("utilisation, busiest hour", "利用率，最忙小时"),
    "wait_share": ("share of requests that wait, busiest hour", "最忙小时需要等待的请求占比"),
    "mean_wait": ("mean wait, busiest hour", "最忙小时平均等待"),
    "goal_wait": ("p{percent} of the wait, busiest hour (goal: {goal})", "最忙小时等待的 p{percent}（目标：{goal}）"),
    "one_replica": ("one replica alone takes", "单个副本可承担"),
    "cost": ("What {machine} costs", "{machine} 的成本"),
    "item": ("item", "项目"),
    "per_month": ("per month", "每月"),
    "purchase": ("purchase, written off", "购置折旧与利息"),
    "rental": ("rental", "租用"),
    "idle_power": ("power while idle", "空闲用电"),
    "staff": ("staff", "人员"),
    "marginal": ("power that the work draws on top", "处理请求的额外用电"),
    "total": ("total", "合计"),
    "per_million": ("per million tokens", "每百万 token"),
    "input": ("input", "输入"),
    "cached": ("cached input", "缓存输入"),
    "output": ("output", "输出"),
    "reserved": ("reserved: you pay for the machine, used or not", "预留计：无论是否使用都为机器付费"),
    "usage": ("marginal: what one more token costs", "边际计：多处理一个 token 的成本"),
    "vendors": ("Vendors, at the prices of {date}", "供应商，{date} 的价格"),
    "per_request": ("a mean request", "平均每次请求"),
    "price_source": ("price from", "价格来源"),
    "hangs_on": ("What it hangs on: {machine} against {vendor}", "敏感性：{machine} 对 {vendor}"),
    "tornado_caption": (
        "Saving per month, one number at a time lower and higher; the black line is the case as written.",
        "每月节省：每次只改变一个数值；黑线为当前情形。",
    ),
    "swing_vendor_price": ("vendor's prices", "供应商价格"),
    "swing_volume": ("volume", "请求量"),
    "swing_utilisation": ("planned utilisation", "计划利用率"),
    "swing_power_price": ("price of power", "电价"),
    "swing_machine_price": ("price of the machine", "机器价格"),
    "swing_staff": ("staff", "人员"),
    "swing_speed": ("speed", "速度"),
    "swing_fx": ("exchange rate", "汇率"),
    "change": ("change", "变化"),
    "saving_then": ("saving then", "此时节省"),
    "break_even_then": ("lasting break-even then", "此时长期盈亏平衡点"),
    "no_answer": ("no answer: more replicas than anybody would build", "无解：所需副本过多"),
    "over_volume": ("Cost per month over volume", "每月成本与请求量"),
    "over_load": ("Cost of a mean request over the utilisation of a replica", "平均每次请求成本与副本利用率"),
    "over_time": ("Cost per month over the months ahead", "未来各月的成本"),
    "x_volume": ("requests per month (logarithmic)", "每月请求数（对数）"),
    "x_load": ("mean utilisation of one replica", "单个副本的平均利用率"),
    "x_time": ("months from now", "距今月数"),
    "y_month": ("{currency} per month", "{currency}/月"),
    "y_request": ("{currency} per request", "{currency}/次"),
    "own": ("own", "自有"),
    "time_note": (
        "Work grows by {growth} per year, vendors' prices change by {change} per year.",
        "请求量每年增长 {growth}，供应商价格每年变化 {change}。",
    ),
    "energy": ("Energy and CO2e", "能耗与碳排放"),
    "kwh_month": ("energy per month", "每月用电"),
    "wh_request": ("energy per request, with its share of idling", "每次请求用电（含空闲分摊）"),
    "wh_marginal": ("energy per request, on top of idling", "每次请求额外用电"),
    "kg_month": ("CO2e per month", "每月碳排放"),
    "g_request": ("CO2e per request, with its share of idling and making", "每次请求碳排放（含空闲与制造分摊）"),
    "g_marginal": ("CO2e per request, on top of idling", "每次请求额外碳排放"),
    "embodied_month": ("of which from making the machines, per month", "其中机器制造分摊，每月"),
    "no_grid": (
        "Without a [grid] table no CO2e is told.",
        "未写 [grid]，不给出碳排放。",
    ),
    "no_power": ("Nobody said what {machine} draws.", "未写 {machine} 的功率。"),
    "vendor_energy": (
        "Of vendors nothing is told: none publishes figures for its machines that could be put beside these.",
        "供应商的能耗不予给出：没有可与此对照的公开数据。",
    ),
    "routing": ("What routing should know of {machine}", "路由所需的 {machine} 数据"),
    "routing_note": (
        "For its target in yuzui.toml, so that `cheapest` and `burst` know its cost now. Add waiting_hour, what an hour that a request waits is worth to you, if waiting should cost something.",
        "写入 yuzui.toml 中对应的目标，使 `cheapest` 与 `burst` 了解其当前成本。若等待也应计价，请加上 waiting_hour（一次请求等待一小时的价值）。",
    ),
    "inputs": ("All inputs", "全部输入"),
    "where": ("key", "键"),
    "source": ("source", "来源"),
    "date": ("date", "日期"),
    "how": ("How it was computed", "计算方法"),
    "how_month": (
        "A month has 730 hours. Amounts are integers of a billionth of {currency}, rounded up once; here they are shown "
        "rounded.",
        "一个月按 730 小时计。金额以 {currency} 的十亿分之一为整数单位，只向上取整一次；此处显示为四舍五入值。",
    ),
    "examples": (
        "{count} of the {all} inputs below are still the examples that `yuzui tco init` wrote: until they are replaced, "
        "this shows how the report looks, not what your machines cost.",
        "下列 {all} 项输入中有 {count} 项仍是 `yuzui tco init` 写入的示例：在替换之前，本报告只展示格式，并不是你的成本。",
    ),
    "how_saving": (
        "Saving: what the vendor would take for the month's requests, less all own cost of the month. Replicas are whole, "
        "as many as the waiting below needs.",
        "节省：供应商对当月请求的收费，减去当月全部自有成本。副本为整数，按下面排队所需的数目计。",
    ),
    "how_books": (
        "Work from the books: answered requests that wrote tokens, scaled from the hours of the period to 730; means of "
        "their tokens; the busiest clock hour over the mean hour of the period; service times vary as output tokens do. "
        "Hours without requests count. A short or mostly empty period makes a poor month.",
        "来自账本的工作量：写出了 token 的已回答请求，从该时段的小时数折算到 730 小时；token 数取平均；最忙的整点小时与该时段平均"
        "小时之比；服务时间的变异按输出 token 计。没有请求的小时也计入。时段过短或大部分为空时，折算的月份不可靠。",
    ),
    "how_speed": (
        "Speed: a saturating curve through the measured levels by least squares of relative residuals; by Little's law a "
        "request takes n / X(n).",
        "速度：对各并发档实测值以相对残差最小二乘拟合饱和曲线；由 Little 定律，一次请求用时为 n / X(n)。",
    ),
    "how_queue": (
        "Waiting: Erlang C over all places of all replicas, scaled by (Ca² + Cs²) / 2 (Allen-Cunneen); the wait of those "
        "who wait is taken as exponential. Every place is as slow as on a full replica, so waits are on the long side. "
        "The busiest hour counts; no place is planned beyond {utilisation} utilisation.",
        "排队：对全部副本的全部并发位用 Erlang C，再乘以 (Ca² + Cs²) / 2（Allen-Cunneen）；等待者的等待时间按指数分布。每个并发位"
        "按满载速度计，故等待估计偏长。按最忙小时计；计划利用率不超过 {utilisation}。",
    ),
    "how_tokens": (
        "Own cost is split over input and output tokens by the machine time that each takes. Reserved: the month's own "
        "cost over its tokens, at this volume. Marginal: the power of the machine time of one more token.",
        "自有成本按各自占用的机器时间分摊到输入与输出 token。预留计：按此请求量，当月自有成本除以当月 token 数；边际计：多处理一个 "
        "token 所占机器时间的电费。",
    ),
    "how_vendor": (
        "Vendors: list prices, with the shares of cached input and batch above; no other discount. Cache writes and long "
        "prompts are not priced.",
        "供应商：按牌价，计入上面的缓存与批处理占比，无其他折扣；缓存写入与长提示词加价未计。",
    ),
    "how_break_even": (
        "Break-even: own cost climbs in steps, one replica at a time, so there are two volumes: where own is first no "
        "dearer, and from where on it stays so. Quality is not compared here.",
        "盈亏平衡：自有成本按副本逐级上升，故有两个点：首次不贵于供应商，以及此后一直不贵于供应商。此处不比较质量。",
    ),
    "how_hangs_on": (
        "What it hangs on: one number at a time is made lower and higher, by the shares under [sensitivity], with all "
        "others as written; replicas and break-evens are computed anew. These are not intervals: nobody says how likely "
        "an end is.",
        "敏感性：每次只把一个数值按 [sensitivity] 的幅度调低或调高，其余不变，并重新计算副本与盈亏平衡点。这不是置信区间：两端出现"
        "的可能性未知。",
    ),
    "how_energy": (
        "Energy: idle draw in all hours, and the difference to the busy draw for the machine time of each request, both "
        "times the building's factor (PUE). CO2e: energy times the grid's factor, plus the share of making the machines.",
        "能耗：全部时间的空闲功率，加上每次请求占用机器时间内的增量功率，均乘以 PUE。碳排放：用电量乘以电网因子，加上机器制造分摊。",
    ),
}
"""Name → (English, Chinese)."""


class Speaker:
    """Says words in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = 0 if language == "en" else 1

    def __call__(self, name: str, **blanks: object) -> str:
        """Raise `KeyError` for a name or a blank that is not there: a bug."""
        text = WORDS[name][self._column]
        return text.format(**blanks) if blanks else text

    def or_own(self, name: str) -> str:
        """A name that the operator may have given: ours are said in the language, others as they are."""
        return self(name) if name in WORDS else name
