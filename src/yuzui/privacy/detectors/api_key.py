"""API keys that name their issuer in a prefix. A new vendor is one row."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.surroundings import is_word

# Prefixes and alphabets as the vendors document them or their keys show (2026-11). The part behind the prefix must look
# random (`_looks_random`), so rows can be generous: a key that is a little longer next year is still found.
_ROWS: tuple[str, ...] = (
    r"sk-[0-9A-Za-z_-]{20,}",  # OpenAI, Anthropic, DeepSeek, DashScope, Moonshot, OpenRouter and their imitators
    r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}",  # Stripe
    r"whsec_[0-9A-Za-z+/=]{24,}",  # Stripe and Svix webhooks
    r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}",  # AWS access key id
    r"gh[opsur]_[0-9A-Za-z]{36,}",  # GitHub
    r"github_pat_[0-9A-Za-z_]{22,}",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|agent|soat)-[0-9A-Za-z_-]{20,}",  # GitLab
    r"AIza[0-9A-Za-z_-]{35}",  # Google API
    r"ya29\.[0-9A-Za-z_-]{20,}",  # Google OAuth
    r"GOCSPX-[0-9A-Za-z_-]{20,}",
    r"xox[abeoprs]-[0-9A-Za-z-]{10,}",  # Slack
    r"xapp-[0-9]-[0-9A-Za-z-]{20,}",
    r"hooks\.slack\.com/(?:services|workflows)/[0-9A-Za-z+/]{20,}",
    r"(?:hf|api_org)_[0-9A-Za-z]{30,}",  # Hugging Face
    r"npm_[0-9A-Za-z]{36,}",
    r"pypi-[0-9A-Za-z_-]{50,}",
    r"SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}",  # SendGrid
    r"gsk_[0-9A-Za-z]{40,}",  # Groq
    r"xai-[0-9A-Za-z_-]{40,}",
    r"pplx-[0-9A-Za-z]{32,}",
    r"r8_[0-9A-Za-z]{37,}",  # Replicate
    r"LTAI[0-9A-Za-z]{12,}",  # Alibaba Cloud
    r"AKID[0-9A-Za-z]{32,}",  # Tencent Cloud
    r"AKLT[0-9A-Za-z_-]{30,}",  # Volcengine
    r"bce-v3/ALTAK-[0-9A-Za-z]{16,}/[0-9a-f]{32,}",  # Baidu
    r"dapi[0-9a-f]{32}",  # Databricks
    r"do[opr]_v1_[0-9a-f]{64}",  # DigitalOcean
    r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",  # Shopify
    r"lin_api_[0-9A-Za-z]{32,}",  # Linear
    r"(?:ntn|secret)_[0-9A-Za-z]{40,}",  # Notion
    r"hv[bs]\.[0-9A-Za-z_-]{24,}",  # HashiCorp Vault
    r"AccountKey=[0-9A-Za-z+/=]{60,}",  # Azure Storage
    r"SharedAccessKey=[0-9A-Za-z+/=]{40,}",
    r"[0-9]{8,10}:AA[0-9A-Za-z_-]{33}",  # Telegram
    r"ops_eyJ[0-9A-Za-z+/_=-]{100,}",  # 1Password
    r"glsa_[0-9A-Za-z]{32}_[0-9A-Fa-f]{8}",  # Grafana
    r"sntry[su]_[0-9A-Za-z+/=_-]{40,}",
    r"dckr_pat_[0-9A-Za-z_-]{20,}",
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",  # Postman
    r"EAA[0-9A-Za-z]{80,}",  # Meta
    r"sq0(?:atp|csp)-[0-9A-Za-z_-]{22,}",  # Square
    r"yz-[0-9A-Za-z_-]{20,}",  # our own
)


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if is_word(text, start - 1) or (start and text[start - 1] == "_" and text[start : start + 3] == "sk-"):
        return
    value = text[start:end].rstrip("-_")
    end = start + len(value)
    if value.endswith("EXAMPLE") or not _looks_random(value):
        return
    yield Hit("api_key", start, end, 0.95)


def _looks_random(value: str) -> bool:
    """Whether one unbroken piece of `value` mixes digits and letters: `sk-learn-pipeline-…` is prose."""
    for piece in value.replace("-", " ").replace("_", " ").replace(".", " ").replace("/", " ").split():
        if len(piece) >= 10 and len(set(piece)) >= 6:
            digits = sum(char.isdigit() for char in piece)
            letters = sum(char.isalpha() for char in piece)
            if digits and letters:
                return True
            is_mixed = piece != piece.lower() and piece != piece.upper()
            if is_mixed and len(piece) >= 16 and not piece.istitle():
                return True
    return False


DETECTOR = Detector(levels={"api_key": "restricted"}, patterns=tuple(Pattern(regex=row) for row in _ROWS), check=_check)
