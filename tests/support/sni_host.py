"""A StatusNotifier host for tests: ``python sni_host.py``, orders on standard input, JSON on standard output.

It owns ``org.kde.StatusNotifierWatcher`` on the session bus, takes the item that registers,
and speaks for a person: ``look`` (icon, tooltip, menu), ``click LABEL/LABEL…``, ``activate``,
``quit``. No pixel is drawn, so it works wherever there is a bus.
"""

from __future__ import annotations

import json
import select
import sys
import time
import zlib
from collections.abc import Iterator
from typing import Any

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_call,
    new_method_return,
)
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import DBusConnection, open_dbus_connection  # type: ignore[import-untyped]

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
PROPERTIES: dict[str, tuple[str, Any]] = {
    "IsStatusNotifierHostRegistered": ("b", True),
    "ProtocolVersion": ("i", 0),
    "RegisteredStatusNotifierItems": ("as", []),
}
NOTIFICATIONS = "org.freedesktop.Notifications"
NOTHING = "org.freedesktop.DBus.Error.UnknownMethod"


class Host:
    """The watcher and the host in one; one item at a time, the newest."""

    def __init__(self, bus: DBusConnection) -> None:
        self._bus = bus
        self._item: tuple[str, str] | None = None

    def serve(self, wait: float) -> None:
        """Answer what comes within so many seconds."""
        end = time.monotonic() + wait
        while (left := end - time.monotonic()) > 0:
            try:
                self.answer(self._bus.receive(timeout=left))
            except TimeoutError:
                return

    def answer(self, message: Message) -> None:
        """One call of an application."""
        if message.header.message_type is not MessageType.method_call:
            return
        member = message.header.fields.get(HeaderFields.member)
        if member == "RegisterStatusNotifierItem":
            self._register(message)
        elif member == "Get":
            self._bus.send(new_method_return(message, "v", (PROPERTIES[message.body[1]],)))
        elif member == "GetAll":
            self._bus.send(new_method_return(message, "a{sv}", (PROPERTIES,)))
        elif member == "Notify":  # org.freedesktop.Notifications: name, id, icon, summary, body, …
            self._bus.send(new_method_return(message, "u", (1,)))
            say({"event": "notified", "title": message.body[3], "text": message.body[4]})
        else:
            self._bus.send(new_error(message, NOTHING))

    def _register(self, message: Message) -> None:
        service, sender = message.body[0], message.header.fields[HeaderFields.sender]
        self._item = (sender, service) if service.startswith("/") else (service, "/StatusNotifierItem")
        self._bus.send(new_method_return(message))
        say({"event": "registered"})

    def look(self) -> dict[str, Any]:
        """What the item shows now."""
        found = self._properties()
        menu = [line for _, line in self._lines()]
        tooltip = found.get("ToolTip", ("", [], "", ""))
        icons = found.get("IconPixmap", [])
        return {
            "event": "look",
            "icon": sorted({(w, h) for w, h, _ in icons}),
            "pixels": zlib.crc32(b"".join(bytes(data) for _, _, data in icons)),
            "tooltip": tooltip[2],
            "text": tooltip[3],
            "menu": menu,
        }

    def click(self, path: list[str]) -> dict[str, Any]:
        """Click the item that these labels lead to; a label may go on after what is given."""
        number = 0
        for label in path:
            self._menu("AboutToShow", "i", (number,))
            below = self._layout(number)[2]
            found = [child[1] for child in below if _label(child[1]).startswith(label)]
            if not found:
                return {"event": "clicked", "missing": label, "there": [_label(c[1]) for c in below]}
            number = found[0][0]
        self._menu("Event", "isvu", (number, "clicked", ("i", 0), 0))
        return {"event": "clicked"}

    def activate(self) -> dict[str, Any]:
        """Click the icon itself."""
        self._call(self._address(ITEM), "Activate", "ii", (10, 10))
        return {"event": "activated"}

    def _properties(self) -> dict[str, Any]:
        address = self._address("org.freedesktop.DBus.Properties")
        return {k: v[1] for k, v in self._call(address, "GetAll", "s", (ITEM,))[0].items()}

    def _lines(self) -> Iterator[tuple[int, str]]:
        self._menu("AboutToShow", "i", (0,))
        waiting = [(0, self._layout(0))]
        while waiting:
            depth, node = waiting.pop(0)
            if depth:
                yield node[0], "  " * (depth - 1) + _label(node)
            waiting[:0] = [(depth + 1, child[1]) for child in node[2]]

    def _layout(self, number: int) -> Any:
        return self._menu("GetLayout", "iias", (number, -1, []))[1]

    def _menu(self, member: str, signature: str, body: tuple[Any, ...]) -> Any:
        place = self._properties()["Menu"]
        address = DBusAddress(place, bus_name=self._taken()[0], interface="com.canonical.dbusmenu")
        return self._call(address, member, signature, body)

    def _address(self, interface: str) -> DBusAddress:
        name, path = self._taken()
        return DBusAddress(path, bus_name=name, interface=interface)

    def _taken(self) -> tuple[str, str]:
        if self._item is None:
            raise RuntimeError("no item has registered")
        return self._item

    def _call(self, address: DBusAddress, member: str, signature: str, body: tuple[Any, ...]) -> Any:
        call = new_method_call(address, member, signature, body)
        serial = next(self._bus.outgoing_serial)
        self._bus.send(call, serial=serial)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            message = self._bus.receive(timeout=5)
            if message.header.fields.get(HeaderFields.reply_serial) == serial:
                if message.header.message_type is MessageType.error:
                    raise RuntimeError(f"{member}: {message.body}")
                return message.body
            self.answer(message)
        raise TimeoutError(member)


def _label(node: Any) -> str:
    properties = node[1]
    kind = properties.get("type", ("s", ""))[1]
    return (
        str(properties.get("label", ("s", ""))[1]).replace("__", "\0").replace("_", "").replace("\0", "_")
        or kind
    )


def say(document: dict[str, Any]) -> None:
    """One line for the test."""
    print(json.dumps(document), flush=True)


def _obey(host: Host, word: str, rest: str = "") -> None:
    try:
        if word == "click":
            say(host.click(rest.split("/")))
        else:
            say(host.activate() if word == "activate" else host.look())
    except (RuntimeError, TimeoutError) as fault:
        say({"event": "fault", "why": str(fault)})


def main() -> None:
    """Serve until told to quit, or nobody is there any more."""
    bus = open_dbus_connection("SESSION")
    bus.send_and_get_reply(message_bus.RequestName(WATCHER, 0))
    bus.send_and_get_reply(message_bus.RequestName(NOTIFICATIONS, 0))
    host = Host(bus)
    say({"event": "watching"})
    while True:
        ready, _, _ = select.select([sys.stdin, bus.sock], [], [], 0.2)
        if sys.stdin in ready:
            order = sys.stdin.readline().strip()
            if order in {"", "quit"}:
                return
            _obey(host, *order.split(" ", 1))
        host.serve(0.01)


if __name__ == "__main__":
    main()
