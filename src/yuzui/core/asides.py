"""The operations of requests that the gateway makes for itself: no client asked for them."""

from __future__ import annotations

from typing import Final, Literal, get_args

OwnOperation = Literal["judge", "audit", "audit_judge", "shadow"]
"""A label is asked for; an answer is audited: the reference is asked the same, then both answers are compared; a copy
is sent to a target that is to be known before it gets traffic."""
OWN_OPERATIONS: Final[frozenset[str]] = frozenset(get_args(OwnOperation))
