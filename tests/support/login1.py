"""Plays systemd-logind on the system bus: ``python login1.py``; lines ``sleep`` and ``wake`` are orders.

Prints a line when it owns the name, and one for each signal that it sent.
"""

from __future__ import annotations

import sys

from jeepney import DBusAddress, new_signal  # type: ignore[import-untyped]
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

NAME, PATH, INTERFACE = "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"


def main() -> None:
    """Until standard input ends."""
    with open_dbus_connection("SYSTEM") as bus:
        bus.send_and_get_reply(message_bus.RequestName(NAME))
        print("here", flush=True)
        for line in sys.stdin:
            begins = line.strip() == "sleep"
            emitter = DBusAddress(PATH, interface=INTERFACE)
            bus.send(new_signal(emitter, "PrepareForSleep", "b", (begins,)))
            print(line.strip(), flush=True)


if __name__ == "__main__":
    main()
