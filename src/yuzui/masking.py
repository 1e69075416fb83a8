"""Whether a request can be masked, how it looks then, and the way of its answer back: what the pipeline calls.

Masked is always the request as the client sent it, for each target that needs it. An answer to a masked request is read
and written through the hub, also where both ends speak one dialect, for what upstream sent holds the stand-ins.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.config import Config
from yuzui.core import strict_json
from yuzui.core.answers import Answer
from yuzui.core.booking import KeptAnswer
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest, ChatResponse, Feature, Operation, StreamChunk
from yuzui.core.errors import MaskingIncomplete
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.masking_choice import NotMasked, still
from yuzui.ports import Archive
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.egress import EgressRefused, MaskedProof, check_masked
from yuzui.privacy.label import label
from yuzui.privacy.mask import Masked, Masking, Unmaskable, mask
from yuzui.privacy.restore import Originals, Tally
from yuzui.privacy.restore_answer import AnswerRestorer
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.privacy.surrogates import LOOKALIKE, Namer, Surrogates
from yuzui.privacy.vault import ENTRY_PREFIX, NONCE_BYTES, Entry, Vault, VaultLocked, entries_of, entry_id
from yuzui.providers._contract import Codec, Decoder, WireRequest, WrappedCodec, WrappedDecoder

log = logging.getLogger("yuzui")

OPERATIONS: Final[frozenset[Operation]] = frozenset(("chat", "completions", "count_tokens"))
"""Others answer with vectors, sound or pictures of the stand-ins: their requests stay as they are."""
LANE_ONLY: Final[frozenset[Feature]] = frozenset(("logprobs", "server_tools"))
"""What the hub cannot write an answer to."""
INLINE_BYTES: Final = 64 * 1024  # larger bodies are masked and searched in a thread
_MOST_KNOWN: Final = 64  # stand-ins of earlier answers that are looked up; others count as typed


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedRequest:
    """A request as targets may see it that may not see it as it is."""

    request: ChatRequest
    level: int
    """The label of what is left."""
    counts: Mapping[str, int]
    size_bytes: int
    config: Config
    scanner: Scanner
    surrogates: Surrogates
    originals: Originals
    tally: Tally = field(default_factory=Tally)
    """Of the answer that is being restored."""

    async def check(self, wire: WireRequest, target: Target) -> MaskedProof:
        """Search the bytes that are about to go to `target`; raise `MaskingIncomplete`."""

        def work() -> MaskedProof:
            sent = strict_json.read_object(wire.body)
            return check_masked(
                sent, wire.body, target, self.level, self.surrogates, self.scanner, self.config.sensitivity
            )

        try:
            return work() if len(wire.body) <= INLINE_BYTES else await asyncio.to_thread(work)
        except Exception as error:  # whatever breaks, nothing leaves; words of ours hold no content, others' may
            reason = str(error) if isinstance(error, EgressRefused) else type(error).__name__
            log.warning("masking_incomplete", extra={"fields": {"target": target.name, "reason": reason}})
            raise MaskingIncomplete(
                f"the masked request still holds what target {target.name!r} may not see, so it was not sent; take the "
                "sensitive values out, or name a model that may see them"
            ) from error

    def codec(self, codec: Codec) -> RestoringCodec:
        return RestoringCodec(codec, self)

    def restorer(self) -> AnswerRestorer:
        self.tally.restored = self.tally.withheld = self.tally.foreign = 0
        return AnswerRestorer(
            self.originals, self.config.masking.sinks, is_json=wants_json(self.request), tally=self.tally
        )


class Masker:
    """What masking shares between requests. `secret`: at least 16 bytes; its loss loses the originals in the vault."""

    def __init__(self, memory: ConversationMemory, vault: Archive, secret: bytes, bits64: Callable[[], int]) -> None:
        self._memory = memory
        self._vault = vault
        self._secret = secret
        self._bits64 = bits64

    async def mask(
        self,
        request: ChatRequest,
        scan: ScanResult,
        caller: Caller,
        sensitivity: Sensitivity,
        earlier_level: int | None,
        conversation_id: str,
        config: Config,
        scanner: Scanner,
        chosen: Masking | NotMasked,
    ) -> MaskedRequest | NotMasked:
        """`request` masked, if that makes it less than its `sensitivity`; else why it cannot be, or is not worth it.

        `earlier_level`: of the kept answer or conversation that it continues, if it does. `chosen`: what may be masked.
        """
        if sensitivity.level <= config.sensitivity.default:
            return NotMasked("")
        if isinstance(chosen, NotMasked):
            return chosen
        kinds = chosen.kinds
        if request.operation not in OPERATIONS:
            return NotMasked(f"{request.operation} cannot be masked")
        if unmasked := sorted(request.features & LANE_ONLY):
            return NotMasked(f"a request for {', '.join(unmasked)} cannot be masked")
        if earlier_level is not None:
            kept_level = self._memory.recall_kept(caller.scope, request.follows or request.joins)
            earlier_level = earlier_level if kept_level is None else kept_level
        remembered = self._memory.recall(caller.scope, request.body, conversation_id, is_masked=True)
        levels = [one for one in (remembered, earlier_level) if one is not None]
        left = replace(scan, findings=tuple([finding for finding in scan.findings if finding.kind not in kinds]))
        floor = caller.constraints.floor
        less = label(config.sensitivity, floor=floor, scan=left, remembered=max(levels, default=None))
        # What a judge says is about the meaning, which stand-ins do not change.
        causes = (*less.causes, *[cause for cause in sensitivity.causes if cause.source == "judge"])
        rest = max([less.level, *(cause.level for cause in causes)])
        if rest >= sensitivity.level:
            return still(config.sensitivity.lattice.names[rest], causes, rest)
        try:
            masked = await self._masked(request, scan, caller.scope, conversation_id, chosen)
        except Unmaskable as error:
            log.info("not_masked", extra={"fields": {"reason": str(error)}})
            return NotMasked(str(error))
        except Exception as error:  # a fault in masking must not take the request with it, nor let it pass
            log.error("masking_failed", extra={"fields": {"reason": type(error).__name__}})
            return NotMasked("masking failed; see the log")
        return MaskedRequest(
            request=msgspec.structs.replace(request, body=masked.body),
            level=rest,
            counts=masked.counts,
            size_bytes=len(strict_json.write(masked.body)),
            config=config,
            scanner=scanner,
            surrogates=masked.surrogates,
            originals=Originals(masked.surrogates.originals),
        )

    async def _masked(
        self, request: ChatRequest, scan: ScanResult, scope: str, conversation_id: str, masking: Masking
    ) -> Masked:
        said = strict_json.write(request.body)
        known = await self._known(said.decode("utf-8", "replace"), scope)
        namer = Namer(self._secret, tenant=scope, scope=conversation_id)

        def work() -> Masked:
            return mask(request.body, scan.findings, scan.repeats, masking=masking, namer=namer, known=known)

        return work() if len(said) <= INLINE_BYTES else await asyncio.to_thread(work)

    async def _known(self, said: str, scope: str) -> tuple[Entry, ...]:
        """Stand-ins in a text that earlier requests of this scope issued: the client saw them where they stayed."""
        found: dict[str, Entry] = {}
        for token in list(dict.fromkeys(LOOKALIKE.findall(said)))[:_MOST_KNOWN]:
            row = None if token in found else await self._vault.find(vault_scope(scope), token)
            if row is None:
                continue
            try:
                found |= {entry.token: entry for entry in Vault(self._secret, tenant=scope).open(row.content)}
            except VaultLocked:
                log.warning("vault_locked", extra={"fields": {"entry": row.id}})
        return tuple(found.values())

    def keep(
        self, masked: MaskedRequest | None, caller: Caller | None, request_id: str, at_ns: int
    ) -> tuple[KeptAnswer, ...]:
        """What the books keep of a mapping, sealed, and that it is this request's; nothing where there is none."""
        if masked is None or caller is None or not masked.surrogates.originals:
            return ()
        tokens = masked.surrogates.originals
        nonce = b"".join([self._bits64().to_bytes(8, "big") for _ in range(2)])[:NONCE_BYTES]
        sealed = Vault(self._secret, tenant=caller.scope).seal(entries_of(tokens, masked.surrogates.kinds), nonce)
        kept = self._vault.wrap(
            scope=vault_scope(caller.scope),
            id=entry_id(tokens),
            level="",
            content=sealed,
            at_ns=at_ns,
            names=tuple([token for token in tokens if LOOKALIKE.fullmatch(token)]),
        )
        link = self._vault.wrap(
            scope=vault_scope(caller.scope), id=request_id, level="", content=entry_id(tokens).encode(), at_ns=at_ns
        )
        return tuple([one for one in (kept, link) if one is not None])


