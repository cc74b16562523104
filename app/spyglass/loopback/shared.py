"""The one helper of a program run, for all its connections: a person is asked for rights once at most.

What will be asked, why, and what it does is explained before the system's own dialog appears.
Whoever says no, to us or to the system, is left alone until they want to try again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from spyglass.errors import Denied, Failure
from spyglass.loopback import trust
from spyglass.loopback.addresses import WAYS
from spyglass.loopback.client import Helper
from spyglass.questions import Ask, Consent
from spyglass.remote.base import Stop

Gone = Callable[[str, str], None]
"""Hears, from a thread, of an address that the helper gave up, and why."""

_WAIT = 0.1  # seconds between two looks at the wish to stop, while another connection asks a person


class Shared:
    """Starts the helper when the first address is added; :meth:`share` gives each connection its part."""

    def __init__(self, command: Callable[[], Sequence[str]]) -> None:
        """``command`` gives the helper's command line, and may raise a Failure."""
        self._command = command
        self._helper = Helper(command)
        self._helper.on_gone = self._gone
        self._turn = threading.Lock()
        self._owners: dict[str, Gone] = {}
        self._refusal: Failure | None = None

    def share(self, ask: Ask, stop: Stop, gone: Gone) -> Share:
        """A part of it; ``ask`` puts the question before the system's."""
        return Share(self, ask, stop, gone)

    def again(self) -> None:
        """A person wants another try: a no of theirs does not count any more."""
        self._refusal = None

    def close(self) -> None:
        """End the helper, and with it all addresses."""
        self._helper.close()

    def add(self, address: str, ask: Ask, stop: Stop, gone: Gone) -> None:
        """Put an address on the loopback interface. Raises Failure with the reason, Cancelled by ``stop``."""
        with self._my_turn(stop):
            if not self._helper.running:
                self._begin(address, ask, stop)
            self._helper.add(address)
            self._owners[address] = gone

    def remove(self, address: str) -> None:
        """Take one away again."""
        if self._owners.pop(address, None) is not None:
            with suppress(Failure):  # then it has ended, and its addresses with it
                self._helper.remove(address)

    @contextmanager
    def _my_turn(self, stop: Stop) -> Iterator[None]:
        while not self._turn.acquire(timeout=_WAIT):
            stop.check()
        try:
            yield
        finally:
            self._turn.release()

    def _begin(self, address: str, ask: Ask, stop: Stop) -> None:
        if self._refusal is not None:
            raise self._refusal
        self._command()  # what makes asking useless is told without asking
        if not ask(explained(address)):
            self._refusal = Denied(f"{address} was not added: you did not want it", WAYS, code="dismissed")
            raise self._refusal
        try:
            self._helper.start(stop.check)
        except Denied as failure:
            self._refusal = failure
            raise

    def _gone(self, address: str, reason: str) -> None:
        gone = self._owners.pop(address, None)
        if gone is not None:
            gone(address, reason)


class Share:
    """One connection's part of the helper."""

    def __init__(self, shared: Shared, ask: Ask, stop: Stop, gone: Gone) -> None:
        self._shared, self._ask, self._stop, self._told = shared, ask, stop, gone
        self._mine: set[str] = set()

    def add(self, address: str, /) -> None:
        """Put an address on the loopback interface. Raises Failure with the reason."""
        self._shared.add(address, self._ask, self._stop, self._gone)
        self._mine.add(address)

    def remove(self, address: str, /) -> None:
        """Take it away again, if it is one of ours."""
        if address in self._mine:
            self._mine.discard(address)
            self._shared.remove(address)

    def close(self) -> None:
        """Take all of ours away; the helper goes on for others."""
        for address in list(self._mine):
            self.remove(address)

    def _gone(self, address: str, reason: str) -> None:
        self._mine.discard(address)
        self._told(address, reason)


def explained(address: str) -> Consent:
    """The question before the system's question."""
    return Consent(
        f"Put {address} on this computer's loopback interface?",
        "Then your own tools reach the node by its true name. It takes an administrator's rights, so your "
        "system asks for a password next: once, until Spyglass ends.\n\n"
        f"What runs with them is {trust.HELPER}. It adds private addresses of nodes, takes them away again, "
        f"and can do nothing else. Meanwhile {address} means that node for every program here. The address "
        "is gone when you disconnect, and however Spyglass ends.",
        "Continue",
    )
