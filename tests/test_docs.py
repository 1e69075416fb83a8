"""Documentation keeps its promises: examples load and run, links lead somewhere, tables say what the code says.

`python tests/test_docs.py` writes the generated tables into their pages.
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import yuzui.config as configuration
from gateway_kit import RunningGateway, gateway
from yuzui.cli.init import starter
from yuzui.config import Config, read
from yuzui.config_answers import AnswersTable
from yuzui.core import errors
from yuzui.core.sensitivity import DEFAULT_LEVELS
from yuzui.core.target import Premises, Quirks, Timeouts
from yuzui.io.deadlines import Phase
from yuzui.io.telemetry import Metrics
from yuzui.privacy.catalogue import DEFAULT_LEVELS as KIND_LEVELS
from yuzui.providers.catalogue import ProviderRow, find_codecs, load_rows
from yuzui.providers.scripted import MARK

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "yuzui"
PAGES = sorted(
    path
    for folder in (
        ROOT.glob("*.md"),
        *((ROOT / name).rglob("*.md") for name in ("docs", "bench", "examples", "changes")),
    )
    for path in folder
)
ROW_MARK = "<!-- row -->"
"""Stands before a TOML block that is a row of openai_compatible.toml and not a configuration."""
NEXT_MARK = "<!-- continues -->"
"""Stands before a TOML block that is appended to the page's one before it."""
KEYS = {row.key_env: "set" for row in load_rows().values() if row.key_env}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block. `mark` is the line of text above it."""

    page: str
    line: int
    language: str
    mark: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> Iterator[Block]:
    lines = path.read_text("utf-8").split("\n")
    opened: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened = number
        else:
            yield Block(
                page=str(path.relative_to(ROOT)),
                line=opened + 1,
                language=lines[opened].removeprefix("```").strip(),
                mark=lines[opened - 1],
                text="\n".join(lines[opened + 1 : number]),
            )
            opened = None
    assert opened is None, f"{path}: a block is never closed"


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def written_in(language: str) -> list[Any]:  # Any: pytest's parameter sets
    return [pytest.param(block, id=block.name) for block in BLOCKS if block.language == language]


def load(text: str) -> Config:
    """`text` as a configuration; a block that shows one table alone gets a target beside it."""
    raw = tomllib.loads(text)
    if "targets" not in raw and "embedded" not in raw:
        text += "\n[embedded]\n"
    environ = {**KEYS, **dict.fromkeys(re.findall(r'env = "([A-Z_]+)"', text), "set")}
    return read(text, environ, source=Path("docs.toml"))


# ---- examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", written_in("toml"))
def test_a_toml_block_is_a_configuration_that_loads(block: Block) -> None:
    if block.mark == ROW_MARK:
        msgspec.convert(tomllib.loads(block.text), dict[str, ProviderRow])
        return
    before = [one.text for one in BLOCKS if (one.page, one.language) == (block.page, "toml") and one.line < block.line]
    text = f"{before[-1]}\n{block.text}" if block.mark == NEXT_MARK else block.text
    assert load(text).warnings == ()


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.name)
def test_an_example_loads_without_a_warning(path: Path) -> None:
    assert load(path.read_text("utf-8")).warnings == ()


def test_what_init_writes_loads_also_with_everything_uncommented() -> None:
    assert load(starter()).warnings == ()
    # `# key = …` and `# [table]` are configuration; other comments have no `=` or bracket at their beginning.
    uncommented = re.sub(r"^# (?=\[|[a-z_0-9]+ = )", "", starter(), flags=re.MULTILINE)
    assert len(load(uncommented).targets) > len(load(starter()).targets)


@pytest.mark.parametrize("block", written_in("python"))
def test_a_python_block_compiles(block: Block) -> None:
    compile(block.text, block.name, "exec")


SIMULATED = """
[[targets]]
name = "vendor/simulated"
provider = "scripted"
model = "scripted"
price = "free"
"""


@pytest.mark.parametrize(
    "block", [param for param in written_in("python") if "chat.completions" in param.values[0].text]
)
def test_a_client_example_runs_against_a_gateway(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> dict[str, Any]:  # Any: the example's own names
        async with gateway(SIMULATED) as running:
            return await asyncio.to_thread(run_example, block, running)

    names = asyncio.run(story())
    printed = capsys.readouterr().out
    assert "print(" not in block.text or "except " in block.text or printed
    if block.page.startswith("README"):
        assert names["answer"].choices[0].message.content.startswith(MARK)
    if "receipt" in block.text:
        assert re.search(r"\d+:[A-Za-z0-9+/]{43}=", printed), printed


def run_example(block: Block, running: RunningGateway) -> dict[str, Any]:  # Any: the example's own names
    text = block.text.replace("http://127.0.0.1:8080", running.base_url)
    assert text != block.text, "the example does not name the gateway's usual address"
    names: dict[str, Any] = {}
    exec(compile(text, block.name, "exec"), names)
    if "stream" in names:
        names["stream"].close()
    names["client"].close()
    return names


def test_both_readmes_have_the_same_commands_and_the_same_configuration() -> None:
    def commands(page: str) -> list[str]:
        lines = [
            line for block in BLOCKS if (block.page, block.language) == (page, "sh") for line in block.text.split("\n")
        ]
        return [line.split("#")[0].strip() for line in lines]

    def tables(page: str) -> list[Mapping[str, Any]]:  # Any: TOML values
        return [tomllib.loads(block.text) for block in BLOCKS if (block.page, block.language) == (page, "toml")]

    assert commands("README.md")
    assert commands("README.md") == commands("README.zh.md")
    assert tables("README.md")
    assert all(table in tables("README.zh.md") for table in tables("README.md"))


def test_both_readmes_have_the_same_request_path() -> None:
    def path(page: str) -> list[str]:
        section = (ROOT / page).read_text("utf-8").split("<!-- request-path -->")[1].split("<!-- /request-path -->")[0]
        return re.findall(r"^\| \d+ \| `([^`]+)`", section, re.MULTILINE)

    assert path("README.md")
    assert path("README.md") == path("README.zh.md")


# ---- links -----------------------------------------------------------------------------------------------------------


def without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "code", text)


def anchors_of(path: Path) -> set[str]:
    """As GitHub makes them: lower case, blanks to dashes, all but letters, digits, dashes, underscores dropped."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    wrong = []
    for link in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", without_code(page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        is_there = target.exists() and target.is_relative_to(ROOT.resolve())
        if not is_there or (anchor and anchor not in anchors_of(target)):
            wrong.append(link)
    assert not wrong


