"""The user's own settings decide where packages come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyreqwest.client import SyncClient

from yuzui.engine import package_index
from yuzui.engine.download import build_client
from yuzui.engine.faults import SourceFault
from yuzui.engine.package_index import (
    IndexSettings,
    parse_default_index,
    parse_html_links,
    parse_json_links,
    parse_pip_config,
    read_index_settings,
    wheel_links,
)

Shelf = Any  # the fixture's class lives in conftest.py, which is not importable by name

CONFIG = """:env:.cert='/env.pem'
global.cert='/file.pem'
global.index-url='https://user:pw@index.example/simple'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
install.trusted-host='one.example two.example:8443'
freeze.index-url='https://not-for-us.example'
no setting at all
"""


def test_the_nearer_setting_wins_and_other_commands_do_not_count() -> None:
    config = parse_pip_config(CONFIG)
    assert config["cert"] == "/env.pem"
    assert config["index-url"] == "https://user:pw@index.example/simple"
    assert config["extra-index-url"].split() == ["https://one.example/simple", "https://two.example/simple"]


def test_the_default_is_what_pip_itself_names() -> None:
    text = "-i, --index-url <url>  Base URL of the Python Package\n Index (default https://index.example/simple). This"
    assert parse_default_index(text) == "https://index.example/simple"
    assert parse_default_index("no such option") == ""


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    said = {"config": "", "install": "Base URL of it (default https://default.example/simple)"}
    monkeypatch.setattr(package_index, "_pip_output", lambda command, *_: said[command])
    return said


def test_without_any_setting_pips_default_is_asked(pip: dict[str, str]) -> None:
    assert read_index_settings({}) == IndexSettings(indexes=("https://default.example/simple",))


def test_no_index_means_no_index(pip: dict[str, str]) -> None:
    pip["config"] = "global.no-index='true'\nglobal.find-links='/opt/wheels'"
    assert read_index_settings({}) == IndexSettings(indexes=(), find_links=("/opt/wheels",))


def test_uvs_variables_come_before_pips_files(pip: dict[str, str]) -> None:
    pip["config"] = CONFIG
    settings = read_index_settings(
        {"UV_DEFAULT_INDEX": "https://uv.example/s", "UV_INDEX": "corp=https://corp.example/s"}
    )
    assert settings.indexes[:2] == ("https://uv.example/s", "https://corp.example/s")
    assert settings.certificates == Path("/env.pem")
    assert settings.trusts("https://one.example/x") and settings.trusts("https://two.example:8443/x")
    assert not settings.trusts("https://two.example/x")


def test_links_are_found_in_html_and_in_json() -> None:
    html = '<a href="../../f/a-1.whl#sha256=0">a</a><A HREF="https://x.example/b.whl">b</A><a>none</a>'
    assert parse_html_links(html, "https://i.example/simple/a/") == [
        "https://i.example/f/a-1.whl#sha256=0", "https://x.example/b.whl"]  # fmt: skip
    assert parse_json_links(b'{"files":[{"url":"/f/a.whl","size":1}]}', "https://i.example/s/") == [
        "https://i.example/f/a.whl"]  # fmt: skip
    with pytest.raises(SourceFault):
        parse_json_links(b"<html>", "https://i.example/s/")


@pytest.fixture
def client() -> Iterator[SyncClient]:
    with build_client() as client:
        yield client


def test_an_index_in_a_folder_and_one_in_html_are_both_read_and_a_dead_one_is_passed_over(
    client: SyncClient, shelf: Shelf, tmp_path: Path
) -> None:
    project = tmp_path / "some-model"
    project.mkdir()
    (project / "index.html").write_text('<a href="w.whl">w</a>')
    shelf.files["/simple/some-model/"] = b'<a href="/f/w.whl#sha256=1">w</a><a href="/f/w.whl.metadata">m</a>'
    shelf.types["/simple/some-model/"] = "text/html; charset=utf-8"
    settings = IndexSettings(indexes=("http://127.0.0.1:1/simple", tmp_path.as_uri(), shelf.url + "/simple/"))
    links = list(wheel_links(lambda _: client, settings, "Some_Model", "w.whl"))
    assert links == [project.as_uri() + "/w.whl", shelf.url + "/f/w.whl"]


def test_nothing_found_is_a_fault_that_shows_no_credentials(client: SyncClient, shelf: Shelf) -> None:
    password = "pass" + "word"
    index = shelf.url.replace("//", f"//user:{password}@") + "/simple"
    with pytest.raises(SourceFault, match="404") as caught:
        list(wheel_links(lambda _: client, IndexSettings(indexes=(index,)), "p", "w.whl"))
    assert password not in str(caught.value)
