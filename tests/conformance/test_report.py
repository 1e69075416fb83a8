"""A run is kept and read back, and each loss stands in the report once, with all its places."""

from __future__ import annotations

from pathlib import Path

from conformance_kit import load

judge, play, provider, report = load("judge"), load("play"), load("provider"), load("report")


def result(dialect: str, name: str, case: str, verdict: object) -> object:
    return play.Result(dialect=dialect, provider=name, case=case, verdict=verdict)


def run() -> object:
    lost = judge.verdict_of([judge.Finding(fact="count of input tokens", detail="5 is told as 0")])
    worse = judge.verdict_of([judge.Finding(fact="text", is_fatal=True), *lost.findings])
    return report.Run(
        gateway="mine",
        version="1.0",
        notes=("As documented.",),
        date="2026-11-26",
        machine="a machine",
        start_s=0.5,
        seconds=1.5,
        strays=0,
        results=(
            result("openai_chat", "openai", "plain", judge.Verdict(kind="pass")),
            result("openai_chat", "openai", "tools", lost),
            result("openai_chat", "anthropic", "images", worse),
            result("gemini", "gemini", "plain", judge.Verdict(kind="not_offered", reason="it has no such path")),
            result("openai_chat", "vllm", "tool_results", judge.Verdict(kind="impossible", reason="no place for it")),
        ),
    )


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    report.save_run(run(), tmp_path)
    assert report.load_runs(tmp_path) == [run()]


def test_the_report_shows_signs_counts_and_each_loss_once(tmp_path: Path) -> None:
    path = tmp_path / "conformance.md"
    report.write_report([run()], load("scenario").load_cases(), provider.load_providers(), path)
    text = path.read_text("utf-8")
    assert "| mine | 1.0 | 1 | 1 | 1 | 1 | 1 | 2026-11-26, 2 s |" in text
    assert "* text · in: images · Chat completions → Anthropic" in text
    assert "* count of input tokens (not told) · in: tools, images · Chat completions → OpenAI, Anthropic" in text
    assert "* Gemini → Google Gemini: it has no such path" in text
    assert "* tool results: Chat completions → vLLM; mine refuses it: no place for it" in text