def vault_scope(scope: str) -> str:
    """Apart from kept answers, whose names clients choose."""
    return f"vault:{scope}"


def is_mapping(row_id: str) -> bool:
    """Whether a row of the vault holds stand-ins; the others say which mapping a request has."""
    return row_id.startswith(ENTRY_PREFIX)


def wants_json(request: ChatRequest) -> bool:
    if request.operation == "count_tokens":
        return False
    wanted = request.meaning.response_format
    return wanted is not None and wanted.kind != "text"


class RestoringCodec(WrappedCodec):
    """A codec that says the masked request, and hands on answers with the originals in them."""

    def __init__(self, codec: Codec, masked: MaskedRequest) -> None:
        super().__init__(codec, "")  # so no lane: what the target sends never goes on as it is
        self._masked = masked

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        """The masked request, whatever is given."""
        return self._codec.write_request(self._masked.request, target, output_cap=output_cap)

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Answer:
        answer = self._codec.read_response(body, off_the_lane(wire))
        return self._masked.restorer().rewrite(answer) if isinstance(answer, ChatResponse) else answer

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return RestoringDecoder(self._codec.decoder(off_the_lane(wire)), self._masked.restorer())


def off_the_lane(wire: WireRequest | None) -> WireRequest | None:
    return None if wire is None else replace(wire, is_lane=False)


class RestoringDecoder(WrappedDecoder):
    """What waited for the end of the stream comes with its last chunk."""

    def __init__(self, decoder: Decoder, restorer: AnswerRestorer) -> None:
        super().__init__(decoder)
        self._restorer = restorer

    @override
    def feed(self, data: bytes) -> list[StreamChunk]:
        chunks = [told for chunk in self._decoder.feed(data) for told in self._restorer.feed(chunk)]
        if self._decoder.is_complete:
            chunks += self._restorer.close()
        return chunks
