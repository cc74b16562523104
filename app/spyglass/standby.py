"""A local VM that boots while something else takes its time.

Booting and loading the graphics takes longer than connecting through SSH; started first,
it costs nobody a wait. At most one VM stands by; :meth:`Standby.take` hands it over or
boots one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spyglass.errors import Failure

if TYPE_CHECKING:
    from spyglass.erlang.installation import Erlang
    from spyglass.erlang.node import LocalNode

Listener = Callable[[dict[str, Any]], None]


class Booted:
    """A booting VM with the slot that names it; events wait until somebody listens."""

    def __init__(self, erl: str, *, preload: bool) -> None:
        """Start the VM; raises Missing when there is no usable Erlang."""
        from spyglass.erlang import runtime, slots  # noqa: PLC0415 - late: not every command needs a VM
        from spyglass.erlang.node import LocalNode  # noqa: PLC0415

        self._lock = threading.Lock()
        self._early: list[dict[str, Any]] = []
        self._listener: Listener | None = None
        erlang = runtime.find(erl, window=preload)
        ebin = runtime.modules(erlang)
        self._slot = slots.take()
        slot = self._slot.__enter__()
        try:
            self.vm: LocalNode = LocalNode.start(erlang, ebin, slot, on_event=self._event)
        except BaseException:
            self._slot.__exit__(None, None, None)
            raise
        self.erlang = erlang
        self.graphics = preload
        self._preload = threading.Thread(target=self._load, name="preload", daemon=True) if preload else None
        if self._preload:
            self._preload.start()

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` every event from the first on."""
        with self._lock:
            early, self._early = self._early, []
            for event in early:
                listener(event)
            self._listener = listener

    def close(self) -> None:
        """End the VM and give its name free. Callable twice and from any thread."""
        self.vm.close()
        if self._preload:
            self._preload.join(5)
        with self._lock:
            slot, self._slot = self._slot, None  # type: ignore[assignment]
        if slot is not None:
            slot.__exit__(None, None, None)

    def _event(self, event: dict[str, Any]) -> None:
        with self._lock:
            if self._listener is None:
                self._early.append(event)
            else:
                self._listener(event)

    def _load(self) -> None:
        with suppress(Failure):  # whoever takes the VM meets the same failure, and tells it
            self.vm.ready()
            self.vm.preload()


class Standby:
    """Keeps one booted VM ready for the next window."""

    def __init__(self, erl: Callable[[], str]) -> None:
        """``erl`` gives the path that the person chose, or an empty text to search."""
        self._erl = erl
        self.erlang: Erlang | None = None  # the one that was booted last
        self.problem: Failure | None = None  # why there is none that can show Observer
        self._lock = threading.Lock()
        self._spare: Booted | None = None
        self._closed = False

    def prepare(self, *, graphics: bool = True) -> None:
        """Boot the spare now unless there is one. Raises Missing when there is no usable Erlang."""
        with self._lock:
            if self._spare is None and not self._closed:
                self._spare = self._boot(preload=graphics)

    def begin(self, *, graphics: bool = True, then: Callable[[], None] = lambda: None) -> None:
        """As :meth:`prepare`, in the background, then ``then``; whoever needs the VM meets what fails.

        ``then`` is called in any case; a failure is kept in ``problem``.
        """
        work = (graphics, then)
        threading.Thread(target=self._quietly, args=work, name="standby", daemon=True).start()

    def take(self) -> Booted:
        """A VM with its graphics loaded or loading: the spare, or one that boots now."""
        return self._spared() or self._boot(preload=True)

    def plain(self) -> Booted:
        """A VM for calls, without graphics; one that stands by for a window goes on doing so."""
        with self._lock:
            fit = self._spare is not None and not self._spare.graphics
        return (self._spared() if fit else None) or self._boot(preload=False)

    def modules(self) -> Path | None:
        """The directory of our Erlang modules for the Erlang that was booted last."""
        from spyglass.erlang import runtime  # noqa: PLC0415 - as above

        return runtime.modules(self.erlang) if self.erlang else None

    def close(self) -> None:
        """End the spare; none is prepared any more."""
        with self._lock:
            self._closed = True
        if (spare := self._spared()) is not None:
            spare.close()

    def _boot(self, *, preload: bool) -> Booted:
        booted = Booted(self._erl(), preload=preload)
        if preload:
            self.problem = None
        self.erlang = booted.erlang
        return booted

    def _spared(self) -> Booted | None:
        with self._lock:
            spare, self._spare = self._spare, None
        return spare

    def _quietly(self, graphics: bool, then: Callable[[], None]) -> None:  # noqa: FBT001 - a thread's argument
        try:
            self.prepare(graphics=graphics)
        except Failure as failure:
            self.problem = failure
        then()