def test_every_decision_is_in_the_list_and_every_page_of_docs_is_reachable() -> None:
    linked: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in linked or page.suffix != ".md" or not page.is_file():
            continue
        linked.add(page)
        links = re.findall(r"\[[^\]]*\]\(([^)\s#]+)[^)]*\)", without_code(page.read_text("utf-8")))
        todo += [(page.parent / link).resolve() for link in links if not re.match(r"[a-z]+:", link)]
    assert not {path for path in (ROOT / "docs").rglob("*.md") if path.resolve() not in linked}


# ---- tables that say what the code says ------------------------------------------------------------------------------


def rows_under(page: str, heading: str) -> list[list[str]]:
    """The cells of the tables that stand under `heading`, up to the next one."""
    text = (ROOT / page).read_text("utf-8")
    assert f"\n{heading}\n" in text, f"{page} has no {heading!r}"
    section = re.split(r"\n#+ ", text.split(f"\n{heading}\n")[1])[0]
    lines = [line for line in section.split("\n") if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


CONFIG_TABLES: dict[str, type] = {
    "## `[server]`": configuration._Server,
    "## `[[targets]]`": configuration._Target,
    "### `timeouts`": Timeouts,
    "### `quirks`": Quirks,
    "## `[[models]]`": configuration._Model,
    "## `[sensitivity]`": configuration._Sensitivity,
    "## `[embedded]`": configuration._Embedded,
    "## `[money]`": configuration._Money,
    "## `[answers]`": AnswersTable,
    "## `[stored_responses]`": configuration._StoredResponses,
    "## `[audit]`": configuration._Audit,
}


@pytest.mark.parametrize("heading", CONFIG_TABLES)
def test_the_keys_and_defaults_of_a_table_are_those_of_the_code(heading: str) -> None:
    kind = CONFIG_TABLES[heading]
    documented = {row[0].strip("`"): row[2] for row in rows_under("docs/reference/configuration.md", heading)}
    fields = {field.name: field for field in msgspec.inspect.type_info(kind).fields}  # type: ignore[attr-defined]  # a union
    assert documented.keys() == fields.keys()
    for key, shown in documented.items():
        if shown == "required":
            assert fields[key].required, key
        elif re.fullmatch(r"`[^`]+`", shown):
            field = fields[key]
            default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
            assert tomllib.loads(f"x = {shown.strip('`')}")["x"] == msgspec.to_builtins(default, order="sorted") or (
                list(default) == tomllib.loads(f"x = {shown.strip('`')}")["x"]
            ), key


def test_the_default_level_of_each_kind_is_documented() -> None:
    rows = rows_under("docs/explanation/sensitivity.md", "## What is found")
    assert {row[0].strip("`"): row[1] for row in rows} == KIND_LEVELS
    assert set(KIND_LEVELS.values()) <= set(DEFAULT_LEVELS)


def error_rows() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    return {row[0].strip("`"): row for heading in re.findall(r"^## .+$", text, re.MULTILINE)
            for row in rows_under("docs/reference/errors.md", heading)}  # fmt: skip


def test_a_documented_error_has_the_status_that_its_class_has() -> None:
    rows = error_rows()
    own = [
        v
        for v in vars(errors).values()
        if isinstance(v, type) and issubclass(v, errors.YuzuiError) and "code" in vars(v)
    ]
    assert len(own) > 15
    for value in own:
        row = rows[value.code]
        assert len(row) == 2 or str(value.status) in row[1], f"{value.code}: {value.status}, not {row[1]}"


def test_no_error_is_documented_that_the_code_does_not_have() -> None:
    source = "\n".join(path.read_text("utf-8") for path in SRC.rglob("*.py"))
    made = {f"upstream_{phase}_timeout" for phase in get_args(Phase)}
    assert error_rows()
    assert not sorted(code for code in error_rows() if f'"{code}"' not in source and code not in made)


def test_the_metrics_of_a_scrape_are_those_of_the_page() -> None:
    metrics = Metrics({})
    metrics.request_done(
        outcome="answered", code="", target="t", sensitivity="internal", stream=True, duration_ms=10, first_token_ms=5,
        input_tokens=1, output_tokens=1,
    )  # fmt: skip
    metrics.attempt_failed("t", "upstream_timeout")
    metrics.answer_finding("t", "email", "note", 1)
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text("utf-8")
    scraped = set(re.findall(r"^# TYPE (\S+)", metrics.scrape().decode(), re.MULTILINE))
    assert scraped
    assert not sorted(name for name in scraped if f"`{name}`" not in page)
    code = "\n".join((SRC / name).read_text("utf-8") for name in ("io/telemetry.py", "wiring.py", "watch_gauges.py"))
    documented = re.findall(r"^\| `(\w+)` \| (?:counter|gauge|histogram)", page, re.MULTILINE)
    assert not [name for name in documented if f'"{name.removesuffix("_total")}"' not in code]


def test_every_header_of_ours_is_documented() -> None:
    source = "\n".join(path.read_text("utf-8") for path in SRC.rglob("*.py") if "cli" not in path.parts)
    page = (ROOT / "docs" / "reference" / "http.md").read_text("utf-8")
    headers = set(re.findall(r"\"(x-yuzui-[a-z-]+)\"", source))
    assert "x-yuzui-receipt" in headers
    assert not sorted(header for header in headers if f"`{header}`" not in page)


def test_a_change_note_has_a_kind() -> None:
    kinds = {"added", "changed", "fixed", "removed", "security"}
    wrong = [
        path.name for path in (ROOT / "changes").iterdir() if path.name.split(".")[1:2] not in [[k] for k in kinds]
    ]
    assert not wrong


def test_every_codecs_counts_are_explained() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "reference" / "usage").glob("*.md")}
    alike = {"scripted": "openai", "vertex": "gemini", "vertex_embeddings": "gemini_embeddings"}
    for name, codec in find_codecs().items():
        family = name.removesuffix(f"_{codec.operation}")
        assert codec.operation == "count_tokens" or {alike.get(name, name), family} & pages, name
    index = (ROOT / "docs" / "reference" / "usage.md").read_text("utf-8")
    assert all(f"(usage/{page}.md)" in index for page in pages)


