#!/bin/bash
# Run the tests given (default: all). The lab makes network namespaces and starts servers, so it needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

export PYTHONDONTWRITEBYTECODE=1  # as root in somebody's checkout: leave no files of root there
command=(.venv/bin/pytest -p no:cacheprovider "$@")
if [ "$(id -u)" != 0 ]; then
  echo "The tests run under sudo: the lab needs network namespaces, a Docker engine and an sshd of its own." >&2
  export RUFF_NO_CACHE=true MYPY_CACHE_DIR=/dev/null
  command=(sudo --preserve-env=CI,PYTHONDONTWRITEBYTECODE,RUFF_NO_CACHE,MYPY_CACHE_DIR "${command[@]}")
fi
exec "${command[@]}" </dev/null 2>&1
