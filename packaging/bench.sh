#!/bin/bash
# Run every benchmark, one after the other; each ends with 1 where a target is missed. They make namespaces,
# so they need root.
set -uo pipefail
cd "$(dirname "$0")/.."

unset PYTHONDONTWRITEBYTECODE  # an installed program is compiled
root=()
if [ "$(id -u)" != 0 ]; then
  echo "The benchmarks run under sudo: they use network namespaces, a Docker engine and an sshd of their own." >&2
  root=(sudo)
fi
status=0
for each in tests/bench/bench_*.py; do
  printf '\n%s\n' "$each"
  "${root[@]}" .venv/bin/python "$each" || status=1
done
exit $status
