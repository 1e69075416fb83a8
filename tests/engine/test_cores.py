"""Quotas count, and a processor that cannot run the engine is named before it crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.engine.cores import engine_threads, missing_cpu_feature, usable_cores


def test_a_quota_bounds_the_cores(tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    free = usable_cores(tmp_path / "none")
    assert free >= 1
    for text, most in [
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("max 100000", free),
        ("garbage", free),
        ("1 0", free),
    ]:
        file.write_text(text)
        assert usable_cores(file) == min(free, most)


@pytest.mark.parametrize(("asked", "cores", "threads"), [(0, 1, 1), (0, 2, 1), (0, 8, 7), (3, 2, 3)])
def test_one_core_is_left_to_the_gateway_unless_the_operator_says_otherwise(
    asked: int, cores: int, threads: int
) -> None:
    assert engine_threads(asked, cores) == threads


@pytest.mark.parametrize(
    ("machine", "text", "lacking"),
    [
        ("x86_64", "processor: 0\nflags\t\t: fpu sse2 avx avx2 fma\n", ""),
        ("x86_64", "flags\t\t: fpu sse2 avx\n", "AVX2"),
        ("AMD64", "flags : sse2\n", "AVX2"),
        ("x86_64", "nothing of the kind\n", ""),
        ("aarch64", "flags : sse2\n", ""),
    ],
)
def test_a_processor_without_avx2_is_recognised_where_it_can_be(
    tmp_path: Path, machine: str, text: str, lacking: str
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert missing_cpu_feature(tmp_path / "cpuinfo", machine) == lacking
    assert missing_cpu_feature(tmp_path / "none", machine) == ""
