"""The house stays as drawn: file names, import direction, the request path, and documentation that keeps up with code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "yuzui"

LAYER = {
    "core": 0,
    "dialects": 1, "providers": 1, "admission": 1, "privacy": 1, "routing": 1, "accounting": 1, "audit": 1,
    "config_checks": 1, "config_answers": 1, "config_capture": 1, "config_documents": 1, "config_economics": 1, "config_guarantee": 1, "config_secrets": 1, "config_watch": 1, "config_judge": 1, "config_names": 1, "config_masking": 1, "config_trials": 1, "config": 2, "ports": 2, "masking": 2, "masking_choice": 2, "exchange": 2,
    "economics": 2, "routes": 2, "lanes": 2, "learned_routing": 2, "sampling": 3, "reading": 3, "scanning": 3,
    "world": 3, "keeping": 3, "remembering": 3, "aside": 3, "copies": 3, "auditing": 3, "shadowing": 3, "standing": 3, "promises": 3, "watching": 4, "watch_gauges": 5, "judging": 3, "declassifying": 3, "opening": 3, "trials": 3, "trial_orders": 3, "tails": 3, "answers": 3, "capturing": 3,
    "held_answer": 3, "cascading": 3, "relabelling": 3,
    "evaluation": 3, "backtest": 3,
    "pipeline": 4, "conversations": 4, "desk": 5,
    "engine": 6, "io": 6,
    "wiring": 7, "serving": 8,
    "cli": 8, "__main__": 9, "__init__": 0,
}  # fmt: skip
"""Imports point from higher numbers to lower ones, or stay inside one folder."""

STATIONS = {"dialects", "providers", "admission", "privacy", "routing", "accounting", "audit"}
WORLDLY = {
    "socket",
    "asyncio.subprocess",
    "subprocess",
    "sqlite3",
    "apsw",
    "pyreqwest",
    "random",
    "secrets",
    "urllib.request",
    "http.client",
    "tempfile",
    "shutil",
}
"""Modules that touch the world: only io/, engine/, cli/, wiring and serving may import them."""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SRC.rglob("*.py")):
        relative = path.relative_to(SRC).with_suffix("")
        yield ".".join(relative.parts), path


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room_of(module: str) -> str:
    return module.split(".")[0]


def test_imports_point_one_way() -> None:
    wrong = []
    for module, path in modules():
        here = room_of(module)
        for name in imports_of(path):
            if not name.startswith("yuzui."):
                continue
            there = room_of(name.removeprefix("yuzui."))
            if there not in LAYER or there == here:
                continue
            if here in STATIONS and there in STATIONS:
                wrong.append(f"{module} imports {name}: stations meet in pipeline.py")
            elif LAYER[there] > LAYER[here]:
                wrong.append(f"{module} imports {name}: that points upwards")
    assert not wrong, "\n".join(wrong)


def test_only_io_engine_and_cli_touch_the_world() -> None:
    wrong = []
    for module, path in modules():
        if room_of(module) in {"io", "engine", "cli", "wiring", "serving", "__main__"}:
            continue
        for name in imports_of(path):
            if name in WORLDLY or any(name.startswith(f"{worldly}.") for worldly in WORLDLY):
                wrong.append(f"{module} imports {name}")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "open", "time.time", "time.time_ns", "time.monotonic", "datetime.now", "os.urandom",
            }:  # fmt: skip
                wrong.append(f"{module}:{node.lineno} calls {ast.unparse(node.func)}")
    assert not wrong, "\n".join(wrong)


def test_there_is_no_import_cycle() -> None:
    graph = {
        module: {name.removeprefix("yuzui.") for name in imports_of(path) if name.startswith("yuzui.")}
        for module, path in modules()
    }
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module))
        if module in done:
            return
        for following in graph.get(module, ()):
            if following in graph:
                visit(following, (*way, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_no_module_is_too_long_and_no_function_tells_two_stories() -> None:
    wrong = []
    for module, path in modules():
        text = path.read_text("utf-8")
        if text.count("\n") > 650:
            wrong.append(f"{module}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 70:
                    wrong.append(f"{module}.{node.name}: {length} lines")
    assert not wrong, "\n".join(wrong)


def test_every_source_file_says_what_it_knows() -> None:
    missing = [module for module, path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert not missing


def test_every_source_file_has_its_test_file() -> None:
    exempt = {
        "__main__", "ports", "world", "core.answers", "dialects._contract", "providers._contract", "routing.policies._contract",
        "evaluation.scorers._contract",
    }  # fmt: skip  # shapes only: the contract test covers them
    missing = []
    for module, path in modules():
        if path.name == "__init__.py" or module in exempt:
            continue
        parts = module.split(".")
        name = parts[-1].lstrip("_")
        folder = ROOT / "tests" / Path(*parts[:-1])
        # A file may be tested by its own test file or by that of the concept whose part it is (openai_chat_stream).
        own = folder / f"test_{name}.py"
        whole = [f for f in folder.glob("test_*.py") if name.startswith(f.stem.removeprefix("test_"))]
        if not own.exists() and not whole:
            missing.append(f"{module}: no {own.relative_to(ROOT)}")
    assert not missing, "\n".join(missing)


def request_path_of_readme(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8")
    section = text.split("<!-- request-path -->")[1].split("<!-- /request-path -->")[0]
    return re.findall(r"^\| \d+ \| `([^`]+)`", section, re.MULTILINE)


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_request_path_is_the_table_of_the_readme(readme: str) -> None:
    """Send one real request through a gateway under a tracer; note in which order files are first entered."""
    program = ROOT / "tests" / "trace_request_path.py"
    traced = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=True
    ).stdout.split()
    table = request_path_of_readme(readme)
    assert table, "the README has no request-path table"
    order = [traced.index(station) for station in table]
    assert order == sorted(order), dict(zip(table, order, strict=True))


def words_of_docs() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "docs").rglob("*.md")))


def test_every_error_code_is_documented() -> None:
    codes = set()
    for _, path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                if isinstance(node.value.value, str):
                    codes.add(node.value.value)
    from yuzui.core import errors

    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, errors.YuzuiError):
            codes.add(value.code)
    documented = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    missing = sorted(code for code in codes if f"`{code}`" not in documented)
    assert not missing, missing


def test_every_metric_is_documented() -> None:
    names = set()
    for path in (SRC / "io" / "telemetry.py", SRC / "wiring.py", SRC / "watch_gauges.py"):
        names |= set(re.findall(r'"(yuzui_[a-z_]+)"', path.read_text("utf-8")))
    documented = (ROOT / "docs" / "reference" / "metrics.md").read_text("utf-8")
    assert names
    assert not sorted(name for name in names if f"`{name}" not in documented)


def test_every_configuration_key_is_documented() -> None:
    import msgspec

    from yuzui import config
    from yuzui.core.target import Quirks, Timeouts

    documented = (ROOT / "docs" / "reference" / "configuration.md").read_text("utf-8")
    keys: set[str] = set()
    for value in vars(config).values():
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == "yuzui.config":
            keys |= set(value.__struct_fields__)
    keys |= set(Timeouts.__dataclass_fields__) | set(Quirks.__dataclass_fields__)
    missing = sorted(key for key in keys if f"`{key}`" not in documented)
    assert not missing, missing


def test_no_file_contains_what_looks_like_a_key() -> None:
    shapes = re.compile(
        rb"sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|yz-[A-Za-z0-9_-]{43}"
        rb"|-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n[A-Za-z0-9+/=]{20}|xox[baprs]-[A-Za-z0-9-]{20,}"
    )
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    guilty = [name for name in listed if name and (ROOT / name).is_file() and shapes.search((ROOT / name).read_bytes())]
    assert not guilty


def test_no_file_names_a_package_registry_or_this_machine() -> None:
    # Written in pieces, so that this file does not name them either.
    hosts = ("files.python" + "hosted.org", "py" + "pi.org/simple", "registry.npm" + "js.org", "deb.deb" + "ian.org")
    names = re.compile("|".join(map(re.escape, (*hosts, str(ROOT) + "/"))).encode())
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    guilty = [name for name in listed if name and (ROOT / name).is_file() and names.search((ROOT / name).read_bytes())]
    assert not guilty
