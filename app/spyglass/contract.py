"""The JSON shapes that scripts rely on, in the command line and over the control socket. Pure.

A cookie's value is in none of them.
"""

from __future__ import annotations

from typing import Any

from spyglass.status import NodeInfo, Problem, Status

_NODE = (
    *("node", "reachable", "why_not", "name_type", "hops", "runtime", "container", "container_id"),
    *("image", "networks", "address", "port", "via", "epmd_port", "hidden", "otp", "tls", "runtime_tools"),
)


def node_json(info: NodeInfo) -> dict[str, Any]:
    """One node."""
    told: dict[str, Any] = {name: getattr(info, name) for name in _NODE}
    told["hops"], told["networks"] = list(info.hops), list(info.networks)
    told["cookie"] = {"found": info.cookie.found, "source": info.cookie.source, "proved": info.cookie.proved}
    return told


def status_json(status: Status, profile: str) -> dict[str, Any]:
    """One connection; ``profile`` is its profile's name, ``next_try`` seconds since the epoch."""
    names = {node.key: node.node for node in status.nodes}
    return {
        "profile": profile,
        "id": status.profile_id,
        "phase": status.phase.value,
        "doing": status.doing,
        "nodes": [node_json(node) for node in status.nodes],
        "observing": sorted(names.get(key, key) for key in status.observing),
        "problem": _problem(status.problem) if status.problem else None,
        "attempt": status.attempt,
        "next_try": status.next_try,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("title", "hint", "code", "retry")}


def step_json(status: Status) -> dict[str, Any]:
    """What a connection is doing, for somebody who waits for it."""
    return {
        "phase": status.phase.value,
        "doing": status.doing,
        "question": status.question,
        "problem": status.problem.title if status.problem else "",
        "nodes": len(status.nodes),
        "surveyed": status.surveyed,
        "next_try": status.next_try,
    }
