"""Knows when an evaluation is spread over Ray, and what a run needs then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yuzui.core.errors import ConfigError

if TYPE_CHECKING:
    from yuzui.evaluation.scorers._contract import Scorer
    from yuzui.io.evaluation_ray import RayWorkers

RayOption = Annotated[
    bool, typer.Option("--ray", help="Ask and grade in workers of Ray, started for the run on this machine.")
]
RayAddressOption = Annotated[
    str, typer.Option("--ray-address", metavar="HOST:PORT", help="Of a Ray cluster to work on; needs --url.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ray:
    """What was said of it on the command line."""

    is_wanted: bool
    address: str = ""
    """Empty: one is started."""

    @classmethod
    def read(cls, is_wanted: bool, address: str, url: str) -> Ray:
        """Raise `ConfigError`: other machines do not reach a gateway that is started for the run."""
        if address and not url:
            raise ConfigError("--ray-address needs --url of a gateway that every machine of the cluster reaches")
        return cls(is_wanted=is_wanted or bool(address), address=address)

    @contextmanager
    def workers(
        self, url: str, key: str, scorers: Sequence[Scorer], parallel: int, *, is_unsafe: bool, hidden: Path
    ) -> Iterator[RayWorkers | None]:
        """None: it is not wanted, and all is done in this process."""
        if not self.is_wanted:
            yield None
            return
        from yuzui.evaluation.scorers.catalogue import RUN, kind_of
        from yuzui.io.evaluation_ray import ray_workers
        from yuzui.io.evaluation_worker import Task

        task = Task(
            url=url, key=key, scorers=tuple(scorers), runs_code=any(kind_of(one.name) in RUN for one in scorers),
            is_unsafe=is_unsafe, hidden=(str(hidden.absolute()),),
        )  # fmt: skip
        with ray_workers(task, self.address, parallel) as found:
            yield found
