"""What counts as all that a PDF says, and what does not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pdf_kit import PIXEL, pdf, stream, text
from yuzui.core.documents import DocumentText
from yuzui.io import document_pdf
from yuzui.io.document_pdf import read_pdf
from yuzui.io.document_protocol import ReadOrder

MAIL = "mail bob@example.com"


def read(data: bytes, recognise: Any = None, **bounds: int) -> DocumentText:  # Any: as `read_pdf`
    known = {"max_pages": 20, "max_pixels": 1_000_000, "max_chars": 100_000} | bounds
    return read_pdf(ReadOrder(kind="pdf", data=data, **known), recognise)


def test_all_pages_of_text_are_read_with_title_and_bookmarks() -> None:
    outline = {
        100: b"<< /Type /Outlines /First 101 0 R /Last 101 0 R /Count 1 >>",
        101: b"<< /Title (Part of eve@example.com) /Parent 100 0 R >>",
    }
    read_text = read(
        pdf(
            [text(MAIL), text("second page")],
            catalog="/Outlines 100 0 R",
            objects=outline,
            info="/Title (For ann@example.com)",
        )
    )
    assert (read_text.is_complete, read_text.by_ocr, read_text.reason) == (True, False, "")
    assert [read_text.text[at:].split("\n")[0] for at in read_text.pages] == [MAIL, "second page"]
    for words in (MAIL, "second page", "eve@example.com", "ann@example.com"):
        assert words in read_text.text


def test_lines_and_boxes_of_a_table_are_no_picture() -> None:
    table = "0 0 1 rg 50 50 200 20 re f 50 50 m 250 50 l S 50 50 m 50 90 l S"
    assert read(pdf([f"{table} {text(MAIL)}"])).is_complete


def test_a_form_object_is_looked_into() -> None:
    form = {
        100: stream(
            text("inside").encode(),
            b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>",
        )
    }
    found = read(pdf(["/X Do"], resources="/XObject << /X 100 0 R >>", objects=form))
    assert found.is_complete and "inside" in found.text


def test_a_link_is_read() -> None:
    link = {100: b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (mailto:carl@example.com) >> >>"}
    found = read(pdf([text(MAIL)], page="/Annots [100 0 R]", objects=link))
    assert found.is_complete and "carl@example.com" in found.text


IMAGE = {100: stream(b"\0", PIXEL)}
NOTE = {100: b"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (a note) >>"}
FIELD = {
    100: b"<< /Fields [101 0 R] >>",
    101: b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (secret) /Rect [0 0 9 9] >>",
}
FILE = {
    100: b"<< /Names [(a.txt) 101 0 R] >>",
    101: b"<< /Type /Filespec /F (a.txt) /UF (a.txt) /EF << /F 102 0 R >> >>",
    102: stream(b"hidden", b"/Type /EmbeddedFile"),
}
SCRIPT = {100: b"<< /Names [(a) 101 0 R] >>", 101: b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"}
PATTERN = {
    100: stream(
        text("x").encode(),
        b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << /Font << /F1 3 0 R >> >>",
    )
}


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (pdf([f"q 100 0 0 100 0 0 cm /I Do Q {text(MAIL)}"], resources="/XObject << /I 100 0 R >>", objects=IMAGE), "picture"),
        (pdf([f"q 9 0 0 9 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \0 EI Q {text(MAIL)}"]), "picture"),
        (pdf([f"0 0 m 10 50 60 70 90 90 c S {text(MAIL)}"]), "drawing"),
        (pdf([f"0 0 m 90 91 l S {text(MAIL)}"]), "drawing"),
        (pdf([f"/Pattern cs /P scn 0 0 90 90 re f {text(MAIL)}"], resources="/Pattern << /P 100 0 R >>", objects=PATTERN), "drawing"),
        (pdf([text(MAIL)], page="/Annots [100 0 R]", objects=NOTE), "annotation"),
        (pdf([text(MAIL)], catalog="/AcroForm 100 0 R", page="/Annots [101 0 R]", objects=FIELD), "form"),
        (pdf([text(MAIL)], catalog="/Names << /EmbeddedFiles 100 0 R >>", objects=FILE), "attachment"),
        (pdf([text(MAIL)], catalog="/Names << /JavaScript 100 0 R >>", objects=SCRIPT), "script"),
        (pdf([text(MAIL)], objects=IMAGE), "picture"),
        (pdf([text(MAIL)], objects={100: stream(b"\0", PIXEL.replace(b"/Image", b"/#49ma#67e"))}), "picture"),
        (pdf([f"/Span << /ActualText (nothing) >> BDC {text(MAIL)} EMC"]), "unmapped"),
        (pdf([f"BT /F1 0 Tf 72 700 Td ({MAIL}) Tj ET"]), "unmapped"),
        (pdf([f"BT /F1 12 Tf 1 0 1 0 72 700 Tm ({MAIL}) Tj ET"]), "unmapped"),
        (pdf([text(MAIL)]) + pdf([text("later")]), "revisions"),
        (pdf([text(MAIL)]) + b"PK\x03\x04 something else", "revisions"),
    ],
)  # fmt: skip
def test_what_may_hold_more_than_its_text_is_not_complete(made: bytes, reason: str) -> None:
    found = read(made)
    assert (found.is_complete, found.reason) == (False, reason)


def test_text_that_is_not_seen_is_read_all_the_same() -> None:
    layer = {100: b"<< /Type /OCG /Name (hidden) >>"}
    off = "/OCProperties << /OCGs [100 0 R] /D << /OFF [100 0 R] /Order [] >> >>"
    for made in (
        pdf([text(MAIL, x=5000, y=-700)]),
        pdf([text(MAIL).replace("BT", "BT 3 Tr")]),
        pdf([f"0 0 1 1 re W n {text(MAIL)}"]),
        pdf([f"/OC /L BDC {text(MAIL)} EMC"], resources="/Properties << /L 100 0 R >>", catalog=off, objects=layer),
    ):
        assert MAIL in read(made).text


def test_names_of_old_programs_that_only_sound_like_pictures_are_none() -> None:
    assert read(pdf([text(MAIL)], resources="/ProcSet [/PDF /Text /ImageB /ImageC /ImageI]")).is_complete


def test_glyphs_without_characters_are_not_read() -> None:
    font = "/Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [100 0 R]"
    nobody_knows = {
        100: b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
             b"/Supplement 0 >> /FontDescriptor 101 0 R >>",
        101: b"<< /Type /FontDescriptor /FontName /X /Flags 4 /FontBBox [0 0 9 9] /ItalicAngle 0 /Ascent 9 /Descent 0 "
             b"/CapHeight 9 /StemV 9 >>",
    }  # fmt: skip
    found = read(pdf(["BT /F1 12 Tf 72 700 Td <012301240125> Tj ET"], font=font, objects=nobody_knows))
    assert (found.is_complete, found.reason) == (False, "unmapped")


@pytest.mark.parametrize("data", [b"%PDF-", b"%PDF-1.7\nnothing", pdf([text("x")])[:200]])
def test_a_broken_file_is_not_read(data: bytes) -> None:
    assert read(data) == DocumentText(reason="damaged")


def test_bounds_end_the_reading_and_are_told() -> None:
    many = pdf([text(f"page {number}") for number in range(30)])
    found = read(many, max_pages=3)
    assert (found.is_complete, found.reason) == (False, "pages")
    assert "page 2" in found.text and "page 3" not in found.text
    assert read(many, max_pages=30, max_chars=20).reason == "length"


def test_a_stream_that_unpacks_to_far_more_than_it_is_ends_by_a_bound() -> None:
    bomb = pdf(["x"], objects={11: stream(b"BT /F1 1 Tf (a) Tj ET\n" * 400_000, is_packed=True)})
    assert len(bomb) < 100_000
    began = time.monotonic()
    found = read(bomb)
    assert (found.is_complete, found.reason) == (False, "objects")
    assert time.monotonic() - began < 60


def test_a_page_that_is_more_than_text_is_recognised_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = pdf([f"q 100 0 0 100 0 0 cm /I Do Q {text(MAIL)}"], resources="/XObject << /I 100 0 R >>", objects=IMAGE)
    seen = []

    def recognise(image: Any, max_chars: int) -> DocumentText:  # Any: a picture
        seen.append(image)
        return DocumentText(text="seen", is_complete=True, by_ocr=True)

    monkeypatch.setattr(document_pdf, "_draw", lambda page: "the page")
    found = read(picture, recognise)
    assert (found.is_complete, found.by_ocr) == (True, True)
    assert MAIL in found.text and "seen" in found.text
    assert seen == ["the page"]
    unsure = read(picture, lambda image, most: DocumentText(text="se", by_ocr=True, reason="unsure"))
    assert (unsure.is_complete, unsure.reason) == (False, "unsure")
    noted = pdf([text(MAIL)], page="/Annots [100 0 R]", objects=NOTE)
    assert read(noted, recognise).reason == "annotation", "a closed note is not drawn"
