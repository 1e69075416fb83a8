from __future__ import annotations

from pathlib import Path

from guarantee_kit import EASY, HARD
from watch_kit import JUDGED, Places, run, scene
from yuzui.watch_gauges import watch_gauges


def test_each_figure_is_that_of_the_promise(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, JUDGED.replace("pairwise", "exact").replace(', judge = "vendor/big"', ""),
                         places=Places(own=lambda _: "Berlin")) as at:  # fmt: skip
            gauges = watch_gauges(at.running.service.watching)
            assert gauges["yuzui_watch_mean_loss"][2]() == {"support": 0.0} and gauges["yuzui_watch_dropped"][2]() == {}
            await at.ask(EASY)
            await at.ask(HARD)
            await at.settled()
            at.places.vendor = lambda _: None
            await at.ask(EASY)
            await at.settled()
            read = {name: values() for name, (_, _, values) in gauges.items()}
            assert read["yuzui_watch_mean_loss"] == {"support": 0.5} and read["yuzui_watch_audits"] == {"support": 1}
            assert read["yuzui_watch_log_wealth"]["support"] > 0 and read["yuzui_watch_cost"]["support"] > 0
            assert read["yuzui_watch_dropped"] == {"failed": 1.0} and read["yuzui_watch_waiting"] == {"": 0.0}
            assert read["yuzui_promise_broken"] == {"support": 0.0} and read["yuzui_shadow_copies"] == {}

    run(story)
