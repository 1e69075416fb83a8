"""What all codecs read alike: counts, arguments as they were written, and faults that wait behind good chunks."""

from __future__ import annotations

import msgspec
import pytest
from typing_extensions import override

from yuzui.core.chat import StreamChunk
from yuzui.core.errors import UpstreamInterrupted, UpstreamInvalid
from yuzui.providers._reading import MOST_COUNTED, HoldingDecoder, object_text, part_count, reason_of


class Letters(HoldingDecoder):
    """One event a byte: `!` is a fault, `.` the end."""

    @override
    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        for letter in data.decode():
            self.events += 1
            if letter == "!":
                raise UpstreamInvalid("bad")
            if letter == ".":
                self.end()
                break
            chunks.append(StreamChunk(id=letter))


@pytest.mark.parametrize("cuts", [(b"ab!c",), (b"a", b"b", b"!", b"c"), (b"ab", b"!c"), (b"a", b"b!c")])
def test_a_fault_waits_behind_good_chunks_however_the_bytes_are_cut(cuts: tuple[bytes, ...]) -> None:
    decoder, told = Letters(), ""
    with pytest.raises(UpstreamInvalid, match="bad"):
        for cut in (*cuts, b""):
            told += "".join([chunk.id for chunk in decoder.feed(cut)])
    assert told == "ab"
    with pytest.raises(UpstreamInvalid, match="bad"):
        decoder.feed(b"d")
    with pytest.raises(UpstreamInvalid, match="bad"):
        decoder.close()


def test_nothing_behind_the_end_is_read() -> None:
    decoder = Letters()
    assert [chunk.id for chunk in decoder.feed(b"a.b!")] == ["a"]
    assert decoder.is_complete
    assert decoder.feed(b"c!") == []
    assert decoder.events == 2
    decoder.close()


def test_a_stream_without_its_end_is_interrupted() -> None:
    decoder = Letters()
    decoder.feed(b"ab")
    with pytest.raises(UpstreamInterrupted, match="after event 2, before its end"):
        decoder.close()
    assert not decoder.is_complete


@pytest.mark.parametrize(
    ("written", "text"),
    [(b"", "{}"), (b" null ", "{}"), (b' {"a" : 1.0} ', '{"a" : 1.0}'), ('{"城":"成都"}'.encode(), '{"城":"成都"}')],
)
def test_arguments_stay_as_they_were_written(written: bytes, text: str) -> None:
    assert object_text(msgspec.Raw(written), "a call whose input is") == text


@pytest.mark.parametrize(
    ("written", "why"), [(b"[1]", "not an object"), (b'"{}"', "not an object"), (b'{"\xff":1}', "not UTF-8")]
)
def test_arguments_that_are_no_object_are_refused(written: bytes, why: str) -> None:
    with pytest.raises(UpstreamInvalid, match=f"^the target's answer holds a call whose input is {why}$"):
        object_text(msgspec.Raw(written), "a call whose input is")


@pytest.mark.parametrize(
    ("told", "count"), [(None, 0), (-1, 0), (0, 0), (7, 7), (MOST_COUNTED, MOST_COUNTED), (MOST_COUNTED + 1, 0)]
)
def test_a_count_that_makes_no_sense_is_none(told: int | None, count: int) -> None:
    assert part_count(told) == count


def test_words_for_broken_json_never_quote_it() -> None:
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.json.decode(b'"secret"', type=int)
    assert reason_of(wrong.value) == "Expected `int`, got `str`"
    with pytest.raises(UnicodeDecodeError) as bent:
        b"secret\xff".decode()
    assert reason_of(bent.value) == "UnicodeDecodeError"
