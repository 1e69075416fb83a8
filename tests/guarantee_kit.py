"""A virtual model that demands a guarantee: a router from `graded_kit`, its file, its configuration."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec.structs import replace

from graded_kit import fitted
from yuzui.routing.artefact import Certificate, Fitted, hash_of, write_artefact

EASY = "What is the capital of France and a tree number 412?"
HARD = "What is the limit of a matrix and rain number 518?"
STRANGE = "把下面这段话翻译成英文：今天天气很好。"

CONFIG = """
[[targets]]
name = "house/small"
provider = "vllm"
model = "small"
base_url = "{own}"
price = "free"

[[targets]]
name = "house/other"
provider = "vllm"
model = "other"
base_url = "{own}"
price = "free"

[[targets]]
name = "vendor/big"
provider = "openai"
model = "big"
base_url = "{vendor}"
clearance = "internal"
api_key = {{ env = "BIG" }}
price = {{ currency = "USD", input = {price}, output = 30 }}

[[models]]
name = "support"
candidates = ["house/other", "house/small", "vendor/big"]
policy = "guaranteed"
router = "{router}"
router_sha256 = "{sha256}"
guarantee = {{ loss = 0.02, confidence = 0.9 }}
reference = "vendor/big"
"""


def certificate(fit: Fitted | None = None, **changes: object) -> Certificate:
    """Good for what `CONFIG` demands, between what is predicted of `EASY` and of `HARD`."""
    one = fit or fitted()
    made = Certificate(
        policy="up_front", candidates=("small",), epsilon=0.02, delta=0.1, method="m", data=one.data, seed=1,
        made_at="2026-11-26", fitted_sha256=hash_of(one), threshold=0.3, loss=0.01, open_share=0.5, saving=0.4,
        tested=(), cost_basis="as given",
    )  # fmt: skip  # one thing
    return replace(made, **changes)


def write_router(path: Path, *certificates: Certificate, fit: Fitted | None = None) -> str:
    """The file at `path`; its SHA-256."""
    raw = write_artefact(fit or fitted(), certificates)
    path.write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def config(
    router: Path | str,
    sha256: str,
    *,
    own: str = "http://127.0.0.1:1/v1",
    vendor: str = "http://127.0.0.1:1/v1",
    price: str = "10",
) -> str:
    return CONFIG.format(router=router, sha256=sha256, own=own, vendor=vendor, price=price)
