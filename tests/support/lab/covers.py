"""Private directories over the machine's own, with what is needed of those shining through.

A place has a /run, /tmp and /home of its own, but the checkout may lie below one of them, or below
a home that plain users may not enter. What is to stay visible keeps its path, so that every path in
it stays right.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from support.lab.place import Place

CHECKOUT = Path(__file__).resolve().parents[3]
PROGRAM = (CHECKOUT, Path(sys.prefix), Path(sys.base_prefix))
"""What running Spyglass needs: the checkout, its environment, and the Python behind that."""

_COVER = """
hold=$1; shift; n=0
for path; do
  case $path in *=*) continue ;; esac
  n=$((n+1)); mkdir -p "$hold/$n"; mount --bind "$path" "$hold/$n"
done
for cover; do
  case $cover in *=*) mount -t tmpfs -o "mode=${cover#*=}" tmpfs "${cover%=*}" ;; esac
done
n=0
for path; do
  case $path in *=*) continue ;; esac
  n=$((n+1)); mkdir -p "$path"; mount --bind "$hold/$n" "$path"
  umount "$hold/$n"; rmdir "$hold/$n"
done
"""


def cover(place: Place, hold: Path, modes: Mapping[str, str], visible: Iterable[Path]) -> None:
    """Lay an empty directory over each of ``modes`` (mode by path), and over what closes a visible path.

    ``hold`` is a directory outside of them all that the visible ones are held in meanwhile.
    """
    wanted = list(dict.fromkeys(path.resolve() for path in visible))
    covers = {Path(path): mode for path, mode in modes.items()}
    for path in wanted:
        closed = next((parent for parent in reversed(path.parents) if not _open(parent)), None)
        if closed and not any(closed.is_relative_to(cover) for cover in covers):
            covers[closed] = "755"
    hidden = [path for path in wanted if any(path.is_relative_to(cover) for cover in covers)]
    words = [*map(str, hidden), *(f"{path}={mode}" for path, mode in covers.items())]
    place.sh(_COVER, str(hold), *words)


def _open(directory: Path) -> bool:
    return bool(directory.stat().st_mode & 0o001)
