"""Names of tool calls that every Messages client and server accepts, and that turn back into the vendor's own.

Vendors name calls as they like (`functions.get_weather:0`), some want the name back exactly, and the Messages API takes
only `[a-zA-Z0-9_-]`. A name outside of that travels encoded in that alphabet, so nothing has to be remembered.

Source: https://platform.claude.com/docs/en/api/messages, `tool_use_id` (2026-11-26).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

PREFIX: Final = "toolu_yz1_"

_ALLOWED: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def to_client(call_id: str) -> str:
    """A name in the API's alphabet from which `to_upstream` makes `call_id` again."""
    if _ALLOWED.fullmatch(call_id) and not call_id.startswith(PREFIX):
        return call_id
    return PREFIX + urlsafe_b64encode(call_id.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


def to_upstream(client_id: str) -> str:
    """The vendor's own name; a name that `to_client` did not make is one already."""
    if not client_id.startswith(PREFIX):
        return client_id
    data = client_id[len(PREFIX) :]
    try:
        name = urlsafe_b64decode(data + "=" * (-len(data) % 4)).decode("utf-8", "surrogatepass")
    except ValueError:
        return client_id
    return name if to_client(name) == client_id else client_id  # a client's own name may begin like ours
