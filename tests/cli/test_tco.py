from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from economics_kit import SOURCED, TEXT, TOLD
from fault_upstream import Call, FaultUpstream
from gateway_kit import gateway
from yuzui.cli._tco_inputs import load_inputs, month_of, price_vendors
from yuzui.cli._tco_measure import Wish, bounds_words, find_target, plan
from yuzui.cli.tco import starter
from yuzui.core.errors import ConfigError
from yuzui.economics.inputs import read_inputs
from yuzui.io.work_done import WorkDone, WorkRow

from .conftest import Run, Used


@pytest.fixture
def tco(tmp_path: Path) -> Path:
    path = tmp_path / "tco.toml"
    path.write_text(TEXT, "utf-8")
    return path


# ---- init ------------------------------------------------------------------------------------------------------------


def test_the_starter_is_a_study_as_it_stands(run: Run, tmp_path: Path) -> None:
    assert run("tco", "init").exit_code == 0
    shown = run("tco", "report", "--data-dir", tmp_path / "d")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("# Cost of ownership")
    assert "genai-prices==" in shown.stdout


def test_the_starter_loads_with_everything_uncommented() -> None:
    text = re.sub(r"^# (?=\[|[a-z_]+ = )", "", starter(), flags=re.MULTILINE)
    assert text != starter()
    # A machine is either bought or rented, a speed measured or written, a grid said or looked up.
    for one_of_two in ("[machines.rental]", 'measured = "measured.json"', 'country = "DEU"'):
        assert one_of_two in text
    rental = text[text.index("\n[machines.rental]") : text.index("\n[machines.power]")]
    text = text.replace(rental, "").replace('measured = "measured.json"', "").replace('country = "DEU"', "")
    assert len(read_inputs(text).vendors) > len(read_inputs(starter()).vendors)


def test_init_replaces_nothing_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tco.toml").write_text("mine", "utf-8")
    refused = run("tco", "init")
    assert refused.exit_code == 2 and "is there already" in refused.stderr
    assert (tmp_path / "tco.toml").read_text("utf-8") == "mine"
    assert json.loads(run("tco", "init", "--force", "--json").stdout) == {"file": "tco.toml"}
    assert (tmp_path / "tco.toml").read_text("utf-8") == starter()


# ---- report and break-even -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_report_is_written_in_each_form(run: Run, tco: Path, tmp_path: Path, lang: str) -> None:
    for name, begins in (("r.html", "<!doctype html>"), ("r.md", "# "), ("r.json", "{")):
        result = run("tco", "report", "--out", tmp_path / name, "--lang", lang)
        assert result.exit_code == 0, result.output
        text = (tmp_path / name).read_text("utf-8")
        assert text.startswith(begins)
        assert ("自有" in text) is (lang == "zh" and not name.endswith(".json"))
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["currency"] == "USD"


def test_json_is_all_there_is_on_standard_output(run: Run, tco: Path) -> None:
    told = json.loads(run("tco", "report", "--json").stdout)
    assert told["machines"][0]["name"] == "box" and told["versus"] == "small"
    assert json.loads(run("tco", "report", "--json", "--against", "big").stdout)["versus"] == "big"


def test_break_even_is_told_per_vendor(run: Run, tco: Path) -> None:
    shown = run("tco", "break-even")
    assert shown.exit_code == 0
    assert "requests/month" in shown.stdout and "never" in shown.stdout
    rows = json.loads(run("tco", "break-even", "--json").stdout)
    assert {row["vendor"]: row["never"] for row in rows} == {"big": "", "small": "capacity"}
    assert "每月" in run("tco", "break-even", "--lang", "zh").stdout


def test_without_vendors_break_even_says_so(run: Run, tco: Path) -> None:
    tco.write_text(TEXT.split("[[vendors]]")[0], "utf-8")
    assert "nothing to compare" in run("tco", "break-even").stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--file", "none.toml"], "none.toml does not exist; write one with `yuzui tco init`"),
        (["--out", "r.pdf"], "end it with .html, .md or .json"),
        (["--against", "nobody"], "tco.toml: no vendor is named 'nobody'"),
        (["--model", "x"], "add --from-books"),
        (["--from-books"], "there are no books"),
    ],
)
def test_wrong_usage_is_one_line_and_two(run: Run, tco: Path, tmp_path: Path, args: list[str], says: str) -> None:
    result = run("tco", "report", "--data-dir", tmp_path / "no", *args)
    assert result.exit_code == 2
    assert says in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "peak_factor = 2.0",
            "peek_factor = 2.0",
            "tco.toml: traffic.peek_factor: unknown key; did you mean 'peak_factor'",
        ),
        ("[rates.CNY]", "[rates.EUR]", "vendors[1]: its price is in CNY; write [rates.CNY]"),
        ("concurrency = 16", "concurrency = 4", "tco.toml"),
    ],
)
def test_a_wrong_file_is_named_with_the_key(run: Run, tco: Path, before: str, after: str, says: str) -> None:
    text = TEXT.replace(before, after)
    if after == "concurrency = 4":
        text = TEXT.replace("input_token_weight = 0.1", "input_token_weight = 0.1\nslots = 99")
    tco.write_text(text, "utf-8")
    result = run("tco", "report")
    assert result.exit_code == 2 and says in result.stderr


