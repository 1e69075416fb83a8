# Sourced by the scripts beside it: sets UV, and tells it what pip has been told. Needs PYTHON and .venv.

# uv does not read pip's settings: hand it the user's own index and certificates (a company's proxy), if they are set.
settings=$(.venv/bin/python -m pip config list 2>/dev/null || true)
pip_setting() { # environment first, as pip itself does
  for origin in :env: install global; do
    value=$(printf '%s\n' "$settings" | sed -n "s/^$origin\.$1='\(.*\)'\$/\1/p")
    [ -z "$value" ] || { printf '%s' "$value"; return; }
  done
}
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
  index=$(pip_setting index-url)
  [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
fi
if [ -z "${SSL_CERT_FILE:-}" ]; then
  certificates=$(pip_setting cert)
  [ -z "$certificates" ] || export SSL_CERT_FILE="$certificates"
fi

if command -v uv >/dev/null 2>&1; then
  UV=uv
else
  UV=.cache/uv/bin/uv
  [ -x "$UV" ] || { "$PYTHON" -m venv .cache/uv && .cache/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt; }
fi
