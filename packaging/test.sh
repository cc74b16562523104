#!/bin/bash
# Run the tests given (default: all). The lab makes network namespaces and starts servers, so it needs root.
set -uo pipefail
cd "$(dirname "$0")/.."

unset PYTHONDONTWRITEBYTECODE  # with compiled tests the next run starts twice as fast
command=(.venv/bin/pytest -p no:cacheprovider "$@")
if [ "$(id -u)" = 0 ]; then
  exec "${command[@]}" </dev/null 2>&1
fi

echo "The tests run under sudo: the lab needs network namespaces, a Docker engine and an sshd of its own." >&2
export RUFF_NO_CACHE=true MYPY_CACHE_DIR=/dev/null
sudo --preserve-env=CI,RUFF_NO_CACHE,MYPY_CACHE_DIR "${command[@]}" </dev/null 2>&1
status=$?
sudo find . -user root -exec chown -h "$(id -u):$(id -g)" {} +  # leave no file of root in a person's checkout
exit $status
