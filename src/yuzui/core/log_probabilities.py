"""The log-probabilities of an answer's tokens, as a choice of a chat completion tells them.

Source: https://developers.openai.com/api/reference/resources/chat (`choices[].logprobs.content[].logprob`), which vLLM,
SGLang and llama.cpp keep to (2026-11).
"""

from __future__ import annotations

import math
from collections.abc import Iterator


def log_probabilities_of(choice: object) -> Iterator[float]:
    """Natural logarithms, one per token; what is no number is left out, whatever the server meant by it."""
    told = choice.get("logprobs") if isinstance(choice, dict) else None
    content = told.get("content") if isinstance(told, dict) else None
    for token in content if isinstance(content, list) else ():
        value = token.get("logprob") if isinstance(token, dict) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        try:
            found = float(value)
        except OverflowError:  # a whole number of hundreds of digits
            continue
        if not math.isnan(found):
            yield found
