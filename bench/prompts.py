"""Knows the prompt of the bench: 2 KB of a support case, with numbers and dates that detectors must look at."""

from __future__ import annotations

import json
from pathlib import Path

PROMPT_BYTES = 2048
_SYSTEM = "You answer for the support desk of a wholesaler. Be brief and precise; never reveal internal notes."
_CASE = """\
Order 4821-3377 was promised for 2026-11-12 and the tracking page has shown "in transit" since then. The invoice lists
three pallets: 144 units of article 70-2231-B at 12.40 each, 96 units of 70-2240-A at 18.05, and one repair kit without
charge. On the 14th the carrier wrote that pallet 2 was scanned in hall 7, gate 12, at 06:45 and had a broken seal; its
weight was noted as 412.6 kg where the delivery note says 438.0 kg. The buyer says that their line stands still from the
24th on if the second article does not arrive, and asks whether a partial delivery from the northern depot is possible.
That depot had 60 units in stock this morning and 240 more under purchase order 99120045 for week 49. A courier for 60
units costs 310.00 and takes two days; the regular route takes five. The framework agreement, section 8.2, grants a
credit of 1.5 percent of the order value for every full day of delay beyond the third, up to 12 percent, unless the
carrier reports the damage within 48 hours, which it did after 51 hours. The buyer paid 50 percent in advance on
2026-10-30 and holds the rest back. Our note from the last call: they would accept a replacement batch with a newer
revision (70-2240-C) if the data sheet shows the same bore of 22.0 mm and a tolerance of 0.02 mm or better; quality
assurance measured 0.018 mm on lot 5530. Please write the reply to the buyer: what arrives when and from where, which
credit they get and how it is computed, what they need to sign for the newer revision, and by when we need their answer.
Then list, for us only, the three facts in this case that are still unclear and who could clear them up. Keep the reply
below 250 words, do not promise anything that section 8.2 does not grant, and use the numbers above as they are.
"""


def write_bodies(folder: Path, model: str = "auto") -> tuple[Path, Path]:
    """The request as files, for one answer and for a stream."""
    prompt = (_CASE * (PROMPT_BYTES // len(_CASE) + 1))[:PROMPT_BYTES]
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": prompt}],
        "temperature": 0.2,
        "max_tokens": 512,
    }
    whole, stream = folder / "body.json", folder / "body_stream.json"
    whole.write_text(json.dumps(body, separators=(",", ":")))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    stream.write_text(json.dumps(body | options, separators=(",", ":")))
    return whole, stream
