"""A local VM of Spyglass for a test, and what it told."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spyglass.erlang import runtime, slots
from spyglass.erlang.node import LocalNode
from support.beam import Beam


class Events:
    """What the VM told, in order."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def wait(self, kind: str, seconds: float = 15) -> dict[str, Any]:
        """The next event of this kind; others are passed over."""
        while True:
            event = self.queue.get(timeout=seconds)
            if event["event"] == kind:
                return event


@contextmanager
def local_vm(cache: Path, state: Path, events: Events | None = None) -> Iterator[LocalNode]:
    """A VM, booting, while inside; ``cache`` keeps compiled modules, ``state`` the name."""
    erlang = runtime.find(cache=cache)
    with slots.take(state, state) as slot:
        on_event = (events or Events()).queue.put
        vm = LocalNode.start(erlang, runtime.modules(erlang, cache), slot, on_event=on_event)
        try:
            yield vm
        finally:
            vm.close()


def join(vm: LocalNode, remote: Beam) -> None:
    """Make the VM join the node."""
    vm.add_route(remote.name, remote.port)
    vm.set_cookie(remote.name, remote.cookie)
    vm.connect(remote.name)