def test_a_price_that_nobody_knows_is_never_nothing(tco: Path, tmp_path: Path) -> None:
    text = TEXT.split("[[vendors]]")[0] + '[[vendors]]\nname = "v"\nprovider = "openai"\nmodel = "no-such-model"\n'
    tco.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"vendors\[0\]: the price library does not know 'v'"):
        price_vendors(load_inputs(tco), None, tmp_path / "d")


def test_a_vendor_can_be_a_target_of_yuzui_toml(run: Run, tco: Path, tmp_path: Path) -> None:
    (tmp_path / "yuzui.toml").write_text(
        '[[targets]]\nname = "b"\nprovider = "openai"\nmodel = "gpt-6-luna"\n'
        'price = { currency = "USD", input = 3, output = 9 }\n', "utf-8",
    )  # fmt: skip
    tco.write_text(TEXT.split("[[vendors]]")[0] + '[[vendors]]\nname = "as there"\ntarget = "b"\n', "utf-8")
    told = json.loads(run("tco", "report", "--json").stdout)
    assert told["vendors"][0]["request_nano"] == 600 * 3000 + 200 * 3000 + 200 * 9000  # cached input as input
    tco.write_text(TEXT.split("[[vendors]]")[0] + '[[vendors]]\nname = "x"\ntarget = "c"\n', "utf-8")
    assert "no target is named 'c'" in run("tco", "report").stderr


def test_a_broken_measurement_is_named(run: Run, tco: Path, tmp_path: Path) -> None:
    text = (
        TEXT[: TEXT.index("[machines.speed]")]
        + '[machines.speed]\nmeasured = "m.json"\n'
        + TEXT[TEXT.index("[[vendors]]") :]
    )
    tco.write_text(text, "utf-8")
    assert "m.json does not exist; write it with `yuzui tco measure`" in run("tco", "report").stderr
    (tmp_path / "m.json").write_text("{}", "utf-8")
    assert "m.json is no measurement" in run("tco", "report").stderr


# ---- the books -------------------------------------------------------------------------------------------------------


def row(requests: int, inp: int, out: int, squares: float) -> WorkRow:
    return WorkRow(model="m", team="t", target="x", requests=requests, input_tokens=inp, output_tokens=out,
                   output_squares=squares, spent_nano=0)  # fmt: skip


def test_a_period_becomes_a_month() -> None:
    """73 hours are a tenth of a month: 20 requests are 200, the busiest hour had 4 of them."""
    done = WorkDone(rows=(row(10, 1000, 100, 10 * 100.0), row(10, 3000, 300, 10 * 900.0)), busiest_hour=4)
    found = month_of(done, Fraction(73), read_inputs(TEXT).traffic, TOLD)
    assert found.requests_per_month == 200
    assert found.input_tokens == 200 and found.output_tokens == 20
    assert found.peak_factor == pytest.approx(4 / (20 / 73))
    assert found.service_cv2 == pytest.approx(500 / 400 - 1)
    assert found.cached_share == Fraction(1, 4)  # what books do not tell is as written
    assert found.told is TOLD


def test_hardly_any_work_tells_nothing() -> None:
    with pytest.raises(ConfigError, match="tell of 1 answered requests"):
        month_of(WorkDone(rows=(row(1, 1, 1, 1.0),), busiest_hour=1), Fraction(1), None, TOLD)


