"""What container engines tell while things happen, and whether it concerns a target.

``docker events``, ``podman events`` and ``nerdctl events`` write one JSON object a line; the shape
differs, so little is taken for granted: an object that can't be judged counts as news, for the worst
that comes of it is one search.

One command follows all engines of a place (``resources/discovery/events.sh``). It holds one session of
the SSH connection, sleeps while nothing happens, and ends when its standard input does.
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
from spyglass.remote.container import CommandLine, Engine, Facts
from spyglass.selector import Selector

_RISING = {"start", "unpause", "connect", "rename", "init"}
_FALLING = {"die", "died", "pause", "disconnect", "stop", "kill", "remove", "destroy", "cleanup", "delete"}
_NOISE = ("exec", "health", "top", "attach", "commit", "archive", "copy", "export", "resize", "pull", "tag")


@dataclass(frozen=True, slots=True)
class News:
    """Something happened. ``rising``: a node may follow, and needs a moment to come up."""

    rising: bool


def follow(place: Remote, engines: Sequence[Engine]) -> Piped | None:
    """Begin to listen to those engines that have a command; None: there is none.

    Raises what :meth:`Remote.pipe` raises.
    """
    commands = [" ".join((*e.prefix, e.name)) for e in engines if isinstance(e, CommandLine)]
    return place.pipe(["sh", "-c", _script(), "events", *commands]) if commands else None


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
    """Events of networks name no container, and a new name is not the old one: both always may."""
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
