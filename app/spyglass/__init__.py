"""Spyglass: Observer on any BEAM node that SSH can reach."""

from pathlib import Path

__version__ = "0.1.0"

APP_ID = "io.github.beamspyglass.spyglass"
"""Desktop file, metainfo, D-Bus name and window class: all equal, all lower case."""


def asset(relative: str) -> Path:
    """Return the path of a file of ``resources/``, in a checkout or in an installed wheel."""
    package = Path(__file__).resolve().parent
    installed = package / "resources" / relative
    return installed if installed.exists() else package.parents[1] / "resources" / relative