def test_the_books_of_a_gateway_that_really_ran_are_read(run: Run, tco: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    config = '[[targets]]\nname = "vendor/s"\nprovider = "scripted"\nmodel = "scripted-words-30"\nprice = "free"\n'

    async def story() -> None:
        async with gateway(config, data_dir=data) as running:
            for _ in range(4):
                await running.client().chat.completions.create(
                    model="vendor/s", messages=[{"role": "user", "content": "hello there"}]
                )

    asyncio.run(story())
    result = run("tco", "report", "--from-books", "--since", "1h", "--data-dir", data, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["requests_per_month"] == 4 * 730
    inputs = {line["key"]: line for line in told["inputs"]}
    assert inputs["traffic.requests_per_month"]["source"].startswith("the books, ")
    assert run("tco", "break-even", "--from-books", "--model", "other", "--data-dir", data).exit_code == 2
    assert (
        "model other tell of 0" in run("tco", "report", "--from-books", "--model", "other", "--data-dir", data).stderr
    )


def test_one_request_in_the_books_is_too_few(run: Run, tco: Path, used: Used) -> None:
    result = run("tco", "report", "--from-books", "--since", "2026-11-01", "--data-dir", used.folder)
    assert result.exit_code == 2 and "choose a longer period" in result.stderr


# ---- measure ---------------------------------------------------------------------------------------------------------


@contextmanager
def server() -> Iterator[str]:
    """A real server on loopback, in a thread: four places, 2 ms for each token, three words of prompt for a token."""
    ready, base_url = threading.Event(), []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        places = asyncio.Semaphore(4)

        async def answer(call: Call) -> None:
            body = json.loads(call.body)
            words = len(body["messages"][0]["content"].split())
            async with places:
                await call.start_stream()
                await asyncio.sleep(0.00002 * words)
                for n in range(body["max_tokens"]):
                    await asyncio.sleep(0.002)
                    last = n + 1 == body["max_tokens"]
                    await call.event({
                        "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                        "choices": [{"index": 0, "delta": {"content": "w "}, "finish_reason": "stop" if last else None}],
                    })  # fmt: skip
                usage = {"prompt_tokens": words, "completion_tokens": body["max_tokens"], "total_tokens": 0}
                await call.event({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
                                  "usage": usage})  # fmt: skip
            await call.end_stream()

        async with FaultUpstream(answer) as upstream:
            base_url.append(upstream.base_url)
            ready.set()
            await stopping.wait()

    stopping = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    try:
        yield base_url[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()


def test_a_server_is_measured_and_its_report_follows(run: Run, tco: Path, tmp_path: Path) -> None:
    args = (
        "--model",
        "m",
        "--concurrency",
        "1,2,4",
        "--requests",
        "6",
        "--prompt-words",
        "8,400",
        "--output-tokens",
        "8",
    )
    with server() as url:
        result = run("tco", "measure", "--url", url, *args, "--out", tmp_path / "m.json", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [(one["concurrency"], one["prompt_words"]) for one in told["levels"]] == [(1, 8), (2, 8), (4, 8), (4, 400)]
    assert all(one["failures"] == 0 and one["mean_output_tokens"] == 8 for one in told["levels"])
    assert told["levels"][2]["output_tokens_per_s"] > told["levels"][0]["output_tokens_per_s"]
    assert "at most" in result.stderr and "no budget" in result.stderr
    speed = '[machines.speed]\nmeasured = "m.json"\ninput_token_weight = 0.01\n'
    tco.write_text(TEXT[: TEXT.index("[machines.speed]")] + speed + TEXT[TEXT.index("[[vendors]]") :], "utf-8")
    report = run("tco", "report", "--json")
    assert report.exit_code == 0, report.output
    assert [point["concurrency"] for point in json.loads(report.stdout)["machines"][0]["speed"]["points"]] == [1, 2, 4]
    assert [one["concurrency"] for one in json.loads(report.stdout)["machines"][0]["latency"]] == [1, 2, 4]
    assert "First token after" in run("tco", "report").stdout
    assert "首个 token 平均在" in run("tco", "report", "--lang", "zh").stdout


def test_a_measurement_is_shown_with_its_curve(run: Run, tmp_path: Path) -> None:
    args = ("--model", "m", "--concurrency", "1,4", "--requests", "4", "--prompt-words", "8", "--output-tokens", "4")
    with server() as url:
        shown = run("tco", "measure", "--url", url, *args)
    assert shown.exit_code == 0, shown.output
    assert "X(n) = " in shown.stdout and "residuals" in shown.stdout and "first token after" in shown.stdout
    assert "one length of prompt" in shown.stdout
    assert (tmp_path / "measured.json").is_file()


def test_a_gateway_is_a_server_too(run: Run, tmp_path: Path) -> None:
    config = '[[targets]]\nname = "vendor/s"\nprovider = "scripted"\nmodel = "scripted-words-20"\nprice = "free"\n'

    async def story() -> None:
        async with gateway(config) as running:
            args = ("--url", f"{running.base_url}/v1", "--model", "vendor/s", "--concurrency", "1,2", "--requests", "4")
            result = await asyncio.to_thread(run, "tco", "measure", *args, "--json")
            assert result.exit_code == 0, result.output
            levels = json.loads(result.stdout)["levels"]
            assert all(one["requests"] >= 4 and one["output_tokens_per_s"] > 0 for one in levels)

    asyncio.run(story())


def test_an_own_target_of_the_configuration_is_measured_by_name(run: Run, tmp_path: Path) -> None:
    with server() as url:
        (tmp_path / "yuzui.toml").write_text(
            f'[[targets]]\nname = "house/m"\nprovider = "vllm"\nmodel = "m"\nbase_url = "{url}"\nprice = "free"\n'
            "max_concurrency = 1\n", "utf-8",
        )  # fmt: skip
        args = ("--target", "house/m", "--concurrency", "1,4", "--requests", "8", "--output-tokens", "8")
        told = json.loads(run("tco", "measure", *args, "--json").stdout)
    assert told["server"] == "house/m"
    # The gateway's own limit does not stand in front of a measurement.
    assert told["levels"][1]["output_tokens_per_s"] > 1.5 * told["levels"][0]["output_tokens_per_s"]


def test_a_server_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    args = ("--model", "m", "--concurrency", "1,2", "--requests", "2", "--max-seconds", "2")
    result = run("tco", "measure", "--url", "http://127.0.0.1:1/v1", *args)
    assert result.exit_code == 2
    assert "answered not one request: upstream_unreachable" in result.stderr
    assert not (tmp_path / "measured.json").exists()


def wish(**fields: object) -> Wish:
    defaults: dict[str, object] = {
        "url": "http://127.0.0.1:1/v1", "model": "m", "key_env": "", "target": "", "concurrency": "1,2", "prompt_words": "64,512",
        "output_tokens": "64", "requests": 16, "max_s": 60.0, "ignore_eos": False, "config": None,
    }  # fmt: skip
    return Wish(**{**defaults, **fields})  # type: ignore[arg-type]  # a test's own fields


def test_the_plan_has_the_first_shape_at_every_level_and_the_others_at_the_top() -> None:
    loads = plan(wish(concurrency="1,16", requests=4))
    assert [(one.concurrency, one.prompt_words, one.requests) for one in loads] == [
        (1, 64, 4),
        (16, 64, 32),
        (16, 512, 32),
    ]
    words = bounds_words(loads)
    assert "at most 68 requests on 3 levels, 4,352 output tokens" in words


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"concurrency": ""}, "--concurrency"),
        ({"concurrency": "1,,2"}, "--concurrency"),
        ({"concurrency": "0"}, "--concurrency"),
        ({"concurrency": "99999"}, "--concurrency"),
        ({"prompt_words": "a"}, "--prompt-words"),
        ({"output_tokens": "-1"}, "--output-tokens"),
        ({"concurrency": ",".join(map(str, range(1, 70)))}, "at most 64"),
    ],
)
def test_a_plan_that_is_none_is_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        plan(wish(**fields))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"url": "", "target": ""}, "either --url"),
        ({"target": "x"}, "either --url"),
        ({"url": "ftp://x"}, "--url: write an http"),
        ({"url": "http://user:pw@x/v1"}, "--url: write an http"),
        ({"model": ""}, "--model is missing"),
        ({"key_env": "NOT_THERE_AT_ALL"}, "NOT_THERE_AT_ALL is not set"),
    ],
)
def test_a_server_that_is_none_is_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        find_target(wish(**fields))


def test_a_vendor_of_the_configuration_is_not_measured(tmp_path: Path) -> None:
    config = tmp_path / "yuzui.toml"
    config.write_text(
        '[[targets]]\nname = "v"\nprovider = "openai"\nmodel = "gpt-6-luna"\napi_key = { env = "OPENAI_API_KEY" }\n',
        "utf-8",
    )
    with pytest.raises(ConfigError, match="money that no budget holds"):
        find_target(wish(url="", target="v", config=config))
    with pytest.raises(ConfigError, match="no target is named 'w'; known are v"):
        find_target(wish(url="", target="w", config=config))


def test_the_key_stays_out_of_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "secret-value")
    target = find_target(wish(key_env="A_KEY"))
    assert target.api_key == "secret-value" and "secret-value" not in repr(target)
    assert SOURCED in TEXT
