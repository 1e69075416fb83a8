"""Stand-ins stay the same over turns, processes and a restart, and no two tenants share one."""

from __future__ import annotations

from pathlib import Path

import pytest

from stand_ins_kit import talk


@pytest.mark.parametrize("realistic", [False, True])
def test_a_value_has_one_stand_in_wherever_and_whenever_it_is_said(tmp_path: Path, realistic: bool) -> None:
    found = talk(tmp_path, turns=10, processes=2, seed=4, realistic=realistic)
    assert found.shown == 55 and found.changed == 0
    assert found.restored == 10 and found.raw == 0
    assert found.others == 10 and found.equal_across_tenants == 0
    assert len(set(found.first.values())) == 10, "and each value its own"
