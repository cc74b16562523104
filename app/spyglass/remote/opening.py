"""Opening a profile's way: a fold over its hops, each reached through the Remote before it.

The ProxyJump of ssh_config is expanded for the first SSH hop only. A later hop has the
hops before it for its way, as with ``ssh -J``, where the command line wins over the file.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from spyglass.errors import BadInput
from spyglass.profile import ContainerHop, EngineHop, Hop, KubernetesHop, SSHHop
from spyglass.questions import Ask
from spyglass.remote import lean
from spyglass.remote.base import Remote, Stop
from spyglass.remote.local import Local

if TYPE_CHECKING:
    from spyglass.remote.auth import Secrets
    from spyglass.remote.sshconfig import Settings

_LOG = logging.getLogger("spyglass")
MOST_JUMPS = 16  # OpenSSH has no limit; nobody means more than this


def _silent(_index: int, _state: str, _detail: str) -> None:
    """Nobody wants to hear of the hops."""


def open_hops(
    hops: Sequence[Hop],
    ask: Ask,
    stop: Stop,
    stack: ExitStack,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    secrets: Secrets | None = None,
    on_hop: Callable[[int, str, str], None] = _silent,
) -> list[Remote]:
    """Open every hop; the result begins with this computer and ends with the place to be.

    Each Remote is pushed on ``stack`` as soon as it is open, so what was opened is closed
    even when a later one fails. ``on_hop(index, state, detail)`` tells of the progress:
    ``index`` counts ``hops`` from 0 (the jump hosts of a hop count as that hop), ``state``
    is ``busy`` or ``ok``. Raises what :meth:`SSH.connect` and Container raise.
    """
    here: Remote = Local()
    stack.callback(here.close)
    remotes = [here]
    for index, hop in enumerate(hops):
        tell = functools.partial(on_hop, index)
        way = _ways(hop, first=index == 0, config=config, environ=environ)
        for step, settings in way:
            stop.check()
            for warning in settings.warnings if settings else ():
                _LOG.info("%s", warning)
            if isinstance(step, EngineHop | KubernetesHop):
                tell("busy", "asking the engine")
                remote = _engine(step, remotes[-1], ask)
            else:
                busy = functools.partial(tell, "busy")
                remote = _open(step, settings, remotes[-1], ask, stop, secrets, busy)
            stack.callback(remote.close)
            remotes.append(remote)
        tell("ok", _detail(remotes[-1]))
    return remotes


def _detail(remote: Remote) -> str:
    """Who we are at the last hop and how it let us in, where there was something to let in."""
    method = str(getattr(remote, "auth_method", ""))
    settings: Settings | None = getattr(remote, "settings", None)
    return f"{settings.user} · {method}" if method and settings else method or remote.describe()


def _engine(hop: EngineHop | KubernetesHop, through: Remote, ask: Ask) -> Remote:
    if isinstance(hop, KubernetesHop):
        from spyglass.remote.cluster import Cluster  # noqa: PLC0415 - rare

        return Cluster.reach(hop, through)
    from spyglass.remote.engine_host import EngineHost  # noqa: PLC0415 - rare

    return EngineHost.open(hop, through, ask)


def _open(
    hop: SSHHop | ContainerHop,
    settings: Settings | None,
    through: Remote,
    ask: Ask,
    stop: Stop,
    secrets: Secrets | None,
    busy: Callable[[str], None],
) -> Remote:
    if isinstance(hop, ContainerHop):
        from spyglass.remote import container  # noqa: PLC0415 - most ways have none

        busy(f"looking for the container {hop.name}")
        return container.find(through, hop.name, hop.engine)
    lean.import_paramiko()  # only here: it costs 0.1 s, and not every way needs it
    from spyglass.remote.ssh import SSH  # noqa: PLC0415

    return SSH.connect(hop, through, ask, stop, settings=settings, secrets=secrets, on_step=busy)


def _ways(
    hop: Hop, *, first: bool, config: Path | None, environ: Mapping[str, str] | None
) -> Iterator[tuple[Hop, Settings | None]]:
    """The hop itself with its settings, after the jump hosts that ssh_config puts before it."""
    if not isinstance(hop, SSHHop):
        yield hop, None
        return
    from spyglass.remote import sshconfig  # noqa: PLC0415 - as above

    resolve = functools.partial(sshconfig.resolve, config=config, environ=environ)
    yield from _expand(hop, resolve, (), jump=first)


def _expand(
    hop: SSHHop, resolve: Callable[[SSHHop], Settings], path: tuple[str, ...], *, jump: bool
) -> Iterator[tuple[SSHHop, Settings]]:
    """The jump hosts of a hop, the jump hosts of the first of these before them, then the hop."""
    settings = resolve(hop)
    name = f"{settings.user}@{settings.hostname}:{settings.port}"
    if name in path or len(path) > MOST_JUMPS:
        raise BadInput(
            f"The ProxyJump lines go round in circles: {' → '.join(reversed((*path, name)))}",
            "Correct ProxyJump in the SSH configuration, or give the way as hops of the profile.",
        )
    for position, before in enumerate(settings.proxy_jump if jump else ()):
        yield from _expand(before, resolve, (*path, name), jump=position == 0)
    yield hop, settings
