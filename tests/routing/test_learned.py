from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from graded_kit import artefact, examples, fitted
from yuzui.core.errors import ConfigError
from yuzui.evaluation.measures import apgr
from yuzui.routing.artefact import Artefact, write_artefact
from yuzui.routing.learned import Learned
from yuzui.routing.own_text import Answered
from yuzui.routing.signals import Evidence
from yuzui.routing.surface import Asked
from yuzui.routing.tensors import pack

from .test_artefact import certificate

EASY, HARD = (
    "What is the capital of France and a tree number 412?",
    "What is the limit of a matrix and rain number 518?",
)
STRANGE = "把下面这段话翻译成英文：今天天气很好。"


def gains(router: Learned, text: str) -> float:
    return router.look(Asked(text=text)).gains[0]


def test_it_learns_where_the_small_model_is_good_enough() -> None:
    router = Learned(artefact())
    assert gains(router, EASY) < 0.2 < 0.4 < gains(router, HARD)
    fresh = examples(500, 77)
    predicted = np.array([router.look(one.asked).gains[0] for one in fresh])
    true = np.array([one.answers["big"].score - one.answers["small"].score for one in fresh])
    assert apgr(predicted, true) > 0.65
    assert predicted.mean() == pytest.approx(true.mean(), abs=0.08)


def test_the_answer_and_a_second_opinion_say_more_than_the_request() -> None:
    router = Learned(artefact())
    fresh = examples(500, 78)
    looks = [router.look(one.asked) for one in fresh]
    true = np.array([one.answers["big"].score - one.answers["small"].score for one in fresh])
    for is_portable in (False, True):
        predicted = np.array([
            router.judge(look, "small", Evidence(
                answered=Answered(question=one.prompt, text=one.answers["small"].text),
                checks=[one.answers["tiny"].text],
            ), is_portable=is_portable)
            for one, look in zip(fresh, looks, strict=True)
        ])  # fmt: skip
        assert apgr(predicted, true) > 0.78


def test_without_a_certificate_only_the_reference_answers() -> None:
    router = Learned(artefact())
    look = router.look(Asked(text=EASY))
    assert router.choose(look, None, {"big", "small"}).model == "big"
    assert router.choose(look, certificate(threshold=None), {"big", "small"}).model == "big"
    assert router.choose(look, certificate(policy="cascade"), {"big", "small"}).model == "big"
    assert not router.keeps(look, -1.0, None)
    assert not router.keeps(look, -1.0, certificate())


def test_the_certified_threshold_decides() -> None:
    router = Learned(artefact())
    chosen = router.choose(router.look(Asked(text=EASY)), certificate(threshold=0.25), {"big", "small"})
    assert (chosen.model, chosen.is_open) == ("small", True)
    refused = router.choose(router.look(Asked(text=HARD)), certificate(threshold=0.25), {"big", "small"})
    assert (refused.model, refused.is_open) == ("big", False)


def test_what_is_unlike_the_examples_goes_to_the_reference_whatever_is_predicted() -> None:
    router = Learned(artefact())
    look = router.look(Asked(text=STRANGE))
    assert router.choose(look, certificate(threshold=2.0), {"big", "small"}).why == "unlike the examples"
    assert not router.keeps(look, -1.0, certificate(policy="cascade", threshold=2.0))
    assert router.keeps(look, -1.0, certificate(policy="portable_cascade", threshold=2.0))


def test_a_candidate_that_is_not_permitted_is_not_chosen() -> None:
    router = Learned(artefact())
    choice = router.choose(router.look(Asked(text=EASY)), certificate(threshold=2.0), {"big"})
    assert (choice.model, choice.why) == ("big", "small is not permitted")


def test_a_cascade_wants_the_second_opinions_that_it_was_fitted_with() -> None:
    router = Learned(artefact())
    answered = Answered(question=EASY, text="7")
    with pytest.raises(ConfigError, match="1 second opinions, not 0"):
        router.judge(router.look(Asked(text=EASY)), "small", Evidence(answered=answered))
    bare = replace(fitted(), candidates=(replace(fitted().candidates[0], cascade=None),))
    without = Learned(Artefact(fitted=bare, fitted_sha256=""))
    with pytest.raises(ConfigError, match="without a cascade"):
        without.judge(without.look(Asked(text=EASY)), "small", Evidence(answered=answered))


def test_parts_that_do_not_fit_are_one_sentence() -> None:
    wrong = replace(fitted(), encoder=replace(fitted().encoder, rarity=pack(np.zeros(4), "float16")))
    with pytest.raises(ConfigError, match="cannot be used"):
        Learned(Artefact(fitted=wrong, fitted_sha256=""))


def test_deciding_needs_numpy_alone_and_is_the_same_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "router.json"
    path.write_bytes(write_artefact(fitted()))
    program = (
        "import sys\n"
        "for name in ('sklearn', 'scipy', 'pyarrow', 'pandas'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from yuzui.routing.artefact import read_artefact\n"
        "from yuzui.routing.learned import Learned\n"
        "from yuzui.routing.surface import Asked\n"
        f"look = Learned(read_artefact(Path({str(path)!r}).read_bytes())).look(Asked(text={HARD!r}))\n"
        "print(look.gains[0], look.p_value)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip  # one thing
    look = Learned(artefact()).look(Asked(text=HARD))
    assert outputs == {f"{look.gains[0]} {look.p_value}\n"}
