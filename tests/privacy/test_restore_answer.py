"""Whole or streamed, an answer is told with the originals in it, and each choice and call by itself."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Citation,
    Delta,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)
from yuzui.privacy.restore import Originals
from yuzui.privacy.restore_answer import AnswerRestorer
from yuzui.privacy.sinks import Sinks

MAIL, SECRET = "EMAIL_ABCDEFGHIJKL", "PASSWORD_YZ234567ABCD"
ORIGINALS = Originals({MAIL: "wang@corp.cn", SECRET: 'a"b'})


def restorer(*, is_json: bool = False) -> AnswerRestorer:
    return AnswerRestorer(ORIGINALS, Sinks(), is_json=is_json)


def stream(*deltas: Delta, each: AnswerRestorer | None = None) -> list[Delta]:
    """What comes out, without what says nothing."""
    each = each or restorer()
    chunks = [
        chunk for delta in deltas for chunk in each.feed(StreamChunk(id="a", model="m", deltas=(delta,), raw=b"{}"))
    ]
    chunks += each.close()
    assert not any(chunk.raw or chunk.event for chunk in chunks)
    assert all(len({delta.index for delta in chunk.deltas}) == len(chunk.deltas) for chunk in chunks)
    return [delta for chunk in chunks for delta in chunk.deltas if delta != Delta(index=delta.index)]


def test_a_whole_answer_is_restored_in_every_part() -> None:
    answer = ChatResponse(
        id="x", model="m", created_s=1, usage=None, raw=b"{}", raw_dialect="openai_chat",
        choices=(
            Choice(
                index=0, finish_reason="stop", refusal=MAIL, stop_sequence=MAIL,
                parts=(
                    ReasoningPart(text=f"so {MAIL}", signature=f"s{MAIL}"),
                    TextPart(text=f"{MAIL} and more", citations=(Citation(cited_text=MAIL, start=19, end=27),)),
                    ToolCallPart(id="c", name="f", arguments=json.dumps({"p": SECRET})),
                ),
            ),
        ),
    )  # fmt: skip  # one answer
    (choice,) = restorer().rewrite(answer).choices
    thought, text, call = choice.parts
    assert isinstance(thought, ReasoningPart) and (thought.text, thought.signature) == ("so wang@corp.cn", f"s{MAIL}")
    assert isinstance(text, TextPart) and text.text == "wang@corp.cn and more"
    citation = text.citations[0]
    assert text.text[citation.start : citation.end] == "and more"[:8] and citation.cited_text == "wang@corp.cn"
    assert isinstance(call, ToolCallPart) and json.loads(call.arguments) == {"p": 'a"b'}
    assert choice.refusal == choice.stop_sequence == "wang@corp.cn"
    assert not restorer().rewrite(answer).raw


def test_a_stand_in_in_two_deltas_is_restored_when_it_is_complete() -> None:
    assert stream(Delta(text="to EMAIL_ABC"), Delta(text="DEFGHIJKL!"), Delta(finish_reason="stop")) == [
        Delta(text="to "), Delta(text="wang@corp.cn!"), Delta(finish_reason="stop"),
    ]  # fmt: skip  # one per delta


def test_what_waits_comes_before_what_follows_it() -> None:
    said = stream(
        Delta(reasoning="think E", is_summary=True),
        Delta(text="say EMAIL_"),
        Delta(tool_calls=(ToolCallDelta(position=0, id="a", name="f", arguments='{"a": "' + MAIL),)),
        Delta(tool_calls=(ToolCallDelta(position=0, arguments='"}'),)),
        Delta(tool_calls=(ToolCallDelta(position=1, id="b", name="g", arguments="{}"),)),
        Delta(refusal="no e"),
        Delta(finish_reason="stop"),
    )
    told = [
        (d.reasoning, d.text, d.refusal, [(c.position, c.arguments) for c in d.tool_calls], d.finish_reason)
        for d in said
    ]
    assert told == [
        ("think ", "", "", [], None),
        ("E", "", "", [], None),
        ("", "say ", "", [], None),
        ("", "EMAIL_", "", [], None),
        ("", "", "", [(0, '{"a": "')], None),
        ("", "", "", [(0, "")], None),
        ("", "", "", [(0, 'wang@corp.cn"}')], None),
        ("", "", "", [(1, "{}")], None),
        ("", "", "no ", [], None),
        ("", "", "e", [], None),
        ("", "", "", [], "stop"),
    ]
    assert said[1].is_summary


def test_a_signature_ends_its_thought() -> None:
    said = stream(Delta(reasoning="so EMA"), Delta(signature="s"), Delta(reasoning="new", reasoning_id="r2"))
    assert [(d.reasoning, d.signature) for d in said] == [("so ", ""), ("EMA", "s"), ("new", "")]


def test_choices_do_not_mix() -> None:
    said = stream(
        Delta(index=0, text="EMAIL_ABC"),
        Delta(index=1, text="DEF"),
        Delta(index=0, text="DEFGHIJKL"),
        Delta(index=1, text="x"),
    )
    assert [(d.index, d.text) for d in said] == [(1, "DEF"), (0, "wang@corp.cn"), (1, "x")]


def test_without_an_end_nothing_is_lost() -> None:
    calls = (ToolCallDelta(position=0, id="a", name="f", arguments=MAIL, is_custom=True),)
    said = stream(Delta(text="EMA"), Delta(index=1, tool_calls=calls))
    assert [(d.index, d.text, [call.arguments for call in d.tool_calls]) for d in said] == [
        (1, "", [""]),
        (0, "EMA", []),
        (1, "", ["wang@corp.cn"]),
    ]
    assert said[0].tool_calls[0].id == "a" and said[-1].tool_calls[0].is_custom


def test_an_answer_that_is_json_stays_json() -> None:
    said = stream(Delta(text='{"p": "' + SECRET + '"}'), each=restorer(is_json=True))
    assert json.loads(said[0].text) == {"p": 'a"b'}


def test_citations_follow_their_text() -> None:
    said = stream(
        Delta(text=f"{MAIL} is it."),
        Delta(citations=(Citation(title=MAIL, start=0, end=18),)),
        Delta(finish_reason="stop"),
    )
    assert [(c.title, c.start, c.end) for d in said for c in d.citations] == [("wang@corp.cn", 0, 12)]


def test_chunks_without_deltas_lose_their_bytes_only() -> None:
    chunk = StreamChunk(id="a", raw=b"{}", event="ping", has_content=True)
    assert restorer().feed(chunk) == (StreamChunk(id="a", has_content=True),)
    plain = StreamChunk(id="a")
    assert restorer().feed(plain) == (plain,)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from(["text", "call0", "call1", "reasoning"]), st.integers(1, 9)),
        max_size=20,
    )
)
def test_any_order_of_pieces_tells_each_voice_its_own_words(order: list[tuple[int, str, int]]) -> None:
    words = f"<{MAIL}> the {MAIL.lower()} e"
    sent: dict[tuple[int, str], str] = {}
    deltas = []
    last: dict[int, str] = {}
    for index, kind, size in order:
        if kind != last.get(index):  # a voice that was left is not taken up again in this test
            if (index, kind) in sent:
                continue
            last[index] = kind
        done = len(sent.get((index, kind), ""))
        piece = words[done : done + size]
        sent[index, kind] = words[: done + size]
        if kind.startswith("call"):
            call = ToolCallDelta(
                position=int(kind[-1]), id="" if done else "i", name="f", arguments=piece, is_custom=True
            )
            deltas.append(Delta(index=index, tool_calls=(call,)))
        else:
            deltas.append(Delta(index=index, text=piece) if kind == "text" else Delta(index=index, reasoning=piece))
    told: dict[tuple[int, str], str] = {}
    for delta in stream(*deltas):
        for kind, piece in [("text", delta.text), ("reasoning", delta.reasoning),
                            *((f"call{call.position}", call.arguments) for call in delta.tool_calls)]:  # fmt: skip
            if piece:
                told[delta.index, kind] = told.get((delta.index, kind), "") + piece
    for voice, raw in sent.items():
        complete = raw.replace(MAIL, "wang@corp.cn").replace(MAIL.lower(), "wang@corp.cn")
        assert told.get(voice, "") == complete
