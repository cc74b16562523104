"""Nodes with addresses of their own, and without, as the window is shown them."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from spyglass import owntools
from spyglass.loopback import epmd
from spyglass.profile import Profile, SSHHop
from spyglass.status import Alias, NodeInfo, Problem, Status
from support import fake_hub as fake

LAB = Profile(name="lab", id=fake.profile_id(9), hops=(SSHHop("lab", "deploy"),), alias="auto")
HELD = fake.node("remotenode@127.0.0.2", "remotenode", source="-setcookie", forward=40121, elixir=True)
OPEN = replace(
    HELD, alias=Alias("127.0.0.2", 19000, 4369, owntools.at_address(HELD)), port=19000, epmd_port=4369
)
EBIN = Path("/home/dev/.cache/spyglass/ebin-14.2-1f0c9d2b7a65e380")
IN_THE_WAY = epmd.explain("127.0.0.2", 4369, epmd.Holder("0.0.0.0", 4369, 0, None, "epmd"), 4369)


def refused(node: NodeInfo, problem: Problem) -> NodeInfo:
    """The node without an address, and the line that remains."""
    return replace(node, alias=Alias(problem=problem, command=owntools.by_route(node, EBIN)))


BLOCKED = refused(OPEN, Problem(IN_THE_WAY.title, IN_THE_WAY.hint, IN_THE_WAY.code))
NAMED = refused(
    fake.node("shop@web-1", "web", forward=40122, elixir=True),
    Problem(
        "shop@web-1 is named by a host name, not by an address",
        "Observer and `spyglass shell` reach it without one.",
    ),
)


def status(*nodes: NodeInfo) -> Status:
    """Connected to these."""
    made = fake.connected(LAB, nodes)
    return replace(made, chain=made.chain[:1] + made.chain[-1:], observing=frozenset())
