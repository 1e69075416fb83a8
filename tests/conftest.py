"""For all tests: generated examples are not timed, because a busy machine is not a bug."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("yuzui", deadline=None)
settings.load_profile("yuzui")
