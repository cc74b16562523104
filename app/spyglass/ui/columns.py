"""The columns of the tables of nodes: what each shows, sorts by, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spyglass.ui import alias_words, words

if TYPE_CHECKING:
    from spyglass.figures import Reading
    from spyglass.status import NodeInfo

HOST = "host"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, what it shows and sorts by, how it is drawn.

    ``width`` is the one that shows it all, ``least`` the narrowest that can be read (0: the same), in
    pixels beside a font of 13. Where there is no room for all, the column of the lowest ``rank`` is
    left out first (0: never).

    ``figure`` gives the number of a live column, which ``text`` of such a one does not know;
    ``told`` puts it in words. ``shown`` says whether the column is there until somebody
    chooses otherwise.
    """

    title: str
    width: int
    text: Callable[[NodeInfo, frozenset[str]], str] = lambda _node, _observing: ""
    key: Callable[[NodeInfo], object] | None = None
    look: str = "plain"
    shown: bool = True
    figure: Callable[[Reading], float] | None = None
    told: Callable[[float], str] = str
    line: str = ""
    tip: str = ""
    least: int = 0
    rank: int = 0


def _otp(node: NodeInfo) -> int:
    digits = "".join(c if c.isdigit() else " " for c in node.otp or "").split()
    return int(digits[0]) if digits else 0


def forward_address(node: NodeInfo) -> str:
    """Where the node is reached on this computer: ``127.0.0.1:40123``, or empty."""
    return f"127.0.0.1:{node.forward}" if node.forward else ""


def _far(node: NodeInfo) -> str:
    return f"{node.address or 'localhost'}:{node.port}" if node.port else ""


NODES = (
    Column("Node", 140, lambda n, _: n.node, look="strong", least=140),
    Column("Container", 80, lambda n, _: n.container or HOST, rank=7),
    Column("Image", 118, lambda n, _: n.image or "", look="dim", shown=False, least=90, rank=1),
    Column("OTP", 58, lambda n, _: n.otp or "", key=_otp, rank=6),
    Column("Name type", 86, lambda n, _: n.name_type or "", shown=False, rank=1),
    Column("Cookie from", 138, lambda n, _: n.cookie.source or "", look="chip", least=104, rank=4),
    Column(
        "Own address", 164, lambda n, _: alias_words.address(n), shown=False, least=132, rank=6,
        tip="Where the node answers on this computer, to your own tools",
    ),
    Column(
        "Processes", 150, figure=lambda r: r.processes, told=words.grouped, look="figure", line="accent",
        least=104, rank=8, tip="Processes on the node, over the last two minutes",
    ),
    Column(
        "Memory", 150, figure=lambda r: r.memory, told=words.size, look="figure", line="ok",
        least=104, rank=9, tip="Memory that the node has allocated, over the last two minutes",
    ),
    Column(
        "Run queue", 58, figure=lambda r: r.run_queue, told=words.grouped, look="figure",
        rank=5, tip="Processes that are ready to run and wait for a scheduler",
    ),
    Column(
        "Load", 62, figure=lambda r: -1 if r.load is None else r.load, told=words.percent, look="figure",
        shown=False, rank=2, tip="The part of the schedulers that was busy in the last two seconds",
    ),
    Column("Uptime", 84, figure=lambda r: r.uptime, told=words.uptime, look="figure", rank=3),
    Column("State", 150, words.node_state, look="prose", least=88),
)  # fmt: skip
FORWARDS = (
    Column("Node", 240, lambda n, _: n.node, look="strong", least=140),
    Column("On this computer", 150, lambda n, _: forward_address(n)),
    Column("For own tools", 140, lambda n, _: alias_words.address(n), shown=False, rank=4),
    Column("Leads to", 190, lambda n, _: _far(n), least=130, rank=3),
    Column("Container", 140, lambda n, _: n.container or HOST, least=80, rank=2),
    Column("Found by", 110, lambda n, _: n.via or "", look="dim", least=80, rank=1),
)
