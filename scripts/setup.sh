#!/bin/sh
# Build .venv from the hash-locked requirement files named as arguments, then install the project itself into it.
# uv does the work where it is there; else it is brought in with pip, into a folder of its own.
set -eu
PYTHON="${PYTHON:-python3}"
"$PYTHON" - <<'PY' || { echo "Yuzui needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
PY
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv

# uv does not read pip's settings: hand it the user's own index, if one is set.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
  index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
  index="${PIP_INDEX_URL:-$index}"
  [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
fi

if command -v uv >/dev/null 2>&1; then
  UV=uv
else
  UV=.cache/uv/bin/uv
  [ -x "$UV" ] || { "$PYTHON" -m venv .cache/uv && .cache/uv/bin/python -m pip install --quiet --require-hashes -r requirements-uv.txt; }
fi

files=""
for file in "$@"; do files="$files -r $file"; done
# shellcheck disable=SC2086
"$UV" pip install --quiet --python .venv/bin/python --require-hashes $files
"$UV" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
