"""Thoughts that a server leaves in the text, between `<think>` and `</think>`, are taken apart, however they are cut.

Servers that are not told how a model marks its thoughts (vLLM without a reasoning parser, older llama.cpp) hand them on
as text. Only an answer that begins with the mark is taken for one that thinks: in the middle of a text they are text.
Source: https://docs.vllm.ai/en/latest/features/reasoning_outputs/ (read 2026-11-26).
"""

from __future__ import annotations

from typing import Final, Literal

OPEN: Final = "<think>"
CLOSE: Final = "</think>"


class ThinkSplitter:
    """One choice's text. `feed` and `close` return (thought, text), of which most often one is empty."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state: Literal["before", "opened", "inside", "behind", "text"] = "before"
        self._held = ""

    def feed(self, piece: str) -> tuple[str, str]:
        if self._state == "text":
            return "", piece  # nearly every piece of nearly every answer
        thought = ""
        self._held += piece
        if self._state == "before":
            self._begin()
        if self._state == "opened":
            self._held = self._held.lstrip("\n")
            if self._held:
                self._state = "inside"
        if self._state == "inside":
            thought = self._think()
        return thought, self._say()

    def close(self) -> tuple[str, str]:
        """What was held back, at the end of the answer."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "inside" else ("", held)

    def _begin(self) -> None:
        start = self._held.lstrip()
        if start.startswith(OPEN):
            self._state = "opened"
            self._held = start[len(OPEN) :]
        elif not OPEN.startswith(start):
            self._state = "text"

    def _think(self) -> str:
        thought, mark, rest = self._held.partition(CLOSE)
        if mark:
            self._state = "behind"
            self._held = rest
            return thought.rstrip("\n")
        # Hold back what may be the beginning of the mark, or of the line breaks in front of it.
        certain = len(thought)
        for size in range(1, len(CLOSE)):
            if thought.endswith(CLOSE[:size]):
                certain = len(thought) - size
        kept = len(thought[:certain].rstrip("\n"))
        self._held = thought[kept:]
        return thought[:kept]

    def _say(self) -> str:
        if self._state == "behind":
            self._held = self._held.lstrip()
            if not self._held:
                return ""
            self._state = "text"
        if self._state != "text":
            return ""
        text, self._held = self._held, ""
        return text


def split(text: str) -> tuple[str, str]:
    """(thought, text) of a whole answer, also of one that lacks the opening mark because the template wrote it."""
    thought, mark, rest = text.partition(CLOSE)
    if mark and OPEN not in thought:
        return thought.strip("\n"), rest.lstrip()
    splitter = ThinkSplitter()
    first, second = splitter.feed(text), splitter.close()
    return first[0] + second[0], first[1] + second[1]
