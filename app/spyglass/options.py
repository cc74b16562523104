"""How a connection behaves, as whoever opens it wants it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from spyglass.loopback.shared import Shared

Boots = Literal["window", "calls", ""]


Follows = Literal["", "events", "always"]
"""Not at all; by events and questions; or by a look every few seconds besides."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a connection behaves. ``persist``: it comes back after a loss, and a next VM stands by
    when a window was opened. ``boots``: the VM to start while SSH connects. ``aliases``: nodes get
    addresses of their own if the profile says so, with the ``helper`` where it takes root. ``follow``:
    whether nodes that come and go later are noticed."""

    persist: bool = True
    boots: Boots = "window"
    cookie: str | None = field(default=None, repr=False)
    follow: Follows = "events"
    aliases: bool = False
    helper: Shared | None = field(default=None, repr=False)
