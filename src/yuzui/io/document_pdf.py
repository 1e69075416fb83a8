"""What a PDF says, and whether that is all that is in it. Runs in the process for documents, nowhere else.

A page counts as text only if everything on it is text, horizontal and vertical lines, and rectangles. Anything else may
be a picture of a text: pictures, shadings, curves, patterns. The API is PDFium's: https://pdfium.googlesource.com/pdfium/
"""

from __future__ import annotations

import ctypes
import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, Final

from yuzui.core.documents import DocumentText
from yuzui.io.document_protocol import ReadOrder

MOST_OBJECTS: Final = 50_000  # of a page
_MOST_DEPTH: Final = 15
_MOST_SEGMENTS: Final = 16  # of a path: a rectangle has five
_MOST_PATHS: Final = 5_000
_LONG_SIDE_PIXELS: Final = 2_000  # of a page that is drawn to recognise its text
_STRAIGHT: Final = 0.01  # points
_XMP: Final = re.compile(rb"<\?xpacket begin.*?<\?xpacket end", re.DOTALL)
_PICTURES: Final = re.compile(
    rb"/(?:I|#49)(?:m|#6[dD])(?:a|#61)(?:g|#67)(?:e|#65)(?![A-Za-z0-9#])|/EmbeddedFile|/PatternType\s*1"
)
"""Streams cannot be packed into others, so what they are stands in the file as it is, also where no page uses them or a
damaged file hides them from one parser and not from another."""
_BULLETS: Final = frozenset("\uf020\uf06e\uf076\uf0a7\uf0a8\uf0b7\uf0d8\uf0e0\uf0fc")  # of Symbol and Wingdings
_SHOWN_BY_DRAWING: Final = frozenset(("picture", "drawing", "unmapped", "objects"))
_HYPHENS: Final = str.maketrans({"\ufffe": "-", "\x02": "-"})  # PDFium's own marks for a hyphen at a line's end

Recognise = Callable[[Any, int], DocumentText]  # Any: a PIL image


def read_pdf(order: ReadOrder, recognise: Recognise | None) -> DocumentText:
    """Text of all pages, of its metadata, bookmarks and links; `recognise` reads pages that are not only text."""
    pdfium: Any = importlib.import_module("pypdfium2")  # Any: an optional package
    reasons: list[str] = []
    try:
        pdf = pdfium.PdfDocument(order.data)
    except pdfium.PdfiumError as error:
        return DocumentText(reason="encrypted" if "password" in str(error).lower() else "damaged")
    with pdf:
        reasons += _beside_pages(pdf, order.data)
        pieces = [*_around_pages(pdf, order.data)]
        if len(pdf) > order.max_pages:
            reasons.append("pages")
        by_ocr = False
        pages: list[int] = []
        for number in range(min(len(pdf), order.max_pages)):
            with closing(pdf[number]) as page:
                said, problem = _read_page(page)
                pages.append(len(pieces))
                pieces.append(said)
                if problem in _SHOWN_BY_DRAWING and recognise is not None:
                    drawn = recognise(_draw(page), order.max_chars)
                    pieces.append(drawn.text)
                    by_ocr = True
                    problem = drawn.reason
            if problem:
                reasons.append(problem)
            if sum(map(len, pieces)) > order.max_chars:
                reasons.append("length")
                break
    if not by_ocr and _PICTURES.search(order.data):
        reasons.append("picture")
    text, starts = _joined(pieces)
    return DocumentText(
        text=text[: order.max_chars], is_complete=not reasons, pages=tuple([starts[number] for number in pages]),
        by_ocr=by_ocr, reason=reasons[0] if reasons else "",
    )  # fmt: skip  # what a text has


def _joined(pieces: Sequence[str]) -> tuple[str, list[int]]:
    """One text, a piece that says something per line, and where each piece begins in it."""
    starts: list[int] = []
    size = 0
    for piece in pieces:
        starts.append(size)
        size += len(piece) + 1 if piece else 0
    return "\n".join(piece for piece in pieces if piece), starts


def _beside_pages(pdf: Any, data: bytes) -> Iterator[str]:  # Any: a PdfDocument
    """What a PDF can hold besides its pages, and this one does."""
    c = _raw()
    if pdf.get_formtype() != c.FORMTYPE_NONE:
        yield "form"
    if pdf.count_attachments() > 0:
        yield "attachment"
    if c.FPDFDoc_GetJavaScriptActionCount(pdf.raw) > 0:
        yield "script"
    if data.count(b"startxref") != 1 or data.count(b"%%EOF") != 1 or data.rpartition(b"%%EOF")[2].strip():
        yield "revisions"  # earlier versions are still inside, or something else is behind the end


def _around_pages(pdf: Any, data: bytes) -> Iterator[str]:  # Any: as above
    yield "\n".join(value for value in pdf.get_metadata_dict().values() if value)
    for packet in _XMP.findall(data):
        yield packet.decode("utf-8", "replace")
    yield "\n".join(bookmark.get_title() for bookmark in pdf.get_toc())


def _read_page(page: Any) -> tuple[str, str]:  # Any: a PdfPage
    """Its text, and why that may not be all; "" when it is."""
    said, is_mapped = _characters(page)
    links, are_links = _links(page)
    problem = _drawn(page)
    if not problem and not is_mapped:
        problem = "unmapped"  # glyphs whose characters nobody knows
    if not problem and not are_links:
        problem = "annotation"
    return "\n".join((said, *links)), problem


