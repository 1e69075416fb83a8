"""Examples are read strictly, named by what is sent, and told apart."""

from __future__ import annotations

import pytest

from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example, check_unique, digest, hash_of, name_of, read_example, texts_of


def test_one_right_answer_may_stand_for_several() -> None:
    example = read_example(
        {"prompt": "2+2?", "reference": 4, "id": 7, "tags": "sums", "_note": "x", "split": None}, "here"
    )
    assert example == Example(prompt="2+2?", references=[4], id="7", tags=["sums"])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"reference": "4"}, "a `prompt`, or `messages`"),
        ({"prompt": "a", "messages": [{"role": "user", "content": "a"}]}, "and not both"),
        ({"prompt": "a", "reference": 1, "references": [1]}, "not both"),
        ({"prompt": "a", "answer": "b"}, "unknown field `answer`"),
        ({"messages": [{"content": "a"}]}, "messages[0] has no `role`"),
        ({"prompt": 3}, "Expected `str`"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(row: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_example(row, "file:3")
    assert caught.value.message.startswith("file:3") and said in caught.value.message


def test_the_hash_is_of_what_is_sent_and_of_nothing_else() -> None:
    plain = Example(prompt="a", id="1", references=["x"])
    assert hash_of(plain) == hash_of(Example(messages=[{"role": "user", "content": "a"}], id="2"))
    others = [Example(prompt="b"), Example(prompt="a", tools=[{"type": "function"}]),
              Example(prompt="a", response_format={"type": "json_object"})]  # fmt: skip
    assert len({hash_of(plain), *map(hash_of, others)}) == 4
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


def test_texts_slices_and_names() -> None:
    example = Example(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {}}]},
            {"role": "assistant", "content": None},
            {"role": "user", "content": "two"},
        ],
        tags=["a", "a"], group="g", split="test",
    )  # fmt: skip
    assert texts_of(example.messages) == ["Be brief.", "one", "two"]
    assert example.last_question == "two"
    assert example.slices == ("a", "group=g", "split=test")
    assert name_of(example, 4) == "#5"


def test_two_examples_that_ask_the_same_are_refused() -> None:
    with pytest.raises(ConfigError, match="examples 1 and 2 ask the same"):
        check_unique([Example(prompt="a", id="1"), Example(prompt="a", id="2")])
    with pytest.raises(ConfigError, match="examples 1 and 2 have one id"):
        check_unique([Example(prompt="a", id="1"), Example(prompt="b", id="1")])
    with pytest.raises(ConfigError, match="no examples"):
        check_unique([])
    check_unique([Example(prompt="a"), Example(prompt="b")])
