"""A fitted router as one file: JSON with arrays in base64, its hash, what it was made of, what it may promise.

Nothing in it can be executed. The hash finds damage and mixed-up files; who may write the file may write another hash,
so who must know which file is used pins `sha256` where it is configured.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.routing.dense import DenseWeights
from yuzui.routing.likeness import LikenessWeights
from yuzui.routing.text_encoder import EncoderWeights
from yuzui.routing.up_front import UpFrontWeights

FORMAT: Final = "yuzui-routing"
VERSION: Final = 1
MOST_BYTES: Final = 256 * 1024 * 1024

Policy = Literal["up_front", "cascade", "portable_cascade"]
"""Choose before anybody answers; keep or replace a candidate's answer; the same by signals that hold in any domain."""


class Priced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model, and its US dollars per million tokens; None where the examples say what each answer cost."""

    name: str
    input_usd: float | None = None
    output_usd: float | None = None


class DataFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Examples that something was learned from or tested on."""

    sha256: str
    """Of the examples as they were used, in order."""
    examples: int
    name: str = ""
    reference_score: float = 0.0
    candidate_scores: dict[str, float] = {}
    prompts: bytes = b""
    """Of what was fitted on: the first eight bytes of each prompt's SHA-256, sorted, one after the other."""


class JudgeFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who said of each answer how likely it is right, and to which question."""

    model: Priced
    question: str
    """Of `evaluation.judge_words.POINTWISE`: answers to another wording mean something else."""


class CascadeWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    # What is left at its default is not written: a fit keeps its hash, with which older certificates are tied to it.
    checks: tuple[Priced, ...]
    """Models whose answers are compared with the candidate's, in this order."""
    full: DenseWeights
    """From the answer, the second opinions, the request and its predicted gain."""
    portable: DenseWeights
    """From the answer and the second opinions alone: what these mean does not depend on the domain."""
    full_thresholds: tuple[float, ...]
    portable_thresholds: tuple[float, ...]
    judge: JudgeFacts | None = None
    runs_tests: bool = False
    """With the tests that a prompt brings, run with the code of the answer."""


class CandidateWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    model: Priced
    up_front: UpFrontWeights
    cascade: CascadeWeights | None = None


class Fitted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What fitting leaves behind. Candidates stand from the cheapest to the dearest."""

    made_at: str
    """Day, UTC."""
    made_with: dict[str, str]
    """Package → version."""
    data: DataFacts
    reference: Priced
    candidates: tuple[CandidateWeights, ...]
    encoder: EncoderWeights
    likeness: LikenessWeights
    thresholds: tuple[float, ...]
    """Of the predicted gain up front, from careful to bold: fixed before any calibration."""


class Tested(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One threshold on the calibration examples; see `evaluation.certify.RuleFacts`."""

    threshold: float
    passed: bool
    loss: float
    open_share: float
    saving: float
    needed: int | None


class Signals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the answers of a cascade's examples came with, all of them alike: it must be there when it is served."""

    log_probabilities: bool
    samples: int
    """Further answers of the candidate."""
    judge: str = ""
    """The model that judged each of them."""
    runs_tests: bool = False


class Certificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """ "At most `epsilon` worse than always the reference, with confidence 1 - `delta`", and on what that rests."""

    policy: Policy
    candidates: tuple[str, ...]
    """From the cheapest to the dearest; of a cascade the one that answers first."""
    epsilon: float
    delta: float
    method: str
    data: DataFacts
    seed: int
    """That ordered the examples."""
    made_at: str
    fitted_sha256: str
    """Of the fitted part that was tested: a certificate is good for no other."""
    threshold: float | None
    """Predicted gain up to which the open model may answer; None: nothing is certified, only the reference is safe."""
    loss: float
    open_share: float
    saving: float
    tested: tuple[Tested, ...]
    """A selection of the thresholds that were tested, the certified one among them."""
    cost_basis: str
    """How the costs were computed."""
    signals: Signals | None = None
    """Of a cascade. None: its examples are not alike, or nobody noted it; then it cannot be served."""


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    fitted: Fitted
    fitted_sha256: str
    certificates: tuple[Certificate, ...] = ()


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fitted: msgspec.Raw
    certificates: tuple[Certificate, ...]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    version: int
    sha256: str
    """Of the bytes of `body`, exactly as they stand here."""
    body: msgspec.Raw


def hash_of(fitted: Fitted) -> str:
    return hashlib.sha256(msgspec.json.encode(fitted)).hexdigest()


def write_artefact(fitted: Fitted, certificates: tuple[Certificate, ...] = ()) -> bytes:
    """The file. Raise `ValueError` for a certificate of something else."""
    raw = msgspec.json.encode(fitted)
    _check_certificates(certificates, hashlib.sha256(raw).hexdigest())
    body = msgspec.json.encode(_Body(fitted=msgspec.Raw(raw), certificates=certificates))
    digest = hashlib.sha256(body).hexdigest()
    return msgspec.json.encode(_File(format=FORMAT, version=VERSION, sha256=digest, body=msgspec.Raw(body))) + b"\n"


def read_artefact(raw: bytes, name: str = "the routing artefact") -> Artefact:
    """What `write_artefact` wrote. Raise `ConfigError`, which names `name`, for anything else."""
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{name} is larger than {MOST_BYTES // 2**20} MiB: it is no artefact of `yuzui route fit`")
    try:
        head = msgspec.json.decode(raw, type=_Head)
        if head.format != FORMAT:
            raise ConfigError(f"{name} is not an artefact of `yuzui route fit`")
        if head.version != VERSION:
            raise ConfigError(
                f"{name} has version {head.version}, this Yuzui reads {VERSION}: fit it again with `yuzui route fit`"
            )
        file = msgspec.json.decode(raw, type=_File)
        if hashlib.sha256(bytes(file.body)).hexdigest() != file.sha256:
            raise ConfigError(
                f"{name} was changed after it was written (its hash does not fit): fit and certify it again"
            )
        body = msgspec.json.decode(file.body, type=_Body)
        fitted = msgspec.json.decode(body.fitted, type=Fitted)
        digest = hashlib.sha256(bytes(body.fitted)).hexdigest()
        _check_certificates(body.certificates, digest)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"{name} cannot be read: {error}") from error
    return Artefact(fitted=fitted, fitted_sha256=digest, certificates=body.certificates)


def _check_certificates(certificates: tuple[Certificate, ...], digest: str) -> None:
    for certificate in certificates:
        if certificate.fitted_sha256 != digest:
            raise ValueError("a certificate belongs to another fit: certify this one")


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """Enough to say what a file of another version is."""

    format: str
    version: int
