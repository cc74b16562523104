"""Imports paramiko without what it takes along for a part that we do not use.

paramiko's own reader of ssh_config (ours replaces it) imports ``invoke`` where that is
installed, which takes as long as all the rest: 40 ms of each start. paramiko does without
it by itself where it is missing, so it is missing while we import.
"""

from __future__ import annotations

import sys


def import_paramiko() -> None:
    """Import paramiko; call it before the first import of a module that needs it."""
    if "paramiko" in sys.modules or "invoke" in sys.modules:
        return
    sys.modules["invoke"] = None  # type: ignore[assignment]  # "not installed", as the import system notes it
    try:
        import paramiko  # noqa: F401, PLC0415 - for the effect
    finally:
        del sys.modules["invoke"]
