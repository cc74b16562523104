"""What BEAM nodes are there, who are they really, and which cookie opens them.

:func:`discover` looks around once by a script (``survey``), divides what it sees into
network namespaces (``ground``), asks each epmd, visits each port that should be a node's
(``visit``), and proves cookies (``cookies``), looking into a container (``inside``) only
where the host's view was not enough. What can't be reached is listed with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from spyglass.erlang.cookies import Given
from spyglass.erlang.findings import Findings
from spyglass.erlang.found import Discovery, Found
from spyglass.erlang.porter import Wish
from spyglass.erlang.search import Search
from spyglass.errors import Cancelled
from spyglass.profile import Selector
from spyglass.remote.base import Remote, Stop
from spyglass.remote.container import Container

if TYPE_CHECKING:
    from spyglass.remote.tls import Credentials

__all__ = ["Discovery", "Found", "discover"]


def discover(
    remote: Remote,
    *,
    hops: tuple[str, ...],
    me: str,
    select: Selector = Selector(),
    given: Given = None,
    credentials: Sequence[Credentials] = (),
    stop: Stop,
    on_found: Callable[[Found], None] | None = None,
) -> Discovery:
    """Find the nodes at ``remote``; on a Container, those in it.

    ``me`` is the name we give at each handshake and must be the same at every call.
    ``given`` is a cookie to try first, or cookies by node name; ``credentials`` are for
    nodes that speak TLS. ``on_found`` is called from
    a worker thread as soon as one node is known to the end. Raises Cancelled when stopped
    and Lost when the link is gone; everything else becomes a reason or a warning.
    """
    findings = Findings(_unless_stopped(on_found, stop))
    only = remote.facts.id if isinstance(remote, Container) else None
    place = remote.inner if isinstance(remote, Container) else remote
    search = Search(place, Wish(hops, me, select, given, only, tuple(credentials)), stop, findings)
    search.run()
    found, warnings = findings.nodes(), findings.warnings()
    return Discovery(found, warnings, findings.containers, search.aim, search.engines, search.processes)


def _unless_stopped(on_found: Callable[[Found], None] | None, stop: Stop) -> Callable[[Found], None] | None:
    if on_found is None:
        return None

    def tell(node: Found) -> None:
        if stop.is_set():
            raise Cancelled
        on_found(node)

    return tell
