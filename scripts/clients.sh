#!/bin/sh
# Build .cache/clients: one environment for each lock in tests/clients/environments, and the JavaScript clients.
set -eu
PYTHON="${PYTHON:-python3}"
. scripts/uv.sh
for lock in tests/clients/environments/*.txt; do
  place=.cache/clients/$(basename "$lock" .txt)
  [ ! "$place/.done" -nt "$lock" ] || continue
  "$UV" venv --quiet --clear --python .venv/bin/python "$place"
  "$UV" pip install --quiet --python "$place/bin/python" --require-hashes -r "$lock"
  touch "$place/.done"
done
place=.cache/clients/js
if [ ! "$place/.done" -nt tests/clients/node/package-lock.json ]; then
  mkdir -p "$place"
  cp tests/clients/node/package.json tests/clients/node/package-lock.json tests/clients/node/.npmrc "$place"
  node=$(pwd)/.cache/clients/node/bin
  (cd "$place" && PATH="$node:$PATH" npm ci --silent --omit=optional --ignore-scripts)
  touch "$place/.done"
fi
