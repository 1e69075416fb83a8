from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from yuzui import config
from yuzui.cli.init import starter
from yuzui.core.errors import ConfigError
from yuzui.core.target import Timeouts

from .conftest import Run

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


def test_what_init_writes_is_valid_as_it_stands(run: Run, tmp_path: Path) -> None:
    assert run("init").exit_code == 0
    loaded = config.load(tmp_path / "yuzui.toml", {})
    assert [target.name for target in loaded.targets] == ["own/smollm2-135m"]
    assert loaded.warnings == ()


def test_what_init_comments_out_is_valid_too() -> None:
    lines = starter().splitlines()
    code = [re.sub(r"^# (?=\[|[a-z_0-9]+ = )", "", line) for line in lines]
    loaded = config.read("\n".join(code), {}, source=Path("x"))
    assert {"house/qwen", "deepseek/chat", "claude"} <= {target.name for target in loaded.targets}
    assert loaded.models[0].name == "assistant"


def test_every_key_of_the_configuration_is_explained() -> None:
    text = starter()
    tables = [
        kind
        for name, kind in vars(config).items()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and name.startswith("_") and name != "_File"
    ]
    keys = {field for kind in tables for field in kind.__struct_fields__} | set(Timeouts.__dataclass_fields__)
    assert len(keys) > 40
    missing = [key for key in sorted(keys) if not re.search(rf"\b{key} = |\.{key}\]", text)]
    assert not missing


def test_an_existing_file_is_kept_unless_forced(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine", "utf-8")
    refused = run("init", "--config", path)
    assert refused.exit_code == 2 and "--force" in refused.stderr
    assert path.read_text("utf-8") == "mine"
    assert json.loads(run("init", "--config", path, "--force", "--json").stdout) == {"file": str(path)}
    assert path.read_text("utf-8") == starter()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_loads(path: Path) -> None:
    assert config.load(path, {"DEEPSEEK_API_KEY": "x"}).targets


def test_a_misspelt_key_is_named_with_its_table() -> None:
    with pytest.raises(ConfigError, match=r"server\.prot"):
        config.read("[server]\nprot = 1\n[embedded]\nenabled = true", {}, source=Path("x"))
