"""Forms with files: read in one way only, whatever their framing tries."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.errors import InvalidRequest
from yuzui.dialects._multipart import FILES, MOST_FIELD_BYTES, MOST_PARTS, Form, read_form
from yuzui.privacy.leaves import read_leaves
from yuzui.providers._openai_form import write_form

FORM = Form(
    files={"file": "input_audio", "image[]": "input_image"}, lists=frozenset({"tags"}), blobs={"ref": "input_audio"}
)
TYPE = "multipart/form-data; boundary=xYz"


def form(*parts: tuple[str, bytes], end: bytes = b"--xYz--\r\n") -> bytes:
    """Parts as (headers, content)."""
    return b"".join(b"--xYz\r\n%b\r\n\r\n%b\r\n" % (head.encode(), data) for head, data in parts) + end


def field(name: str, data: bytes = b"v") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', data


FILE = (
    'content-disposition: form-data; name="file"; filename="a b.mp3"\r\nContent-Type: audio/mpeg',
    b"\x00\r\n--xYzz\xff",
)


def test_fields_are_texts_and_files_are_parts() -> None:
    body = form(field("model", b"whisper-1"), FILE, field("tags", b"a"), field("x[]", "ü".encode()), field("x[]", b""))
    assert read_form(body, TYPE, FORM) == {
        "model": "whisper-1",
        "tags": ["a"],
        "x[]": ["ü", ""],
        "input": [
            {"type": "input_audio", "name": "file", "filename": "a b.mp3", "media_type": "audio/mpeg", "data": FILE[1]}
        ],
    }


def test_the_scanner_sees_names_and_texts_and_counts_the_rest_as_unreadable() -> None:
    blob = b"data:audio/wav;base64," + b"QUFB" * 400
    leaves = read_leaves(read_form(form(field("prompt", b"Ada"), FILE, field("ref", blob)), TYPE, FORM))
    texts = [leaf.text for leaf in leaves.found]
    assert {"Ada", "a b.mp3"} <= set(texts)
    assert not any("QUFBQUFB" in text for text in texts)
    assert leaves.unscannable.count("input_audio") == 2


def test_a_list_of_files_is_told_by_its_brackets() -> None:
    part = ('Content-Disposition: form-data; name="image[]"; filename=a.png', b"1")
    found = read_form(form(part, part), TYPE, FORM)
    assert [(file["name"], file["filename"], file["media_type"]) for file in found[FILES]] == [
        ("image[]", "a.png", "")
    ] * 2


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('form-data; name="file"; filename="C:\\\\a\\"b.mp3"', 'C:\\a"b.mp3'),
        ('form-data; name="file"; filename="f%22.mp3"', "f%22.mp3"),
        ('form-data; name="file"; filename="grün.mp3"', "grün.mp3"),
        ("form-data; name=file; filename*=UTF-8''gr%C3%BCn.mp3", "grün.mp3"),
        ("form-data; name=file; filename=plain.mp3; filename*=utf-8''other.mp3", "plain.mp3"),
        ('form-data ; name = "file" ;filename="" ;', ""),
        ("Form-Data; Name=file", ""),
    ],
)
def test_names_are_read_as_clients_write_them(disposition: str, filename: str) -> None:
    found = read_form(form((f"Content-Disposition: {disposition}", b"x")), TYPE, FORM)
    assert found[FILES][0]["filename"] == filename


@pytest.mark.parametrize(
    "content_type",
    [
        "", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=xYz",
        "multipart/form-data; boundary=xYz; boundary=b", 'multipart/form-data; boundary="x;y', f"{TYPE}\x00",
        "multipart/form-data; boundary=" + "x" * 71, 'multipart/form-data; boundary="x "', "multipart/form-data; boundary=ü",
        "multipart/form-data; boundary=x_y z",
    ],
)  # fmt: skip
def test_a_content_type_without_one_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidRequest):
        read_form(form(FILE), content_type, FORM)


def test_a_quoted_boundary_is_read() -> None:
    assert read_form(form(field("a")), 'Multipart/Form-Data;charset=utf-8; Boundary="xYz"', FORM) == {"a": "v"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "begin and end"),
        (b"--xYz--\r\n", "no parts"),
        (b"preamble\r\n" + form(FILE), "begin and end"),
        (form(FILE) + b"epilogue", "begin and end"),
        (form(FILE, end=b""), "begin and end"),
        (form(FILE, end=b"--xYz\r\n"), "begin and end"),
        (form(FILE).replace(b"\r\n\r\n", b"\r\r"), "RFC 7578"),
        (form(("X: y", b"1")), "content-disposition"),
        (form(("Content-Disposition: attachment; name=a", b"1")), "content-disposition"),
        (form(("Content-Disposition: form-data", b"1")), "no name"),
        (form(("Content-Disposition: form-data; name=a; name=b", b"1")), "names itself twice"),
        (form(("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b", b"1")), "header twice"),
        (form(("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", b"1")), "encoded"),
        (form(('Content-Disposition: form-data; name="a', b"1")), "cannot be read"),
        (form(("Content-Disposition: form-data; name=a b", b"1")), "cannot be read"),
        (form(field("a" * 129)), "no name"),
        (form(field("a\tb")), "no name"),
        (form(field("input")), "no field of this form"),
        (form(field("_charset_", b"utf-16"), field("prompt")), "`_charset_` changes how the other fields are read"),
        (form(field("_CHARSET_", b"utf-16")), "always UTF-8"),
        (form(FILE, field("File")), "only looks like one; send `file`"),
        (form(FILE, field("R_EF")), "only looks like one; send `ref`"),
        (form(field("a"), field("a")), "`a` twice"),
        (form(FILE, FILE), "`file` twice"),
        (form(("Content-Disposition: form-data; name=a; filename=b", b"1")), "`a` is no file"),
        (form(("Content-Disposition: form-data; name=file; filename=" + "x" * 256, b"1")), "file name"),
        (form(("Content-Disposition: form-data; name=file; filename*=latin-1''x", b"1")), "file name"),
        (form(("Content-Disposition: form-data; name=file\r\nContent-Type: audio/ü", b"1")), "content-type"),
        (form(field("a", b"\xff")), "not valid UTF-8"),
        (form(field("a", b"x" * (MOST_FIELD_BYTES + 1))), "longer than"),
        (form(*[field(f"f{n}") for n in range(MOST_PARTS + 1)]), "more than 128 parts"),
        (form(("X-Long: " + "x" * 5000, b"1")), "RFC 7578"),
        (form(("\r\n".join(f"X-{n}: 1" for n in range(20)), b"1")), "RFC 7578"),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(words)):
        read_form(body, TYPE, FORM)


def test_a_delimiter_inside_a_file_is_content_unless_it_is_one() -> None:
    tricks = b"--xYz\r\n\r\n--xYzA\r\n--xYz-\r\n\n--xYz--"
    assert read_form(form((FILE[0], tricks)), TYPE, FORM)[FILES][0]["data"] == tricks


NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20).filter(lambda n: n != FILES)


@given(st.dictionaries(NAMES.filter(lambda n: n not in ("file", "ref", "tags", "image[]") and not n.endswith("[]")), st.text(max_size=30), max_size=5),
       st.lists(st.binary(max_size=60), max_size=3), st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=20))  # fmt: skip
def test_what_is_written_is_read_again(fields: dict[str, str], images: list[bytes], filename: str) -> None:
    body: dict[str, Any] = {
        name.replace('"', "'"): text.encode("utf-8", "replace").decode() for name, text in fields.items()
    }
    filename = filename.replace('"', "'").replace("\\", "/")
    if images:
        body[FILES] = [
            {"type": "input_image", "name": "image[]", "filename": filename, "media_type": "image/png", "data": data}
            for data in images
        ]
    if body and not any("\\" in name for name in body):
        content_type, data = write_form(body)
        assert read_form(data, content_type, FORM) == body


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_refused(data: bytes) -> None:
    for body in (data, form(FILE, end=data), form((FILE[0], data)), b"--xYz\r\n" + data + b"\r\n--xYz--"):
        with suppress(InvalidRequest):
            read_form(body, TYPE, FORM)
