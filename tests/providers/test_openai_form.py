"""A form written anew: its boundary cannot stand in it, its names cannot break out. (Read back in test_multipart.)"""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP

from yuzui.providers._openai_form import write_form

BODY = {
    "model": "whisper-1",
    "x[]": ["a", "b"],
    "input": [
        {
            "type": "input_audio",
            "name": "file",
            "filename": 'a"\r\n.mp3',
            "media_type": "audio/mpeg",
            "data": b"\x00\r\n",
        },
        {"type": "input_audio", "name": "ref[]", "data": "data:audio/wav;base64,QUFB"},
        {"type": "input_audio", "name": "file", "filename": "b", "media_type": "", "data": b""},
    ],
}


def test_another_reader_reads_it() -> None:
    content_type, data = write_form(BODY)
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + data)
    parts = [
        (part["content-disposition"].params.get("name"), part.get_payload(decode=True)) for part in message.iter_parts()
    ]
    assert [name for name, _ in parts] == ["model", "x[]", "x[]", "file", "ref[]", "file"]
    assert parts[1][1] == b"a"
    assert b'filename="a%22%0D%0A.mp3"\r\nContent-Type: audio/mpeg\r\n\r\n\x00\r\n\r\n--yuzui-' in data
    assert b'name="ref[]"\r\n\r\ndata:audio' in data


def test_the_boundary_follows_from_the_content() -> None:
    first, again, other = write_form(BODY), write_form(BODY), write_form(BODY | {"model": "m"})
    assert first == again
    assert first[0] != other[0]
    boundary = first[0].partition("boundary=")[2].encode()
    assert first[1].count(b"--" + boundary) == 7
    # Who puts the boundary of one form into another only gets a third one.
    content_type, data = write_form(BODY | {"model": boundary.decode()})
    assert content_type != first[0]
    assert data.count(content_type.partition("boundary=")[2].encode()) == 7
