"""The local node: a hidden Erlang VM of our own that joins remote nodes and shows Observer.

It does not listen, knows no epmd and has a constant name; routes and cookies reach it
through its standard input only. It ends when we end, however we end (see
``spyglass_ctl.erl``, its other half). One VM shows one Observer window.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spyglass import log
from spyglass.erlang.installation import Erlang, environment
from spyglass.erlang.process import Child, Event, Refused
from spyglass.erlang.refusals import explained
from spyglass.erlang.slots import Slot
from spyglass.errors import Failure

_QUIET = ["-boot", "no_dot_erlang", "-noinput"]
_HIDDEN = ["-hidden", "-connect_all", "false", "-dist_listen", "false", "-start_epmd", "false"]
_ALONE = ["-kernel", "dist_auto_connect", "never", "-kernel", "prevent_overlapping_partitions", "false"]


def arguments(slot: Slot, ebin: Path) -> list[str]:
    """The flags that make a VM ours: hidden, silent, found by nobody, led by our routes.

    The cookie on the command line is a dummy that belongs to no node: without one the VM
    would read or create ``~/.erlang.cookie``.
    """
    ours = ["-pa", str(ebin), "-epmd_module", "spyglass_epmd", "-proto_dist", "spyglass"]
    return [*ours, *_HIDDEN, *_ALONE, "-name", slot.node_name, "-setcookie", secrets.token_hex(8)]


class LocalNode:
    """One local VM. Every method may be called from any thread; all raise Failure and its kin."""

    def __init__(
        self, child: Callable[[Callable[[Event], None]], Child], on_event: Callable[[Event], None]
    ) -> None:
        """Use :meth:`start`."""
        self._on_event = on_event
        self._settled = threading.Event()  # it is up, or it is over
        self._up = False
        self._child = child(self._event)

    def __repr__(self) -> str:
        return f"<LocalNode {self._child!r}>"

    @classmethod
    def start(
        cls,
        erlang: Erlang,
        ebin: Path,
        slot: Slot,
        *,
        on_event: Callable[[Event], None] = lambda _event: None,
        environ: Mapping[str, str] | None = None,
    ) -> LocalNode:
        """Boot a VM in the background and return at once; raises Missing if ``erl`` is not there.

        ``on_event`` hears, in order and from one thread of ours, dicts with ``event`` one of:
        ``nodeup``, ``nodedown`` (``node``, ``reason``), ``unresponsive`` (``node``),
        ``observer_open``, ``observer_closed`` (``node``), ``exit`` (``status``; always the last).
        """
        argv = [str(erlang.path), *_QUIET, *arguments(slot, ebin), "-run", "spyglass_ctl", "start"]
        return cls(lambda listener: Child(argv, environment(environ), ebin, listener), on_event)

    @property
    def pid(self) -> int:
        """The VM's process id."""
        return self._child.pid

    def last_words(self) -> list[str]:
        """What it wrote to its standard error lately, for diagnostics; without secrets."""
        return self._child.last_words()

    def ready(self, timeout: float = 10.0) -> None:
        """Wait until it is up, at most ``timeout`` seconds."""
        if not self._settled.wait(timeout):
            raise Failure(
                f"Erlang did not start within {timeout:g} s", self._hint(), retry=True, code="timeout"
            )
        if not self._up:
            raise Failure("Erlang did not start", self._hint(), code="local-erlang")

    def _hint(self) -> str:
        words = self.last_words()
        return f"Its last words: {words[-1]}" if words else "Try another Erlang in the preferences."

    def _event(self, event: Event) -> None:
        if event["event"] in {"ready", "exit"}:
            self._up = self._up or event["event"] == "ready"
            self._settled.set()
        if event["event"] != "ready":
            self._on_event(event)

    def _ask(self, command: str, *args: str, timeout: float = 20.0) -> Any:
        self.ready()
        try:
            return self._child.request(command, args, timeout)
        except Refused as refusal:
            raise explained(refusal, args[0] if args else "") from None

    def add_route(self, node: str, port: int) -> None:
        """From now on the node of this full name is at 127.0.0.1:``port``."""
        self._ask("add_route", node, str(port))

    def remove_route(self, node: str) -> None:
        """Forget the way to the node; an established link stays."""
        self._ask("remove_route", node)

    def set_cookie(self, node: str, cookie: str) -> None:
        """Use this cookie for this node only. It is told to the log's blackening as well."""
        self._ask("set_cookie", node, log.forget(cookie))

    def connect(self, node: str, timeout: float = 12.0) -> None:
        """Join the node by its route and cookie. Erlang gives no reason for a failure: probe first."""
        self._ask("connect", node, timeout=timeout)

    def disconnect(self, node: str) -> None:
        """Cut the link to the node; an Observer window on it closes."""
        self._ask("disconnect", node)

    def watch(self, node: str) -> None:
        """Ask a joined node every 3 s; after two misses ``unresponsive``, then the link is cut."""
        self._ask("watch", node)

    def facts(self, node: str) -> dict[str, Any]:
        """``otp`` (str), ``elixir`` (bool: has IEx), ``runtime_tools`` (bool) of a joined node."""
        found: dict[str, Any] = self._ask("facts", node)
        return found

    def is_elixir(self, node: str) -> bool:
        """Whether the node can run an iex shell."""
        return bool(self.facts(node)["elixir"])

    def check_backend(self, node: str) -> bool:
        """Whether the node has what Observer needs of it (runtime_tools)."""
        return all(self._ask("check_backend", node).values())

    def can_lend(self, node: str) -> None:
        """Raise the Failure that says what to do when :meth:`lend` would not work."""
        self._ask("can_lend", node)

    def lend(self, node: str) -> list[str]:
        """Load what Observer needs into the node's memory; return the modules' names.

        They are taken back by :meth:`withdraw`, at our end, and when the link is cut.
        """
        return list(self._ask("lend", node, timeout=30.0))

    def withdraw(self, node: str, modules: Sequence[str]) -> list[str]:
        """Take lent modules back; return those that were."""
        return list(self._ask("withdraw", node, *modules))

    def preload(self) -> None:
        """Load Observer and build its window out of sight, so that :meth:`observe` is quick."""
        self._ask("preload", timeout=30.0)

    def observe(self, node: str) -> None:
        """Show Observer on the joined node, which must have the backend. An open window is re-pointed.

        May be asked for while :meth:`preload` is at work: ``spyglass_observer`` does one after the other.
        """
        self._ask("observe", node, timeout=45.0)

    def tab(self, index: int) -> str:
        """Turn Observer to this tab, counted from 0; return its title."""
        return str(self._ask("tab", str(index)))

    def close_observer(self) -> None:
        """Close the window if there is one."""
        self._ask("close_observer")

    def call(
        self, node: str, module: str, function: str, args: Sequence[str] = (), *, timeout: float = 20.0
    ) -> str:
        """Call ``module:function`` on a joined node; ``args`` are Erlang terms as text, one each.

        The result comes back as text, as Erlang prints it. Raises BadInput when a text is no term.
        """
        limit = str(int(timeout * 1000))
        return str(self._ask("call", node, limit, module, function, *args, timeout=timeout + 5))

    def stats(self, node: str) -> dict[str, Any]:
        """Figures of a joined node, in one round trip; nothing is loaded there.

        ``node otp erts architecture hostname os_pid`` text; ``memory`` a dict of bytes (total,
        processes, system, atom, binary, code, ets); ``process_count process_limit port_count
        port_limit atom_count atom_limit ets_count schedulers schedulers_online
        logical_processors_available run_queue`` counts and ``run_queues`` a list of them;
        ``uptime_ms cpu_ms`` milliseconds; ``io_in io_out`` bytes; ``reductions`` a count;
        ``visible hidden`` lists of other nodes (ours left out); ``top`` the ten largest
        processes: ``pid name memory reductions queue``.
        """
        found: dict[str, Any] = self._ask("stats", node, timeout=30.0)
        return found

    def figures(self, nodes: Sequence[str]) -> list[dict[str, Any]]:
        """The few figures that are asked for again and again, of joined nodes at the same time.

        Of each: ``node``, ``memory`` (bytes in all), ``processes run_queue schedulers`` (counts, the last
        those online), ``uptime_ms cpu_ms``, ``otp`` (text). One that does not answer within 1.5 s is left
        out.
        """
        return list(self._ask("figures", *nodes))

    def close(self) -> None:
        """End the VM: window closed, lent modules taken back. Idempotent; callable from any thread."""
        self._child.close()
