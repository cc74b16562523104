"""What container engines tell while things happen, and whether it concerns a target.

``docker events``, ``podman events`` and ``nerdctl events`` write one JSON object a line; the shape
differs, so little is taken for granted: an object that can't be judged counts as news, for the worst
that comes of it is one search.

One command follows all engines of a place (``resources/discovery/events.sh``), and tells in the same way
of BEAMs outside containers. It holds one session of the SSH connection, sleeps while nothing happens, and
ends when its standard input does. An engine's API tells by a connection of its own.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spyglass import asset
from spyglass.erlang.selection import may_mean
from spyglass.remote.base import Piped, Remote
from spyglass.remote.container import CommandLine, Engine, Facts, Shellless
from spyglass.selector import Selector

_RISING = {"start", "unpause", "connect", "rename", "init"}
_FALLING = {"die", "died", "pause", "disconnect", "stop", "kill", "remove", "destroy", "cleanup", "delete"}
_NOISE = ("exec", "health", "top", "attach", "commit", "archive", "copy", "export", "resize", "pull", "tag")


@dataclass(frozen=True, slots=True)
class News:
    """Something happened. ``rising``: a node may follow, and needs a moment to come up."""

    rising: bool


def follow(place: Remote, engines: Sequence[Engine], processes: Sequence[int] | None = None) -> Piped | None:
    """Begin to listen to those engines that tell; None: there is none.

    ``processes``: to what becomes of BEAMs outside containers as well, of which these are known.
    Raises what :meth:`Remote.pipe` raises.
    """
    if isinstance(place, Shellless):
        return place.engine.events()
    commands = [" ".join((*e.prefix, e.name)) for e in engines if isinstance(e, CommandLine)]
    if not commands and processes is None:
        return None
    known = "engines" if processes is None else " ".join(("host", *map(str, processes)))
    return place.pipe(["sh", "-c", _script(), "events", known, *commands])


@functools.cache
def _script() -> str:
    return asset("discovery/events.sh").read_text(encoding="utf-8")


def judge(line: bytes, select: Selector) -> News | None:
    """What a line means for a target; None for what does not concern it."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    action = _action(told)
    if action.startswith(_NOISE) or (action not in _RISING | _FALLING and action):
        return None
    return News(action in _RISING) if _may_concern(told, select) else None


def _action(told: dict[str, Any]) -> str:
    """``start``, ``die`` …; containerd's topics (nerdctl) look like ``/tasks/start``."""
    for key in ("Action", "status", "Status", "Topic"):
        if isinstance(told.get(key), str) and told[key]:
            return str(told[key]).rpartition("/")[2].partition(":")[0].strip()
    return ""


def _may_concern(told: dict[str, Any], select: Selector) -> bool:
    """Events of networks and of the host name no container, a new name is not the old one: all may."""
    kind = str(told.get("Type") or "container").lower()
    facts = _facts(told)
    if kind != "container" or facts is None or _action(told) == "rename":
        return True
    return may_mean(select, facts)


def _facts(told: dict[str, Any]) -> Facts | None:
    actor = told.get("Actor")
    about = actor.get("Attributes") if isinstance(actor, dict) else told.get("Attributes")
    name = about.get("name") if isinstance(about, dict) else told.get("Name")
    if not isinstance(name, str) or not name:
        return None
    labels = {k: v for k, v in (about or {}).items() if isinstance(v, str)} if isinstance(about, dict) else {}
    identity = actor.get("ID") if isinstance(actor, dict) else told.get("ID")
    image = labels.get("image") or str(told.get("Image") or "")
    return Facts("", str(identity or ""), name, image, labels=labels)
