"""A look at a place that has no shell: by what its container engine's API tells, and from inside.

The engine lists processes without running anything in a container (``top``); only where one of
them is a BEAM does the survey run inside, by the engine's ``exec``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from spyglass.erlang import survey
from spyglass.erlang.survey import Survey
from spyglass.errors import Failure, Lost
from spyglass.remote.container import Container, Facts, Shellless

_AT_ONCE = 6
_SECONDS = 6.0


def take(host: Shellless) -> Survey:
    """What the engine tells of its containers. Raises what the API does."""
    return Survey(hostname=host.host, readable=True, engines={host.engine: host.containers()})


def look(seen: Survey, host: Shellless, containers: Sequence[Facts], warn: Callable[[str], None]) -> Survey:
    """The survey with the BEAMs in these containers; ``warn`` hears of those that can't be looked into."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="afar") as pool:
        looks = list(pool.map(lambda facts: _inside(host, facts, warn), containers))
    known = zip(containers, looks, strict=True)
    homes = [(facts.id, inside) for facts, inside in known if inside is not None]
    beams = tuple(
        replace(beam, container_ids=(identity,)) for identity, inside in homes for beam in inside.beams
    )
    return replace(seen, beams=beams, visible=frozenset(identity for identity, _ in homes))


def _inside(host: Shellless, facts: Facts, warn: Callable[[str], None]) -> Survey | None:
    if facts.paused:
        return None
    holds = _holds_a_beam(host, facts)
    if holds is False:
        return Survey()
    try:
        return survey.take(Container(host, facts), "inside", seconds=_SECONDS)
    except Lost:
        raise
    except Failure as failure:
        if holds or failure.code != "no-shell":  # many containers have neither a BEAM nor a shell
            warn(f"No look into the container {facts.name}: {failure.title}")
        return None


def _holds_a_beam(host: Shellless, facts: Facts) -> bool | None:
    """None: not every engine can tell."""
    try:
        names = host.engine.processes(facts.id)
    except Lost:
        raise
    except Failure:
        return None
    return None if names is None else any(name.startswith("beam") for name in names)
