"""What the last turn of a conversation ended with, for clients that send their new turn only.

Kept for an hour, only where a client names its conversation: the end of a text that can be half of a number, a key or
an address, sealed in the books like a kept answer, for the key that sent it alone. Everybody else sends what was said
before, or continues what is kept here, and `privacy/turn_joins.py` sees both halves in one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from yuzui.exchange import Exchange
from yuzui.ports import Archive
from yuzui.privacy.leaves import spell_path
from yuzui.privacy.scan import Scanner, ScanResult, with_more
from yuzui.privacy.turn_joins import Piece, find_across_requests, may_go_on, repeats, tail_of

RETENTION_DAYS: Final = 1 / 24
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(tuple[tuple[str, int, bool], ...])


class Tails:
    """`archive`: one that keeps for `RETENTION_DAYS`."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def join(
        self, scanner: Scanner, exchange: Exchange, body: Mapping[str, Any], scan: ScanResult
    ) -> ScanResult:  # Any: checked JSON
        """`scan` with what began in the request before; `exchange` carries what this one ends with.

        Raise `GatewayFault` when the books cannot be read.
        """
        caller, request = exchange.caller, exchange.request
        if not exchange.conversation_id or caller is None or request is None or request.follows or request.joins:
            return scan
        scope = f"tail:{caller.scope}"
        id = exchange.hash_content(b"tail\0" + exchange.conversation_id.encode("utf-8", "surrogatepass"))
        earlier: tuple[Piece, ...] = ()
        if may_go_on(body):
            found = await self._archive.find(scope, id)
            earlier = _read(found.content) if found is not None else ()
            if repeats(body, earlier):
                earlier = ()
        if earlier:
            scan = with_more(scan, *find_across_requests(earlier, body, scanner.look))
        tail = tail_of(body, earlier)
        if tail and not _is_found(tail[-1], scan):
            kept = self._archive.wrap(scope=scope, id=id, level="", content=_write(tail), at_ns=exchange.at_ns)
            exchange.tail = () if kept is None else (kept,)
        return scan


def _is_found(piece: Piece, scan: ScanResult) -> bool:
    """Whether the half is a finding by itself: then it has its label, and no original is kept for more."""
    path = "" if piece.path is None else spell_path(piece.path)
    start, end = piece.offset + piece.lead, piece.offset + len(piece.text)
    return any(one.path == path and one.start < end and start < one.end for one in scan.findings)


def _write(tail: tuple[Piece, ...]) -> bytes:
    return _encoder.encode([(piece.text, piece.lead, piece.is_edge) for piece in tail])


def _read(content: bytes) -> tuple[Piece, ...]:
    return tuple([Piece(text, lead, None, 0, is_edge) for text, lead, is_edge in _decoder.decode(content)])
