"""An evaluation on Ray: workers on one or many machines ask and grade; run, store and purse stay in one place.

So a budget holds, and each answer is kept once, however many workers there are and whichever of them ends early.
Ray is imported here and only when it is asked for. Source: https://docs.ray.io/en/latest/ray-core/actors/async_api.html
and https://docs.ray.io/en/latest/ray-security/token-auth.html, read 2026-11-26 for Ray 2.60.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from yuzui.core.errors import ConfigError
from yuzui.evaluation.calls import Call, Result
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Grade, Scorer, Told
from yuzui.evaluation.scorers.functions import FunctionScorer
from yuzui.io.evaluation_line import Lost, Stopped
from yuzui.io.evaluation_worker import EvaluationWorker, Refused, Task

MOST_RESTARTS: Final = 20
"""Of one worker; then what it is asked for counts as lost, and the run stops by name."""
MOST_TRIES: Final = 3
"""Of code and grades, which cost nothing."""
START_TIMEOUT_S: Final = 120.0
OBJECT_STORE_BYTES: Final = 128 * 1024 * 1024  # what travels is small; by default Ray takes a third of the memory


class RayWorkers:
    """Asks and grades with whichever worker has least to do."""

    def __init__(self, workers: Sequence[Any], lost: type[Exception] | tuple[type[Exception], ...]) -> None:
        """`workers`: handles of actors, which have no type. `lost`: what is raised when one of them ended."""
        self._workers = workers
        self._lost = lost
        self._under_way = [0] * len(workers)

    async def check(self) -> None:
        """Raise `ConfigError` when a worker cannot work where it is, or none starts."""
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                found = await asyncio.gather(*[_heard(worker.problem.remote()) for worker in self._workers])
        except TimeoutError as error:
            raise ConfigError(
                f"Ray started no {len(self._workers)} workers in {START_TIMEOUT_S:.0f} s: lower --parallel, or see "
                "what occupies the cluster (`ray status`)"
            ) from error
        except self._lost as error:
            raise ConfigError(
                "a worker of Ray ended at once: every machine needs the same versions of Python, Ray and Yuzui"
            ) from error
        if problems := [problem for problem in found if problem]:
            raise ConfigError(f"{len(problems)} of {len(found)} workers of Ray cannot work: {problems[0]}")

    async def ask(self, call: Call) -> Result:
        """Raise `Stopped`, or `Lost` when the worker ended before it could say what came of it."""
        found = await self._call("ask", call)
        if isinstance(found, Refused):
            raise Stopped(found.why)
        assert isinstance(found, Result)  # the worker's signature says so
        return found

    async def execute(self, source: str) -> Told:
        found = await self._call_again("execute", source)
        assert isinstance(found, Told)  # the worker's signature says so
        return found

    async def grade(self, scorer: Scorer, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        found = await self._call_again("grade", scorer.name, example, answer, tuple(told))
        if isinstance(found, Refused):
            raise ConfigError(found.why)
        assert isinstance(found, Grade)  # the worker's signature says so
        return found

    async def _call_again(self, method: str, *given: object) -> object:
        for _ in range(MOST_TRIES - 1):
            try:
                return await self._call(method, *given)
            except Lost:
                continue
        return await self._call(method, *given)

    async def _call(self, method: str, *given: object) -> object:
        place = min(range(len(self._workers)), key=self._under_way.__getitem__)
        self._under_way[place] += 1
        try:
            return await _heard(getattr(self._workers[place], method).remote(*given))
        except self._lost as error:
            raise Lost(f"workers of Ray ended {MOST_RESTARTS} times and more, or their machine did") from error
        finally:
            self._under_way[place] -= 1


async def _heard(reference: Any) -> object:  # Any: Ray's, which has no type here
    return await reference


@contextmanager
def ray_workers(task: Task, address: str, parallel: int) -> Iterator[RayWorkers]:
    """Workers of a Ray that is started for as long as this lasts (`address` empty), or of a cluster that runs.

    A Ray of our own has no dashboard, tells nobody that it is used, lets only those in who know a token that is
    drawn for it, and leaves nothing behind. Raise `ConfigError`.
    """
    ray = _ray(address)
    _by_value(ray, task.scorers)
    folder = Path(tempfile.mkdtemp(prefix="yuzui-ray-"))  # Ray makes its own readable by all: it lies inside of this
    try:
        _start(ray, address, folder, parallel)
        try:
            count = max(1, min(parallel, int(ray.cluster_resources().get("CPU", 1))))
            actor = ray.remote(EvaluationWorker).options(
                num_cpus=1, max_restarts=MOST_RESTARTS, max_task_retries=0, max_concurrency=parallel + 1
            )  # fmt: skip  # one thing
            yield RayWorkers(
                [actor.remote(task) for _ in range(count)],
                (ray.exceptions.RayActorError, ray.exceptions.WorkerCrashedError, ray.exceptions.ObjectLostError),
            )
        finally:
            ray.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # its processes may still be ending


def _ray(address: str) -> Any:  # Any: a module without types here
    if find_spec("ray") is None:
        raise ConfigError("--ray needs Ray: pip install 'yuzui[ray]'")
    if address.startswith("ray://"):
        raise ConfigError(
            "--ray-address: Ray's client is not supported; run this on a machine of the cluster, and name host:6379"
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when Ray is imported; its processes inherit it
    if not address:
        os.environ["RAY_AUTH_MODE"] = "token"  # its ports are open to the network, and who reaches one runs code
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    import ray

    return ray


def _start(ray: Any, address: str, folder: Path, parallel: int) -> None:  # Any: a module without types here
    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "logging_level": "ERROR"}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(
                address="local", include_dashboard=False, num_cpus=min(parallel, os.cpu_count() or 1), num_gpus=0,
                object_store_memory=OBJECT_STORE_BYTES, _temp_dir=str(folder / "r"), **quiet,
            )  # fmt: skip  # one thing
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        raise ConfigError(f"Ray does not start: {error}" if not address else f"no Ray at {address}: {error}") from error


def _by_value(ray: Any, scorers: Sequence[Scorer]) -> None:  # Any: a module without types here
    """A user's own functions travel with their module: other machines do not have its file."""
    for scorer in scorers:
        if isinstance(scorer, FunctionScorer):
            ray.cloudpickle.register_pickle_by_value(sys.modules[scorer.function.__module__])
