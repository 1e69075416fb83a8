"""From a name in the configuration to what the worker is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from yuzui.engine.cache import ModelCache, ModelRecord
from yuzui.engine.catalogue import catalogue
from yuzui.engine.faults import ModelFault, WrongContent
from yuzui.engine.installed import worker_settings


def test_a_fetched_model_brings_its_template_and_its_limits(tmp_path: Path, gguf_with: Callable[..., bytes]) -> None:
    cache, data = ModelCache(tmp_path), gguf_with(context=1000)
    entry = catalogue()["smollm2-135m"]
    with cache.locked(entry.name) as folder:
        (folder / "p").write_bytes(data)
        cache.adopt(folder / "p", ModelRecord(name=entry.name, file=entry.file, size_bytes=len(data), sha256="0" * 64,
                                              source="s", trust="pinned", fetched_unix_s=1))  # fmt: skip
    settings = worker_settings(entry.name, context_tokens=4096, parallel=2, threads=3, cache=cache)
    assert settings.alias == entry.name
    assert settings.chat_template == entry.chat_template
    assert (settings.context_tokens, settings.parallel, settings.threads) == (1000, 2, 3)
    assert settings.api_key == "", "only the supervisor makes keys"


def test_a_path_is_served_under_its_own_name_with_its_own_template(tmp_path: Path, gguf: bytes) -> None:
    (tmp_path / "mine.gguf").write_bytes(gguf)
    settings = worker_settings(str(tmp_path / "mine.gguf"))
    assert (settings.alias, settings.chat_template) == ("mine", "")


def test_what_is_not_there_is_told_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="yuzui models pull qwen3-4b"):
        worker_settings("qwen3-4b", cache=ModelCache(tmp_path))
    with pytest.raises(ModelFault, match="no model file"):
        worker_settings(str(tmp_path / "none.gguf"))
    (tmp_path / "fake.gguf").write_bytes(b"\x80\x04 pickle inside" * 9)
    with pytest.raises(WrongContent):
        worker_settings(str(tmp_path / "fake.gguf"))


def test_a_name_that_nobody_could_fetch_is_not_told_to_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match=r"embedded\.model: no model called 'qwen9'.*models list") as caught:
        worker_settings("qwen9", cache=ModelCache(tmp_path))
    assert "pull" not in str(caught.value)
