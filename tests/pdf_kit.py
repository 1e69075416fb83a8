"""Small PDFs, written object by object, for tests of what is read in them.

Source: https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/PDF32000_2008.pdf
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

PIXEL = b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"


def text(words: str, *, x: int = 72, y: int = 700) -> str:
    """A content stream that shows `words` in Helvetica."""
    return f"BT /F1 12 Tf {x} {y} Td ({words}) Tj ET"


def pdf(
    pages: Sequence[str],
    *,
    catalog: str = "",
    page: str = "",
    resources: str = "",
    font: str = "/Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding",
    objects: Mapping[int, bytes] | None = None,
    info: str = "",
) -> bytes:
    """A file with a page per content stream. Objects from 100 on are free for `objects`."""
    bodies: dict[int, bytes] = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        3: f"<< /Type /Font {font} >>".encode(),
        4: f"<< {info} >>".encode(),
    }
    kids = []
    for number, content in enumerate(pages):
        at = 10 + 2 * number
        kids.append(f"{at} 0 R")
        bodies[at] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {at + 1} 0 R {page} "
            f"/Resources << /Font << /F1 3 0 R >> {resources} >> >>"
        ).encode()
        bodies[at + 1] = stream(content.encode("latin-1"))
    bodies[2] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    bodies |= objects or {}
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, body in sorted(bodies.items()):
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {max(places) + 1}\n".encode()
    for number in range(max(places) + 1):
        out += f"{places[number]:010d} 00000 n \n".encode() if number in places else b"0000000000 65535 f \n"
    out += f"trailer\n<< /Size {max(places) + 1} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def stream(data: bytes, entries: bytes = b"", *, is_packed: bool = False) -> bytes:
    if is_packed:
        data, entries = zlib.compress(data, 9), entries + b" /Filter /FlateDecode"
    return b"<< /Length %d %s >>\nstream\n" % (len(data), entries) + data + b"\nendstream"
