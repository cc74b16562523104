"""What one connected period owns: the survey, the forwards, the windows, a VM for calls.

Touched only by its connection's thread, but for the workers that it starts, which report
by ``post``. Everything stands on the connection's ExitStack, so that leaving it undoes
exactly what was built.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spyglass import given
from spyglass.errors import Cancelled, Failure, Unreachable
from spyglass.forward import Forward, open_forward
from spyglass.messages import Report, Seen, Surveyed, SurveyFailed
from spyglass.observation import Observation, join, with_cookie
from spyglass.profile import Profile
from spyglass.remote.base import Remote, Stop

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Discovery, Found
    from spyglass.questions import Ask
    from spyglass.standby import Booted, Standby
    from spyglass.status import NodeInfo


class Session:
    """One connected period of one profile."""

    def __init__(
        self,
        profile: Profile,
        remotes: list[Remote],
        standby: Standby,
        ask: Ask,
        post: Callable[[Report], None],
        cookie: str | None = None,
    ) -> None:
        """``remotes`` as :func:`spyglass.remote.opening.open_hops` gives them; ``cookie`` a given one."""
        self._profile = profile
        self._remotes = remotes
        self._standby = standby
        self._ask = ask
        self._post = post
        self._cookie = cookie
        self._stop = Stop()
        self._surveys: list[threading.Thread] = []
        self._found: dict[str, Found] = {}
        self._forwards: dict[str, tuple[tuple[str, int], Forward]] = {}
        self._windows: dict[str, Observation] = {}
        self._control: Booted | None = None
        self._cookies: dict[str, str] = {}
        self._joined: set[str] = set()
        self._control_lock = threading.Lock()

    @property
    def hops(self) -> tuple[str, ...]:
        """What was travelled, without this computer; jumps of ssh_config are in it."""
        return tuple(_place(remote) for remote in self._remotes[1:])

    @property
    def remote(self) -> Remote:
        """The place where the nodes are."""
        return self._remotes[-1]

    def close(self) -> None:
        """Undo everything: windows first, then the VM for calls, the forwards, the survey."""
        for window in self._windows.values():
            window.close()
        with self._control_lock:
            control, self._control = self._control, None
        if control is not None:
            control.close()
        for _, forward in self._forwards.values():
            forward.close()
        self._stop.set()
        for survey in self._surveys:
            survey.join(10)

    # -- survey ---------------------------------------------------------------

    def survey(self) -> None:
        """Look for nodes, in the background; reports Seen for each and Surveyed or SurveyFailed."""
        thread = threading.Thread(target=self._survey, name=f"survey {self._profile.name}", daemon=True)
        self._surveys = [*(t for t in self._surveys if t.is_alive()), thread]
        thread.start()

    def _survey(self) -> None:
        from spyglass.erlang import slots  # noqa: PLC0415 - late, so that SSH starts first
        from spyglass.erlang.discovery import discover  # noqa: PLC0415

        try:
            if self._cookie is None:
                self._cookie = given.cookie(self._profile, self._ask)
            discovery = discover(
                self.remote,
                hops=self.hops,
                me=slots.probe_name(),
                select=self._profile.select,
                given=self._cookie,
                stop=self._stop,
                on_found=lambda found: self._post(Seen(found)),
            )
        except Cancelled:
            return
        except Failure as failure:
            self._post(SurveyFailed(failure))
        else:
            self._post(Surveyed(discovery))

    def admit(self, found: Found) -> NodeInfo:
        """Take a node in: it gets its forward; returns what to show of it."""
        key = found.info.key
        self._found[key] = found
        if not found.info.reachable or not found.port:
            return found.info
        return replace(found.info, forward=self.port(found))

    def port(self, found: Found) -> int:
        """The local port of the forward to the node, opened at need."""
        return self._forward(found.info.key, found).port

    def _forward(self, key: str, found: Found) -> Forward:
        place = (found.host, found.port)
        known = self._forwards.get(key)
        if known and known[0] == place:
            return known[1]
        if known:
            known[1].close()
        forward = open_forward(found.remote or self.remote, found.host, found.port, label=found.info.node)
        self._forwards[key] = (place, forward)
        return forward

    def settle(self, discovery: Discovery) -> tuple[NodeInfo, ...]:
        """The survey's whole result: nodes that are gone lose their forward; returns what to show."""
        shown = tuple(self.admit(found) for found in discovery.found)
        gone = set(self._found) - {info.key for info in shown}
        for key in gone:
            del self._found[key]
            if key in self._forwards and key not in self._windows:
                self._forwards.pop(key)[1].close()
        return shown

    def match(self, wanted: str) -> Found | None:
        """The node with this key or full name, if it is known."""
        found = self._found.get(wanted)
        return found or next((f for f in self._found.values() if f.info.node == wanted), None)

    # -- windows --------------------------------------------------------------

    def observe(self, found: Found) -> None:
        """Open Observer on the node; reports Opened and, at last, Ended."""
        key = found.info.key
        if key in self._windows:
            return
        window = Observation(found, self, self._standby.take, self._ask, self._post)
        self._windows[key] = window
        window.start()

    def ended(self, key: str) -> None:
        """Forget a window that reported Ended."""
        window = self._windows.pop(key, None)
        if window is not None:
            window.close()

    def close_window(self, key: str) -> None:
        """Close one window; it reports Ended. The caller's thread does not wait for it."""
        window = self._windows.get(key)
        if window is not None:
            threading.Thread(target=window.close, name="close window", daemon=True).start()

    @property
    def open_windows(self) -> list[str]:
        """Full names of the nodes that have a window."""
        return [window.node for window in self._windows.values()]

    def prove(self, found: Found, cookie: str) -> bool:
        """Whether the node knows this cookie; a no leaves a line in its log."""
        from spyglass.erlang import handshake, slots  # noqa: PLC0415

        stream = (found.remote or self.remote).dial(found.host, found.port, 5.0)
        try:
            return handshake.greet(stream, slots.probe_name()).prove(cookie)
        finally:
            stream.close()

    def explain(self, found: Found) -> Failure:
        """Why Erlang said only ``false``: ask the distribution port itself."""
        from spyglass.erlang import handshake, slots  # noqa: PLC0415

        name = found.info.node
        try:
            stream = (found.remote or self.remote).dial(found.host, found.port, 5.0)
            try:
                peer = handshake.greet(stream, slots.probe_name()).peer
            finally:
                stream.close()
        except Failure as failure:
            return Unreachable(
                f"{name} is gone since it was found: {failure.title}",
                "Refresh the list of nodes.",
                code="node-gone",
            )
        except OSError:
            return Unreachable(
                f"{name} hung up", "Refresh the list of nodes, then try again.", code="node-gone"
            )
        if peer.node != name:
            return Unreachable(
                f"{peer.node} answers where {name} was", "Refresh the list of nodes.", code="node-gone"
            )
        return Failure(
            f"{name} refuses the connection",
            "Its Erlang may be too old or too new for yours (OTP 23 and 27 never connect), "
            "or its cookie has changed.",
            code="refused-by-node",
        )

    # -- calls ----------------------------------------------------------------

    def calling(self, wanted: str) -> tuple[Any, str]:
        """A VM for calls that is connected to the node, and the node's full name.

        May be called from any thread; blocks while the VM boots and connects. Raises
        Missing when there is no such node.
        """
        found = self.match(wanted)
        if found is None:
            raise no_node(wanted, [f.info.node for f in self._found.values()])
        with self._control_lock:
            if self._control is None:
                self._control = self._standby.plain()
                self._control.listen(self._control_event)
            if found.info.node not in self._joined:
                able = with_cookie(found, self, self._ask)
                join(self._control.vm, able, self)
                self._cookies[found.info.node] = able.cookie or ""
                self._joined.add(found.info.node)
            return self._control.vm, found.info.node

    def _control_event(self, event: dict[str, Any]) -> None:
        if event.get("event") == "nodedown":
            self._joined.discard(str(event.get("node")))

    def shell(self, wanted: str) -> tuple[str, Callable[[], int]]:
        """A shell on the node: the line to print before it, and what runs it in this terminal.

        The node is joined first from a VM for calls, which can say why where it fails.
        """
        from spyglass.erlang import runtime, shell, slots  # noqa: PLC0415

        vm, name = self.calling(wanted)
        elixir = vm.is_elixir(name)
        found = self.match(name)
        if found is None or self._control is None:
            raise no_node(wanted, [])
        erlang, port, cookie = self._control.erlang, self.port(found), self._cookies[name]

        def run() -> int:
            with slots.take() as slot:
                return shell.run_shell(erlang, runtime.modules(erlang), slot, name, port, cookie)

        return shell.banner(name, elixir=elixir), run


def _place(remote: Remote) -> str:
    """The place as it turned out: ``deploy@10.99.0.1:2222``, or a container's name."""
    settings = getattr(remote, "settings", None)
    if settings is None:
        return remote.describe()
    host = f"[{settings.hostname}]" if ":" in settings.hostname else settings.hostname
    return f"{settings.user}@{host}:{settings.port}"


def no_node(wanted: str, there: list[str]) -> Failure:
    """The Failure for a node that is not there, naming what is."""
    known = ", ".join(sorted(there)) or "none at all"
    return Failure(f"There is no node {wanted} there", f"Nodes found: {known}.", code="no-node")
