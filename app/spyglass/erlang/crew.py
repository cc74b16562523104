"""A few threads that run small tasks, which may add tasks of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

from spyglass.errors import Cancelled
from spyglass.remote.base import Stop


class Crew:
    """At most ``size`` tasks at a time. Leaving the ``with`` block drops what has not begun.

    A task's exception goes to ``failed`` (in its thread) and ends nothing else; Cancelled
    is passed over.
    """

    def __init__(self, name: str, size: int, failed: Callable[[Exception], None]) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._failed = failed
        self._left = 0
        self._change = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def add(self, task: Callable[..., object], *args: Any) -> Future[None]:
        """Run ``task(*args)`` as soon as a thread is free."""
        with self._change:
            self._left += 1
        try:
            return self._pool.submit(self._run, task, *args)
        except RuntimeError:  # shut down meanwhile: stopped
            self._done()
            raise Cancelled from None

    def _run(self, task: Callable[..., object], *args: Any) -> None:
        try:
            task(*args)
        except Cancelled:
            pass
        except Exception as exc:  # noqa: BLE001 - one task must not spoil the others
            self._failed(exc)
        finally:
            self._done()

    def _done(self) -> None:
        with self._change:
            self._left -= 1
            self._change.notify_all()

    def _wake(self) -> None:
        with self._change:
            self._change.notify_all()

    def wait(self, stop: Stop) -> None:
        """Return when no task is left; raise Cancelled at once when stopped."""
        with stop.ending(self._wake), self._change:
            self._change.wait_for(lambda: self._left == 0 or stop.is_set())
