"""Both sides read what the other writes, and the worker refuses what it does not know."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.engine.protocol import WorkerReport, WorkerSettings


@given(st.builds(WorkerSettings, model_path=st.text(), alias=st.text(), chat_template=st.text()))
def test_settings_survive_the_way_as_one_line(settings: WorkerSettings) -> None:
    line = msgspec.json.encode(settings)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=WorkerSettings) == settings


def test_an_unknown_setting_is_refused_and_a_short_report_is_understood() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"model_path":"m","alias":"a","api_keyy":"k"}', type=WorkerSettings)
    assert msgspec.json.decode(b'{"url":"u"}', type=WorkerReport) == WorkerReport(url="u")
