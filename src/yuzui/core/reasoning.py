"""How a thought travels through a client that speaks another dialect than the vendor that had it, and comes back whole.

Vendors sign or encrypt what their models thought, and want it back unchanged in the next turn. A client's dialect has a
field for something of that kind (a signature, encrypted content), but not for all of it: there the thought goes sealed,
with the name of the provider that it came from. Sealed is not secret and not authentic: the vendor itself checks what
is its own, and a thought that a client made up is only text.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from yuzui.core.chat import ReasoningPart

PREFIX = "yz1."
MAX_SEALED_CHARS = 4 * 1024 * 1024


class _Sealed(msgspec.Struct, array_like=True, frozen=True):
    origin: str
    id: str = ""
    signature: str = ""
    redacted: str = ""
    is_summary: bool = False
    text: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Sealed).decode


def seal(part: ReasoningPart, origin: str = "", *, with_text: bool = False) -> str:
    """Everything of `part` but its text, as one ASCII string. `origin`: the provider, where `part` does not say.

    `with_text`: for clients that return the seal but not always what stood beside it.
    """
    sealed = [part.origin or origin, part.id, part.signature, part.redacted, part.is_summary]
    if with_text and part.text:
        sealed.append(part.text)
    return PREFIX + urlsafe_b64encode(_encode(sealed)).rstrip(b"=").decode()


def unseal(sealed: str, text: str = "") -> ReasoningPart | None:
    """The thought, with its text as the client sent it back; None for what is no seal of ours (a vendor's own)."""
    if not sealed.startswith(PREFIX) or len(sealed) > MAX_SEALED_CHARS:
        return None
    data = sealed[len(PREFIX) :]
    try:
        found = _decode(urlsafe_b64decode(data + "=" * (-len(data) % 4)))
    except (ValueError, msgspec.DecodeError):
        return None
    return ReasoningPart(
        text=text or found.text,
        signature=found.signature,
        redacted=found.redacted,
        id=found.id,
        is_summary=found.is_summary,
        origin=found.origin,
    )


def may_return(part: ReasoningPart, provider: str, relatives: frozenset[str] = frozenset()) -> bool:
    """Whether `part` may be sent to `provider`: it came from there (or from a relative that shares its signatures), or
    nobody knows where it came from."""
    return part.origin in ("", provider) or part.origin in relatives
