"""What to type in a terminal to be on a node with a tool of one's own. Pure.

No cookie is in it: on a command line every user of the computer could read it in the process list.
Erlang takes it from ``~/.erlang.cookie``. The person's node is hidden, as a visible one from outside
is thrown out of a cluster, and upsets it.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spyglass.status import NodeInfo

EPMD = 4369
COOKIE = "Erlang takes the node's cookie from ~/.erlang.cookie."
_ROUTED = "-pa {ebin} -epmd_module spyglass_epmd -spyglass_route {node} {port} -start_epmd false"
_TLS = "-proto_dist inet_tls -ssl_dist_optfile my-tls.conf"
_PLAIN = re.compile(r"[\w@.:/+,-]+")
_SILENT = "-dist_listen false -connect_all false"


def at_address(info: NodeInfo, epmd_port: int = EPMD) -> str:
    """The line for a node that answers at its own address on this computer.

    Its environment keeps the epmd that is started along off the node's address. A node of TLS
    distribution speaks it there, too, so the person's own needs an option file ("Using TLS for Erlang
    Distribution" in OTP's ssl application), whose name stands for one of theirs.
    """
    port = f" ERL_EPMD_PORT={epmd_port}" if epmd_port != EPMD else ""
    flags = _TLS if info.tls else ""
    spelt = f' --erl "{flags}"' if flags and info.elixir else f" {flags}" if flags else ""
    return f"ERL_EPMD_ADDRESS=127.0.0.1{port} {_tool(info, spelt)}"


def by_route(info: NodeInfo, ebin: PurePath) -> str:
    """The line for a node that is reached by its forward: our EPMD module leads there.

    If it speaks TLS, that ends at the forward. Empty where there is no such line: without a forward, or
    with characters in the node's name or in the path of our modules (``ebin``) that a shell, or elixir's
    ``--erl``, would read in a way of its own.
    """
    if not info.forward or not _PLAIN.fullmatch(f"{info.node}{ebin}"):
        return ""
    flags = f"{_ROUTED.format(ebin=ebin, node=info.node, port=info.forward)} {_SILENT}"
    return _tool(info, f' --erl "{flags}"' if info.elixir else f" {flags}")


def _tool(info: NodeInfo, flags: str = "") -> str:
    name = "sname me@localhost" if info.name_type == "short" else "name me@127.0.0.1"
    node = shlex.quote(info.node)
    if info.elixir:
        return f"iex --hidden --{name}{flags} --remsh {node}"
    return f"erl -hidden -{name}{flags} -remsh {node}"
