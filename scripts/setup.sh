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

. scripts/uv.sh

files=""
for file in "$@"; do files="$files -r $file"; done
# shellcheck disable=SC2086
"$UV" pip install --quiet --python .venv/bin/python --require-hashes $files
"$UV" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
