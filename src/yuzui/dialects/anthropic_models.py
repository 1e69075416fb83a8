"""The list of models as Anthropic's clients read it, with what we know of each under `yuzui`.

Source: https://platform.claude.com/docs/en/api/models-list and `anthropic` 2.14.0, types/model_info.py (2026-11-26).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yuzui.core.strict_json import write

Entry = Mapping[str, object]
"""An entry as GET /v1/models gives it to OpenAI's clients: `id`, and ours under `yuzui`."""

NO_DATE = "1970-01-01T00:00:00Z"  # as the API does it where the date is unknown


def list_models(entries: Sequence[Entry]) -> bytes:
    """One page with all of them: there are never so many that a second one would be needed."""
    return write(
        {
            "data": [_entry(entry) for entry in entries],
            "has_more": False,
            "first_id": entries[0]["id"] if entries else None,
            "last_id": entries[-1]["id"] if entries else None,
        }
    )


def show_model(entry: Entry) -> bytes:
    return write(_entry(entry))


def _entry(entry: Entry) -> Entry:
    ours = entry["yuzui"]
    facts: Mapping[str, object] = ours if isinstance(ours, Mapping) else {}
    return {
        "type": "model",
        "id": entry["id"],
        "display_name": entry["id"],
        "created_at": NO_DATE,
        "lifecycle": "active",
        "max_input_tokens": facts.get("context_tokens") or None,  # 0 is unknown
        "max_tokens": facts.get("max_output_tokens") or None,
        "yuzui": ours,
    }
