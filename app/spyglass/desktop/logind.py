"""Hears from systemd-logind that the computer woke, on the system bus.

logind sends ``PrepareForSleep(true)`` before a sleep and ``PrepareForSleep(false)`` after it
(org.freedesktop.login1(5)). Nothing is asked of it, and no sleep is held up.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection  # type: ignore[import-untyped]

NAME, PATH, INTERFACE = "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
SIGNAL = "PrepareForSleep"
_PATIENCE = 2.0  # seconds for the bus to take the subscription


class Sleep:
    """A subscription; ``fileno`` is readable when something came. Raises OSError where there is no bus."""

    def __init__(self) -> None:
        from jeepney import MatchRule  # type: ignore[import-untyped]  # noqa: PLC0415 - 15 ms, on a thread
        from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]  # noqa: PLC0415
        from jeepney.io.blocking import open_dbus_connection  # noqa: PLC0415

        rule = MatchRule(type="signal", sender=NAME, interface=INTERFACE, member=SIGNAL, path=PATH)
        self._bus: DBusConnection = open_dbus_connection("SYSTEM")
        try:
            self._bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=_PATIENCE)
        except Exception:
            self._bus.close()
            raise

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return int(self._bus.sock.fileno())

    def woke(self) -> bool:
        """Take what came; whether the computer woke. Raises OSError when the bus is gone."""
        woke = False
        with suppress(TimeoutError):
            while True:
                message = self._bus.receive(timeout=0)
                signal = message.header.fields.get(_MEMBER) == SIGNAL
                woke = woke or (signal and message.body == (False,))
        return woke

    def close(self) -> None:
        """Hear no more."""
        self._bus.close()


_MEMBER = 3  # the header field with a message's name (D-Bus specification, "Header Fields")


def subscribe() -> Sleep | None:
    """The subscription, where there is a system bus (there need be no logind on it yet)."""
    if sys.platform != "linux":
        return None
    try:
        return Sleep()
    except Exception:  # noqa: BLE001 - the border: jeepney raises much, and the clocks tell of a sleep too
        return None
