"""Names in a request: every leaf, in its own offsets, remembered, in time, or a failure in the result."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import override

from yuzui.core.sensitivity import Fact, NameRules
from yuzui.io.names import NameSearch
from yuzui.io.ner_process import NamesUnavailable
from yuzui.privacy.leaves import read_leaves
from yuzui.privacy.mask import Masking, mask
from yuzui.privacy.ner.cache import SpanCache
from yuzui.privacy.ner.spans import NameSpan
from yuzui.privacy.scan import ScanResult
from yuzui.privacy.surrogates import Namer

RULES = NameRules(deadline_ms=2000)


class Worker:
    """Knows `Ada Lovelace`, an organisation and a place; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.delay_s = 0.0

    def ask(self, texts: Sequence[str]) -> asyncio.Future[list[list[NameSpan]]]:
        self.asked.extend(texts)
        return asyncio.ensure_future(self._answer(list(texts)))

    async def _answer(self, texts: list[str]) -> list[list[NameSpan]]:
        await asyncio.sleep(self.delay_s)
        if self.fails is not None:
            raise self.fails
        known = {"Ada Lovelace": "person", "王小明": "person", "Acme Ltd": "organization", "Paris": "location"}
        return [
            [NameSpan(text.find(name), text.find(name) + len(name), kind, 0.9, "fake 1")  # type: ignore[arg-type]
             for name, kind in known.items() if name in text]
            for text in texts
        ]  # fmt: skip


def search(worker: Worker) -> NameSearch:
    return NameSearch(worker, cache=SpanCache(b"k" * 16, max_bytes=1 << 20))


async def find(names: NameSearch, body: dict[str, Any], rules: NameRules) -> ScanResult:  # Any: JSON
    found = names.begin(read_leaves(body).found, rules)
    return found if isinstance(found, ScanResult) else await found


def chat(*texts: str) -> dict[str, Any]:  # Any: JSON
    return {"model": "m", "messages": [{"role": "user", "content": text} for text in texts]}


def test_findings_have_the_path_and_the_offsets_of_the_client() -> None:
    worker = Worker()
    body = chat("Ask Ada\u200b Lovelace, please.", "找王\u200b小明。")
    result = asyncio.run(find(search(worker), body, RULES))
    assert [
        (one.path, one.kind, body["messages"][at]["content"][one.start : one.end])
        for at, one in enumerate(result.findings)
    ] == [
        ("$.messages[0].content", "person", "Ada\u200b Lovelace"),
        ("$.messages[1].content", "person", "王\u200b小明"),
    ]
    first = result.findings[0]
    assert (first.rule_id, first.version, first.confidence) == ("names/fake", "1", 0.9)
    assert first.evidence == (Fact("model", "fake 1", 0.9),)
    assert not result.failures


def test_a_name_in_json_in_a_string_has_its_exact_place_and_can_be_masked() -> None:
    arguments = json.dumps({"to": "找王小明。"})  # with escapes, so that only what it spells holds the name
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    body = {"model": "m", "messages": [{"role": "assistant", "content": None, "tool_calls": [call]}]}
    found = [one for one in asyncio.run(find(search(Worker()), body, RULES)).findings if one.kind == "person"]
    assert ("text", 1, 4) in [(one.place.form, one.place.start, one.place.end) for one in found if one.place]
    masking, namer = Masking(kinds=frozenset({"person"})), Namer(b"a deployment's secret, 32 bytes.", tenant="k")
    masked: Any = mask(body, found, masking=masking, namer=namer).body  # Any: JSON
    said = json.loads(masked["messages"][0]["tool_calls"][0]["function"]["arguments"])["to"]
    assert said.startswith("找PERSON_") and said.endswith("。")


def test_places_are_reported_only_when_asked_for() -> None:
    body = chat("Ada Lovelace in Paris")
    assert {one.kind for one in asyncio.run(find(search(Worker()), body, RULES)).findings} == {"person"}
    wider = replace(RULES, kinds=RULES.kinds | {"location"})
    assert {one.kind for one in asyncio.run(find(search(Worker()), body, wider)).findings} == {"person", "location"}


def test_a_conversation_costs_only_its_new_leaf() -> None:
    worker = Worker()

    async def main() -> None:
        names = search(worker)
        turns = [f"Turn {number} with Ada Lovelace" for number in range(5)]
        for count in range(1, 6):
            result = await find(names, chat(*turns[:count]), RULES)
            assert len(result.findings) == count
        assert sorted(worker.asked) == sorted(["m", *turns][1:])

    asyncio.run(main())


def test_a_name_found_in_one_leaf_is_searched_in_the_others() -> None:
    worker = Worker()
    body = chat("I am Ada Lovelace.", "So Lovelace wrote notes; tell LovelaceX nothing.", "王小明来了", "小明说")
    found = {(one.path, one.start, one.end) for one in asyncio.run(find(search(worker), body, RULES)).findings}
    assert ("$.messages[1].content", 3, 11) in found and ("$.messages[3].content", 0, 2) in found
    assert not [one for one in found if one[0] == "$.messages[1].content" and one[1] > 11]


def test_what_is_remembered_is_answered_at_once() -> None:
    async def main() -> None:
        names, leaves = search(Worker()), read_leaves(chat("Ask Ada Lovelace")).found
        first = names.begin(leaves, RULES)
        assert not isinstance(first, ScanResult)
        found = await first
        assert len(found.findings) == 1 and names.begin(leaves, RULES) == found

    asyncio.run(main())


def test_nobody_is_asked_about_what_cannot_hold_a_name() -> None:
    worker = Worker()
    result = asyncio.run(
        find(search(worker), chat("", "12345", "some-words", "https://example.com/a/b?c=D" * 3), RULES)
    )
    assert not worker.asked and not result.findings and not result.failures


def test_a_failing_worker_is_a_failure_of_the_request() -> None:
    worker = Worker()
    worker.fails = NamesUnavailable("restarting")
    result = asyncio.run(find(search(worker), chat("Ada Lovelace"), RULES))
    assert result.failures == ("names: restarting",) and not result.findings


def test_a_late_answer_fails_this_request_and_serves_the_next() -> None:
    worker = Worker()
    worker.delay_s = 0.2

    async def main() -> None:
        names = search(worker)
        late = await find(names, chat("Ada Lovelace"), NameRules(deadline_ms=20))
        assert late.failures == ("names: deadline",)
        await asyncio.sleep(0.4)
        again = await find(names, chat("Ada Lovelace"), NameRules(deadline_ms=20))
        assert not again.failures and len(again.findings) == 1 and len(worker.asked) == 1

    asyncio.run(main())


def test_the_deadline_grows_with_the_text() -> None:
    worker = Worker()
    worker.delay_s = 0.15
    body = chat("Ada Lovelace " * 10_000)  # 127 KB: four times the time
    assert not asyncio.run(find(search(worker), body, NameRules(deadline_ms=80))).failures


def test_endless_names_are_a_failure_too() -> None:
    class Endless(Worker):
        @override
        async def _answer(self, texts: list[str]) -> list[list[NameSpan]]:
            return [[NameSpan(at, at + 2, "person", 0.5, "fake 1") for at in range(11_000)] for _ in texts]

    result = asyncio.run(find(search(Endless()), chat("Ab " * 5000), RULES))
    assert result.failures == ("names: too_many_findings",)
