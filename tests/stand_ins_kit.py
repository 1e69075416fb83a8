"""One long conversation over several processes and a restart: which stand-in a vendor was shown for which value.

Each process has a data folder of its own; what they share is what an operator copies: configuration, keys, secrets.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from canary_kit import VALUES
from fault_upstream import Call, FaultUpstream, completion
from faults.load_kit import Served, answers, ask, chat, new_key, start, two_targets, write_config
from yuzui.privacy.catalogue import DEFAULT_LEVELS

WORDS = {
    "email": "mail", "cn_mobile": "手机", "bank_card": "card number", "iban": "IBAN", "us_ssn": "SSN",
    "cn_resident_id": "身份证号", "password": "password",
}  # fmt: skip
"""Kind → the word in front of its values."""
KINDS = tuple(WORDS)
_ITEM = re.compile(r"Item ([a-j]+), [^:]*: (.+)")


@dataclass(slots=True)
class Stability:
    turns: int = 0
    processes: int = 0
    values: int = 0
    shown: int = 0
    """Stand-ins that the vendor was shown, counted anew in each turn."""
    changed: int = 0
    """Those that differ from the first one of their value."""
    restored: int = 0
    """Answers that came back with exactly the original."""
    raw: int = 0
    """Originals that the vendor was shown."""
    others: int = 0
    """Values of the other tenant that were compared."""
    equal_across_tenants: int = 0
    first: dict[str, str] = field(default_factory=dict)
    """Name of a value → its stand-in."""


async def echoes(call: Call) -> None:
    """A vendor that says the last item's stand-in again."""
    said = json.loads(call.body)["messages"][-1]["content"]
    number, token = _ITEM.findall(said)[-1]
    await call.json(completion(f"Noted {number}: {token}"))


def talk(
    folder: Path, *, turns: int, processes: int, seed: int, kinds: Sequence[str] = KINDS, realistic: bool = False
) -> Stability:
    """Hold the conversation: each turn goes to the next process, and in the middle all are killed and started again."""
    return asyncio.run(_talk(folder, turns, processes, seed, tuple(kinds), realistic))


async def _talk(
    folder: Path, turns: int, processes: int, seed: int, kinds: tuple[str, ...], realistic: bool
) -> Stability:
    rng, found = random.Random(seed), Stability(turns=turns, processes=processes, values=turns)
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(FaultUpstream(answers))
        vendor = await stack.enter_async_context(FaultUpstream(echoes))
        folders, keys = _folders(folder, two_targets(own, vendor, more=_masking(kinds, realistic)), processes)
        served = [await asyncio.to_thread(start, one) for one in folders]
        try:
            values, history = [], []
            for turn in range(turns):
                if turn == turns // 2:
                    served = [await asyncio.to_thread(_again, one) for one in served]
                kind = kinds[turn % len(kinds)]
                _, value = VALUES[kind](rng)
                values.append(value)
                history.append({"role": "user", "content": f"Item {letters(turn)}, {WORDS[kind]}: {value}"})
                heard = await ask(served[turn % processes].address, chat(messages=history), key=keys[0])
                assert heard.status == 200, heard
                answer = heard.json["choices"][0]["message"]["content"]
                found.restored += answer == f"Noted {letters(turn)}: {value}"
                history.append({"role": "assistant", "content": answer})
                _compare(found, vendor.calls[-1], values)
            await ask(served[0].address, chat(messages=history[:-1]), key=keys[1])
            theirs = _shown(vendor.calls[-1])
            found.others = len(theirs)
            found.equal_across_tenants = len(set(theirs.values()) & set(found.first.values()))
        finally:
            for one in served:
                one.kill()
    return found


def letters(number: int) -> str:
    """A name for a value; digits could be taken for a part of one."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def _masking(kinds: tuple[str, ...], realistic: bool) -> str:
    return f"[masking]\nkinds = {json.dumps(list(DEFAULT_LEVELS))}\nrealistic = {json.dumps(list(kinds) if realistic else [])}\n"


def _folders(folder: Path, config: str, count: int) -> tuple[list[Path], list[str]]:
    """A folder per process with the same configuration, keys and secrets; and the keys of two tenants."""
    first = folder / "0"
    first.mkdir()
    write_config(first, config)
    keys = [new_key(first)[1] for _ in range(2)]
    others = [folder / str(number) for number in range(1, count)]
    for other in others:
        shutil.copytree(first, other)
    return [first, *others], keys


def _again(served: Served) -> Served:
    served.kill()
    return start(served.folder)


def _shown(call: Call) -> dict[str, str]:
    """Name of a value → what stands for it, in what the user says."""
    said = [one["content"] for one in json.loads(call.body)["messages"] if one["role"] == "user"]
    return {number: token for text in said for number, token in _ITEM.findall(text)}


def _compare(found: Stability, call: Call, values: list[str]) -> None:
    shown = _shown(call)
    assert len(shown) == len(values), "every value has its place"
    for number, token in shown.items():
        found.shown += 1
        found.changed += found.first.setdefault(number, token) != token
    found.raw += sum(value.encode() in call.body for value in values)