# ---- generated tables ------------------------------------------------------------------------------------------------


def provider_table(premises: Premises) -> str:
    rows = {name: row for name, row in load_rows().items() if row.premises == premises and row.codec != "scripted"}
    if premises == "own":
        lines = ["| `provider` | server | usual address | lacks |", "|---|---|---|---|"]
        lines += [f"| `{name}` | {row.title} | `{row.base_url}` | {_lacks(row)} |" for name, row in rows.items()]
    else:
        lines = [
            "| `provider` | vendor | key variable | home | models without a configuration | lacks | price known |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, row in rows.items():
            models = ", ".join(f"`{model}`" for model in row.models) or "yours"
            known = "yes" if row.price_provider and row.base_url else "no"
            lines.append(
                f"| `{name}` | [{row.title}]({row.source}) | `{row.key_env}` | {row.jurisdiction} | {models} |"
                f" {_lacks(row)} | {known} |"
            )
    return "\n".join(lines)


def _lacks(row: ProviderRow) -> str:
    return ", ".join(sorted(row.lacks)) or "nothing"


GENERATED: dict[str, tuple[Path, Premises]] = {
    "vendors": (ROOT / "docs" / "how-to" / "vendors.md", "vendor"),
    "own": (ROOT / "docs" / "how-to" / "own-models.md", "own"),
}


@pytest.mark.parametrize("mark", GENERATED)
def test_a_generated_table_is_what_the_code_says(mark: str) -> None:
    page, premises = GENERATED[mark]
    written = page.read_text("utf-8").split(f"<!-- {mark} -->")[1].split(f"<!-- /{mark} -->")[0].strip()
    assert written == provider_table(premises), "run: python tests/test_docs.py"


def write_tables() -> None:
    for mark, (page, premises) in GENERATED.items():
        head, _, rest = page.read_text("utf-8").partition(f"<!-- {mark} -->")
        tail = rest.partition(f"<!-- /{mark} -->")[2]
        page.write_text(f"{head}<!-- {mark} -->\n{provider_table(premises)}\n<!-- /{mark} -->{tail}", "utf-8")


if __name__ == "__main__":
    write_tables()
