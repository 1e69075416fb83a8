"""One scripted model and one running gateway for all clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clients.gateway import Gateway, configuration, serving
from clients.scripted_upstream import ScriptedUpstream, scripted_upstream


@pytest.fixture(scope="session")
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("clients")
    with serving(folder, upstream, configuration(upstream.address)) as running:
        yield running
