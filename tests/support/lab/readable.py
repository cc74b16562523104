"""Let plain users of a place reach this checkout, wherever it lies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from support.lab.place import Place

CHECKOUT = Path(__file__).resolve().parents[3]
PROGRAM = (CHECKOUT, Path(sys.prefix), Path(sys.base_prefix))
"""What running Spyglass needs: the checkout, its environment, and the Python behind that."""

_OPEN_UP = """
closed=$1; shift; hold=$(mktemp -d); n=0
for path; do n=$((n+1)); mkdir "$hold/$n"; mount --bind "$path" "$hold/$n"; done
mount -t tmpfs -o mode=755 tmpfs "$closed"; n=0
for path; do
  n=$((n+1)); mkdir -p "$path"; mount --bind "$hold/$n" "$path"
  umount "$hold/$n"; rmdir "$hold/$n"
done
rmdir "$hold"
"""


def make_readable(place: Place, paths: Sequence[Path]) -> None:
    """Let everybody in the place reach these directories: a checkout below a closed home, for instance.

    Over the highest directory that others may not enter, an empty one is laid, and in it the
    wanted directory is bound at the same path, so that every path in it stays right.
    """
    root = Path(f"/proc/{place.first}/root")
    wanted = list(dict.fromkeys(path.resolve() for path in paths))
    for path in wanted:
        closed = _closed_above(root, path)
        if closed:
            inside = [str(other) for other in wanted if other.is_relative_to(closed)]
            place.sh(_OPEN_UP, str(closed), *inside)


def _closed_above(root: Path, path: Path) -> Path | None:
    for directory in reversed(path.parents):
        if not (root / directory.relative_to("/")).stat().st_mode & 0o001:
            return directory
    return None
