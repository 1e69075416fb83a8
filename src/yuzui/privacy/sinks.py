"""Where an original may go in an answer: to the reader, yes; into what is fetched from a host that nobody listed, no.

An address in an answer may be fetched without anybody's doing (a picture in a chat window), and whoever wrote the
document that the model read may have made the model write it: what stands in it reaches that host.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

REACH: Final = 4096
"""Characters in front of a stand-in that are looked at; an address that is longer counts as one."""

_ENDS_OF_ADDRESSES: Final = re.compile("[\\s<>\"'`\u3000-\u303f\uff00-\uff0f\uff1a-\uff1f]")
_HOST: Final = re.compile(r"//([^/?#\s<>\"'`]*)([/?#]?)")
_WWW: Final = re.compile(r"(?:^|[^\w.])(www\.[^/?#\s<>\"'`]*)([/?#]?)", re.IGNORECASE)
_HARMLESS_LINKS: Final = ("mailto:", "tel:", "sms:", "#")
_ADDRESS: Final = re.compile(r"//[^/?#\s<>\"'`)\]]+|www\.[^/?#\s<>\"'`)\]]+", re.IGNORECASE)
_PLACE_KEYS: Final = frozenset(
    ("host", "hostname", "domain", "server", "endpoint", "url", "uri", "base_url", "webhook")
)
_HOST_NAME: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?(/.*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinks:
    """`hosts`: names, each with all that are below it, that may be told originals. `withheld_tools`: names of tools
    whose calls never hold any. `everywhere`: no place is withheld (what the request itself says is put together)."""

    hosts: frozenset[str] = frozenset()
    withheld_tools: frozenset[str] = frozenset()
    everywhere: bool = False

    def knows(self, host: str) -> bool:
        name = host.rpartition("@")[2].partition(":")[0].rstrip(".").casefold()
        return bool(name) and any(name == known or name.endswith("." + known) for known in self.hosts)

    def withholds(self, before: str) -> bool:
        """Whether what follows `before` stands in an address of a host that is not listed, or in a picture."""
        if self.everywhere:
            return False
        before = before[-REACH:].replace("\\", "/")  # readers of addresses take both, and JSON escapes the one
        run = _last_run(before)
        if len(run) == REACH:
            return True
        if "//" in run:
            return not self._is_listed(_HOST, run)
        if _WWW.search(run):
            return not self._is_listed(_WWW, run)
        return self._is_in_link(before)

    def _is_listed(self, pattern: re.Pattern[str], run: str) -> bool:
        hosts = pattern.findall(run)
        # Without its end the host is not known yet: the stand-in would be a part of it.
        return bool(hosts) and all(bool(end) and self.knows(host) for host, end in hosts)

    def _is_in_link(self, before: str) -> bool:
        line = before[before.rfind("\n") + 1 :]
        picture = line.rfind("![")
        if picture >= 0 and "]" not in line[picture:]:
            return True
        opening = line.rfind("](")
        if opening < 0 or ")" in line[opening:]:
            return False
        place = line[opening + 2 :].lstrip(" <").casefold()
        return not place.startswith(_HARMLESS_LINKS)  # a path alone leads to whoever shows the answer

    def may_call(self, name: str, arguments: Any) -> bool:  # Any: JSON values, or a text that is none
        """Whether a call of the tool `name` is aimed at nobody but listed hosts."""
        if self.everywhere:
            return True
        return name not in self.withheld_tools and all(self.knows(host) for host in _aims(arguments, ""))


def _last_run(text: str) -> str:
    """What stands behind the last end of an address."""
    at = len(text)
    while at and not _ENDS_OF_ADDRESSES.match(text, at - 1):
        at -= 1
    return text[at:]


def _aims(value: Any, key: str) -> Iterator[str]:  # Any: JSON values
    """Hosts that a call is aimed at: arguments that are an address, or one line (a command, a query) that holds one.
    A text of several lines is content: its addresses are looked at one by one."""
    if isinstance(value, str):
        text = value.strip().replace("\\", "/")
        if "\n" not in text:
            yield from [_host_of(address) for address in _ADDRESS.findall(text)]
            if key in _PLACE_KEYS and "//" not in text and _HOST_NAME.fullmatch(text):
                yield text.partition("/")[0]
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _aims(item, name.casefold())
    elif isinstance(value, list):
        for item in value:
            yield from _aims(item, key)


def _host_of(address: str) -> str:
    return address.removeprefix("//")


def listed(hosts: Collection[str]) -> frozenset[str]:
    """Names as they are compared."""
    return frozenset([host.strip().rstrip(".").casefold() for host in hosts])
