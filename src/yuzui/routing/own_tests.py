"""Tests that a request brings for the code that it asks for, and the program that runs them with an answer's code.

Found in the request's text: sessions of the interpreter (`>>> f(2)` and the result below it), `assert` lines, and
`f(2) == 4` or `f(2) -> 4` on a line. Python only. Nothing is run here: text in, source out.
"""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

MOST_CHARACTERS: Final = 20_000
MOST_TESTS: Final = 20
LONGEST_LINE: Final = 1_000
MOST_PER_LINE: Final = 4
"""Calls on a line, and what may stand for "gives" behind each: whatever the text, the time is bounded."""
MOST_BEGINNINGS: Final = 5
"""Of programs, in a request."""

_FENCE: Final = re.compile(r"```([A-Za-z0-9_+-]{0,40}+)[^\n]{0,200}+\n(.*?)(?:```|\Z)", re.DOTALL)
_PYTHON: Final = frozenset(("", "python", "py", "python3"))
_SAME: Final = "_yuzui_same"
_PRELUDE: Final = f"""
def {_SAME}(found, wanted):
    if isinstance(wanted, float) and isinstance(found, (int, float)):
        return abs(found - wanted) <= 1e-6 * max(1.0, abs(wanted))
    return found == wanted
"""
_ARROW: Final = re.compile(r"(?:==|=>|->|➞|→|returns|should return|返回|应返回|等于)\s*")
_CALL: Final = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\(")
_BUILT_IN: Final = frozenset(dir(builtins))
_WORDS: Final = {"true": "True", "false": "False", "null": "None", "none": "None"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Source that ends without an exception exactly when all tests pass."""

    source: str
    tests: int


def program_of(question: str, answer: str) -> Program | None:
    """None where the request brings no test, or the answer has no Python that they could be about."""
    asked, said = question[:MOST_CHARACTERS], answer[:MOST_CHARACTERS]
    code = _code_of(asked, said)
    if code is None:
        return None
    tests = _tests_of(asked, code)
    checks = sum(line.startswith("assert") for line in tests)
    if not checks:
        return None
    source = "\n".join([*_imports_of(asked), code, _PRELUDE, *tests, ""])
    return Program(source=source, tests=checks)


def _code_of(question: str, answer: str) -> str | None:
    """The answer's fenced Python; else all of it where it is Python that defines something; else, where the request is
    the beginning of a program, both together. None where there is none, "" never."""
    blocks = [(language.lower(), block) for language, block in _FENCE.findall(answer)]
    fenced = [block for language, block in blocks if language in _PYTHON]
    whole = "\n\n".join([block for block in fenced if _parsed(block) is not None]) if fenced else answer
    if _defines(_parsed(whole)):
        return whole
    shown = [block for language, block in _FENCE.findall(question) if language.lower() in _PYTHON]
    for begun in [one for one in (question, *shown) if "def " in one][:MOST_BEGINNINGS]:
        both = f"{begun.rstrip()}\n{fenced[0] if fenced else answer}"
        if _defines(_parsed(both)):
            return both
    # It says that it is Python: if it is none, the tests fail.
    return "\n\n".join(fenced) if any(language and language in _PYTHON for language, _ in blocks) else None


def _tests_of(question: str, code: str) -> list[str]:
    """Lines of Python: assertions, and what sessions do before them."""
    defined = _names_of(_parsed(code))
    lines: list[str] = []
    tests: set[str] = set()
    for line in (*_session(question), *_stated(question, defined)):
        if line in tests:
            continue
        lines.append(line)
        if line.startswith("assert"):
            tests.add(line)
        if len(tests) == MOST_TESTS:
            break
    return lines


def _session(question: str) -> Iterator[str]:
    """What stands behind `>>>`, with the result below it where that is a literal."""
    lines = question.split("\n")
    place = 0
    while place < len(lines):
        line = lines[place].strip()
        place += 1
        if not line.startswith(">>> "):
            continue
        source = [line[4:]]
        while place < len(lines) and lines[place].strip().startswith("..."):
            source.append(lines[place].strip()[4:])
            place += 1
        wanted: list[str] = []
        while place < len(lines) and _is_result(lines[place].strip()):
            wanted.append(lines[place].strip())
            place += 1
        text, result = "\n".join(source), " ".join(wanted)
        if not result:
            if isinstance(tree := _parsed(text), ast.Module) and tree.body:
                # `f(2) == 4` alone on the line says that it holds
                yield f"assert {text.strip()}" if _is_comparison(tree) else text
        elif _is_literal(result) and (call := _expression(text)):
            yield f"assert {_SAME}({call}, {result})"


def _stated(question: str, defined: frozenset[str]) -> Iterator[str]:
    """`assert …` and `f(…) == …` on lines of their own or at the end of one, about what the answer defines."""
    for written in question.split("\n"):
        line = written.strip().strip("`").strip()
        if len(line) > LONGEST_LINE:
            continue
        if line.startswith("assert "):
            tree = _parsed(line)
            if tree is not None and _is_about(tree, defined):
                yield line
        elif not line.startswith(">>>"):
            yield from _equation(line, defined)


def _equation(line: str, defined: frozenset[str]) -> Iterator[str]:
    for found in islice(_CALL.finditer(line), MOST_PER_LINE):
        if found.group(1) not in defined:
            continue
        for arrow in islice(_ARROW.finditer(line, found.end()), MOST_PER_LINE):
            call, result = _expression(line[found.start() : arrow.start()]), _literal_at(line[arrow.end() :])
            if result and call and _is_about(_parsed(call), defined):
                yield f"assert {_SAME}({call}, {result})"
                return


def _literal_at(text: str) -> str:
    """The longest literal that `text` begins with, up to a comment or the end of the sentence; "" for none."""
    rest = re.split(r"\s#|\s{2,}[(#]", text, maxsplit=1)[0].strip().rstrip("`").strip()
    first, _, behind = rest.partition(" ")
    if behind.lstrip()[:1] in ("+", "-", "*", "/", "=", "%"):  # a sum, written out
        return ""
    for one in (rest, rest.rstrip(".,;。，；"), rest.split(". ")[0], first.rstrip(".,;。，；")):
        one = _WORDS.get(one, one)
        if one and _is_literal(one):
            return one
    return ""


def _imports_of(question: str) -> list[str]:
    """So that an answer need not repeat them."""
    lines = [line for line in question.split("\n") if line.startswith(("import ", "from "))]
    return [line for line in lines if (tree := _parsed(line)) is not None and _is_import(tree)]


def _is_result(line: str) -> bool:
    return bool(line) and not line.startswith((">>>", '"""', "'''", "...", "```"))


def _parsed(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of somebody else's program
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _expression(source: str) -> str:
    """It on one line, without comments; "" where it is none."""
    tree = _parsed(source.strip())
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return ""
    try:
        return ast.unparse(tree.body[0])
    except (RecursionError, ValueError):  # a number longer than Python writes
        return ""


def _is_comparison(tree: ast.Module) -> bool:
    (only, *others) = tree.body
    return not others and isinstance(only, ast.Expr) and isinstance(only.value, ast.Compare)


def _is_literal(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.literal_eval(source)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True


def _is_import(tree: ast.Module) -> bool:
    return all(isinstance(one, ast.Import | ast.ImportFrom) for one in tree.body)


def _defines(tree: ast.Module | None) -> bool:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return tree is not None and any(isinstance(one, kinds) for one in tree.body)


def _names_of(tree: ast.Module | None) -> frozenset[str]:
    """Functions and classes at the top of the program."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset([one.name for one in tree.body if isinstance(one, kinds)] if tree is not None else [])


def _is_about(tree: ast.Module | None, defined: frozenset[str]) -> bool:
    """It calls something that is defined, and names nothing that is not: else it belongs to other code."""
    if tree is None:
        return False
    nodes = list(ast.walk(tree))
    calls = [one.func.id for one in nodes if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)]
    bound = {one.arg for one in nodes if isinstance(one, ast.arg)} | _targets(nodes)
    free = {one.id for one in nodes if isinstance(one, ast.Name)} - bound
    return any(call in defined for call in calls) and free <= defined | _BUILT_IN


def _targets(nodes: Sequence[ast.AST]) -> set[str]:
    return {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
