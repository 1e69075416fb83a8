#!/bin/sh
# Re-lock every requirement file with hashes, for all platforms; the files name no host.
set -eu
UV=$(command -v uv || echo .cache/uv/bin/uv)
compile() { "$UV" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 "$@"; }
compile pyproject.toml --extra embedded --extra demo --group build -o requirements.txt
compile pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
compile pyproject.toml --extra ocr -c requirements.txt -c requirements-dev.txt -o requirements-ocr.txt
compile pyproject.toml --extra ner -c requirements.txt -c requirements-dev.txt -o requirements-ner.txt
compile pyproject.toml --extra energy -c requirements.txt -c requirements-dev.txt -o requirements-energy.txt
compile pyproject.toml --extra routing-fit -c requirements.txt -c requirements-dev.txt -c requirements-ner.txt -o requirements-routing.txt
compile pyproject.toml --extra evaluation -c requirements.txt -c requirements-dev.txt -c requirements-ner.txt -c requirements-routing.txt -o requirements-evaluation.txt
compile pyproject.toml --extra ray -c requirements.txt -c requirements-dev.txt -o requirements-ray.txt
echo "uv" | compile - -o requirements-uv.txt
echo "atheris==3.0.0" | compile - -o requirements-fuzz.txt
for environment in tests/clients/environments/*.in bench/privacy_bench/*.in; do compile "$environment" -o "${environment%.in}.txt"; done
for place in node agents; do (cd tests/clients/$place && npm install --silent --package-lock-only); done
