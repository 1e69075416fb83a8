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
install() { # folder with package.json and lock, place, more options of npm
  [ ! "$2/.done" -nt "$1/package-lock.json" ] || return 0
  mkdir -p "$2"
  cp "$1/package.json" "$1/package-lock.json" "$1/.npmrc" "$2"
  (cd "$2" && PATH="$OLDPWD/.cache/clients/node/bin:$PATH" npm ci --silent --ignore-scripts ${3:-})
  touch "$2/.done"
}
install tests/clients/node .cache/clients/js --omit=optional
# Coding agents are 800 MB: only for who asks.
[ -z "${AGENTS:-}" ] || install tests/clients/agents .cache/clients/agents
