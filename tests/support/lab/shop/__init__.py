"""A real ``mix release`` of a tiny application, for a node that starts the way production nodes do."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
_SOURCES = ("mix.exs", "lib/shop.ex")


def fingerprint() -> bytes:
    """Return a value that changes with the sources."""
    return hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in _SOURCES)).digest()


def build() -> Path:
    """Build the release in a scratch directory; return its root. The caller removes ``.parent``."""
    scratch = Path(tempfile.mkdtemp(prefix="spyglass-shop-"))
    for name in _SOURCES:
        (scratch / name).parent.mkdir(exist_ok=True)
        shutil.copy2(HERE / name, scratch / name)
    env = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "MIX_ENV": "prod",
        "HEX_OFFLINE": "1",
    }
    command = ["mix", "release", "--quiet", "--path", str(scratch / "shop")]
    subprocess.run(command, cwd=scratch, env=env, check=True, timeout=120, stdin=subprocess.DEVNULL)
    return scratch / "shop"
