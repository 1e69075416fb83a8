"""Tests in a request's text: which are found, about which code, and that the program fails exactly with them."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from yuzui.routing.own_tests import MOST_TESTS, program_of

RIGHT = "```python\ndef double(x):\n    return 2 * x\n```"
WRONG = "```python\ndef double(x):\n    return 3 * x\n```"


def passes(source: str) -> bool:
    """In a process of its own: these programs are written here."""
    return subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, timeout=30).returncode == 0


@pytest.mark.parametrize(
    ("question", "tests"),
    [
        ("Write double(x).\n>>> double(2)\n4\n>>> double(3)\n6\n", 2),
        ('def double(x):\n    """Twice.\n    >>> double(2)\n    4\n    """\n', 1),
        (">>> y = 2\n>>> double(y)\n4", 1),
        (">>> double(2) == 4\n", 1),
        ("It must pass:\nassert double(2) == 4\nassert double(0) == 0", 2),
        ("double(2) == 4", 1),
        ("For example, double(2) -> 4.", 1),
        ("double(2) ➞ 4", 1),
        ("double(2) => 4  # twice", 1),
        ("double(2) should return 4", 1),
        ("例如：double(2) 返回 4。", 1),
        ("* `double(0.1) == 0.2`", 1),
        (">>> double(\n... 2)\n4", 1),
        (">>> double('a')\n'aa'", 1),
        ("double([1]) => [1, 1]", 1),
    ],
)
def test_tests_are_found_as_people_write_them(question: str, tests: int) -> None:
    right, wrong = program_of(question, RIGHT), program_of(question, WRONG)
    assert right is not None and wrong is not None
    assert (right.tests, wrong.tests) == (tests, tests)
    assert passes(right.source)
    assert not passes(wrong.source)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Write double(x).", RIGHT),  # no test
        ("assert double(2) == 4", "It is four."),  # no code
        ("assert double(2) == 4", ""),
        ("Fix it:\ndef area(r):\n    assert r > 0\n    return r", "```python\ndef area(r):\n    return r\n```"),
        ("assert triple(2) == 6", RIGHT),  # about something else
        ("double(2) -> 2 + 2 = 4", RIGHT),  # a sum, written out
        ("double(2) -> the double", RIGHT),
        (">>> double(2)\nTraceback (most recent call last):", RIGHT),
        ("assert double(limit) == 4", RIGHT),  # `limit` is of other code
        ("assert double(2 ==", RIGHT),
        (">>> double(", RIGHT),
    ],
)
def test_what_is_no_test_of_this_answer_is_none(question: str, answer: str) -> None:
    assert program_of(question, answer) is None


def test_code_is_found_fenced_bare_or_as_the_end_of_what_the_request_began() -> None:
    begun = 'def double(x):\n    """\n    >>> double(2)\n    4\n    """\n'
    shown = program_of(f"Complete it:\n\n```python\n{begun}```\n", "    return 2 * x")
    assert shown is not None and passes(shown.source)
    for answer in ("Here:\n\n```py\ndef double(x): return 2 * x\n```\nDone.", "def double(x):\n    return 2 * x\n",
                   "    return 2 * x\n", "```\ndef double(x):\n    return x + x\n```", "```python\n    return 2 * x\n```"):  # fmt: skip
        program = program_of(begun, answer)
        assert program is not None and program.tests == 1
        assert passes(program.source), answer


def test_imports_of_the_request_are_there_for_the_answer() -> None:
    question = "from typing import List\nimport math\nfrom nowhere import (\ndef head(xs: List[int]) -> int:\n    '''\n    >>> head([3])\n    3\n    '''\n"
    program = program_of(question, "```python\ndef head(xs: List[int]) -> int:\n    return math.floor(xs[0])\n```")
    assert program is not None and passes(program.source)


def test_python_that_is_none_fails_what_the_request_brings() -> None:
    program = program_of("def double(x):\n    ...\n>>> double(2)\n4", "```python\ndef double(x) return 2\n```")
    assert program is not None
    assert not passes(program.source)


def test_an_answer_that_ends_early_or_swallows_everything_has_not_passed() -> None:
    program = program_of(">>> double(2)\n4", "```python\ndef double(x):\n    raise SystemExit(0)\n```")
    assert program is not None  # its status is 0 here: that it did not come to its end, the sandbox sees
    assert "assert" in program.source.splitlines()[-1]


def test_what_is_found_is_bounded() -> None:
    many = "\n".join([f"assert double({number}) == {2 * number}" for number in range(1000)])
    program = program_of(many, RIGHT)
    assert program is not None and program.tests == MOST_TESTS
    assert program_of("(" * 200_000 + "double(2) == 4", RIGHT) is None
    deep = program_of("double(" + "(" * 5000 + " == 4\ndouble(2) == 4", RIGHT)
    assert deep is not None and deep.tests == 1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("double(" * 100 + " " * 1800 + "x\n") * 10, RIGHT),
        ("double(" * 200 + " " * 18_000, RIGHT),
        (("double(1)" * 100 + " == x" * 150 + "\n") * 10, RIGHT),
        ("```\ndef f\n```\n" * 1500, "x = 1\n" * 3000),
    ],
    ids=["gaps", "gap", "arrows", "beginnings"],
)
def test_a_text_made_to_take_long_does_not(question: str, answer: str) -> None:
    began = time.process_time()
    program_of(question, answer)
    assert time.process_time() - began < 3  # it took minutes, and kept Python from everybody else


def test_a_number_that_python_does_not_write_is_no_test() -> None:
    assert program_of(f">>> double(0x{'f' * 6000})\n4", RIGHT) is None


def test_the_same_test_counts_once() -> None:
    program = program_of("double(2) == 4\ndouble(2) -> 4\n>>> double(2)\n4", RIGHT)
    assert program is not None and program.tests == 1


@pytest.mark.parametrize(
    "text",
    ["double(1)" + "==" * 10_000, "double(1)==double(1)==" * 1_000, "double(" * 3_000, "-" * 20_000 + "1", "[" * 20_000,
     "1" + "+1" * 10_000, "f'{" * 6_000, ">>> x = 1\n" * 2_000, "lambda:" * 2_800 + "1", "double" + "()" * 10_000],
    ids=range(10),
)  # fmt: skip
def test_whatever_is_written_reading_it_comes_to_an_end(text: str) -> None:
    """What is looked at is bounded; each of these took minutes, or ends a parser, where it is not."""
    for question, answer in ((text, RIGHT), (f"double(2) == 4\nassert {text}", RIGHT), (f">>> double({text})\n4", RIGHT),
                             (">>> double(2)\n4", text), (">>> double(2)\n4", f"```python\n{text}\n```")):  # fmt: skip
        program = program_of(question, answer)
        assert program is None or 0 < program.tests <= MOST_TESTS