def _characters(page: Any) -> tuple[str, bool]:  # Any: as above
    c = _raw()
    with closing(page.get_textpage()) as text_page:
        count = text_page.count_chars()
        codes = [c.FPDFText_GetUnicode(text_page.raw, index) for index in range(count)]
        is_mapped = not any(c.FPDFText_HasUnicodeMapError(text_page.raw, index) for index in range(count))
    text = "".join([chr(code) if code < 0x110000 else "\ufffd" for code in codes]).translate(_HYPHENS)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # halves of pairs are one character
    return text, is_mapped and not any(_is_no_character(char) for char in set(text))


def _is_no_character(char: str) -> bool:
    return char in "\0\ufffd\uffff" or ("\ue000" <= char <= "\uf8ff" and char not in _BULLETS)


def _links(page: Any) -> tuple[list[str], bool]:  # Any: as above
    """Addresses of its links; False when it has annotations that are none."""
    c = _raw()
    found: list[str] = []
    for index in range(c.FPDFPage_GetAnnotCount(page.raw)):
        annotation = c.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            return found, False
        try:
            if c.FPDFAnnot_GetSubtype(annotation) != c.FPDF_ANNOT_LINK or c.FPDFAnnot_HasKey(annotation, b"Contents"):
                return found, False
            action = c.FPDFLink_GetAction(c.FPDFAnnot_GetLink(annotation))
            if action and c.FPDFAction_GetType(action) == c.PDFACTION_URI:
                size = c.FPDFAction_GetURIPath(page.pdf.raw, action, None, 0)
                buffer = ctypes.create_string_buffer(size)
                c.FPDFAction_GetURIPath(page.pdf.raw, action, buffer, size)
                found.append(buffer.raw.rstrip(b"\0").decode("utf-8", "replace"))
        finally:
            c.FPDFPage_CloseAnnot(annotation)
    return found, True


def _drawn(page: Any) -> str:  # Any: as above
    """What on the page is neither text nor a plain line; "" for nothing."""
    c = _raw()
    paths = 0
    for number, one in enumerate(page.get_objects(max_depth=_MOST_DEPTH)):
        if number >= MOST_OBJECTS:
            return "objects"
        if one.type == c.FPDF_PAGEOBJ_TEXT:
            if not _is_plain(page, one.raw):
                return "drawing"
            if _is_replaced(one.raw) or not _has_size(one):
                return "unmapped"
        elif one.type == c.FPDF_PAGEOBJ_PATH:
            paths += 1
            if paths > _MOST_PATHS or not _is_straight(one.raw) or not _is_plain(page, one.raw):
                return "drawing"
        elif one.type == c.FPDF_PAGEOBJ_FORM:
            if not _is_plain(page, one.raw):
                return "drawing"
            if one.level >= _MOST_DEPTH - 1:
                return "objects"  # what is nested deeper was not listed
        else:
            return "picture" if one.type == c.FPDF_PAGEOBJ_IMAGE else "drawing"
    return ""


def _is_plain(page: Any, raw: Any) -> bool:  # Any: a page, a pointer
    """No pattern as its colour, no mask: either can be a picture or a text of its own."""
    c = _raw()
    if c.FPDFPageObj_HasTransparency(raw):
        return False
    for rendered in (c.FPDFPageObj_GetRenderedFillPattern, c.FPDFPageObj_GetRenderedStrokePattern):
        if bitmap := rendered(page.pdf.raw, raw):
            c.FPDFBitmap_Destroy(bitmap)
            return False
    return True


def _is_replaced(raw: Any) -> bool:  # Any: as above
    """Whether the file says that these glyphs read differently: then that is what PDFium gives, not what is shown."""
    c = _raw()
    for number in range(c.FPDFPageObj_CountMarks(raw)):
        mark = c.FPDFPageObj_GetMark(raw, number)
        if c.FPDFPageObjMark_GetParamValueType(mark, b"ActualText") != c.FPDF_OBJECT_UNKNOWN:
            return True
    return False


def _has_size(one: Any) -> bool:  # Any: a PdfObject
    """Text without a size is not shown and not given; whoever reads the file in another way has it."""
    size = ctypes.c_float()
    if not _raw().FPDFTextObj_GetFontSize(one.raw, size) or size.value == 0:
        return False
    matrix = one.get_matrix()
    return bool(matrix.a * matrix.d != matrix.b * matrix.c)


def _is_straight(raw: Any) -> bool:  # Any: as above
    c = _raw()
    count = c.FPDFPath_CountSegments(raw)
    if not 0 <= count <= _MOST_SEGMENTS:
        return False
    last: tuple[float, float] | None = None
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(count):
        segment = c.FPDFPath_GetPathSegment(raw, index)
        kind = c.FPDFPathSegment_GetType(segment)
        if kind not in (c.FPDF_SEGMENT_MOVETO, c.FPDF_SEGMENT_LINETO) or not c.FPDFPathSegment_GetPoint(segment, x, y):
            return False
        here = x.value, y.value
        if (
            kind == c.FPDF_SEGMENT_LINETO
            and last is not None
            and min(abs(here[0] - last[0]), abs(here[1] - last[1])) > _STRAIGHT
        ):
            return False
        last = here
    return True


def _draw(page: Any) -> Any:  # Any: a PdfPage; a PIL image
    width, height = page.get_size()
    scale = min(_LONG_SIDE_PIXELS / max(width, height, 1), 3.0)
    return page.render(scale=scale, may_draw_forms=True).to_pil()


def _raw() -> Any:
    return importlib.import_module("pypdfium2.raw")
