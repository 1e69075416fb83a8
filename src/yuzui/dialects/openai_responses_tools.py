"""Under which name each tool of a Responses request is known to targets, and what a call of it is to the client.

Other dialects have no namespaces: there a tool of one is called `namespace__name`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

JOINT: Final = "__"


class Declared(NamedTuple):
    """A tool as its client declared it."""

    name: str
    namespace: str = ""
    is_custom: bool = False


def hub_name(name: str, namespace: str | None) -> str:
    return f"{namespace}{JOINT}{name}" if namespace else name


def declared_tools(body: Mapping[str, Any]) -> dict[str, Declared]:  # Any: checked JSON
    """Those tools of `body`, by the name that targets know, whose calls are not calls of a plain function."""
    found: dict[str, Declared] = {}
    tools = body.get("tools")
    if tools:
        _declare(tools, found)
    items = body.get("input")
    if isinstance(items, list):
        for item in items:
            if item.get("type") == "additional_tools":
                _declare(item["tools"], found)
    return found


def _declare(tools: Iterable[Mapping[str, Any]], found: dict[str, Declared]) -> None:  # Any: checked JSON
    for tool in tools:
        kind = tool.get("type")
        if kind == "custom":
            found[tool["name"]] = Declared(tool["name"], is_custom=True)
        elif kind == "namespace":
            space = tool["name"]
            for inner in tool["tools"]:
                name = inner["name"]
                found[hub_name(name, space)] = Declared(name, space, inner.get("type") == "custom")
