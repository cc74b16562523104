"""The tray's menu: the state in a line, each profile with what can be done, the program's own entries.

It is rebuilt each time somebody is about to look at it, and never while it is open.
Everything in it is in the window too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QMenu

from spyglass.status import Phase, Status
from spyglass.ui import icons, style, words
from spyglass.ui.node_actions import several_reachable
from spyglass.ui.wishes import ENDED

if TYPE_CHECKING:
    from spyglass.profile import Profile
    from spyglass.status import NodeInfo
    from spyglass.ui.window import MainWindow

PROFILES, NODES = 10, 12
"""How many stand in a menu itself; what is more goes one menu deeper."""
_LONG = 44


class TrayMenu(QMenu):
    """``wished`` carries what the program itself is asked for: show, quick, new, preferences, quit."""

    wished = Signal(str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window = window
        self._below: list[QMenu] = []
        self.fill()
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Say what is so now."""
        self.clear()
        for menu in self._below:
            menu.deleteLater()
        self._below = []
        profiles = [*self._window.saved, *self._window.unsaved.values()]
        statuses = {p.id: self._window.hub.status(p.id) for p in profiles}
        self.addAction(_plain(summary(profiles, statuses))).setEnabled(False)
        self.addSeparator()
        self._profiles(self, profiles[:PROFILES])
        if profiles[PROFILES:]:
            self._profiles(self._menu(self, "More profiles"), profiles[PROFILES:])
        if not profiles:
            self.addAction("New profile…", partial(self.wished.emit, "new"))
        self.addSeparator()
        shown = self._window.isVisible() and not self._window.isMinimized()
        self._own("Quick connect…", "quick")
        self._own("Hide window" if shown else "Show window", "show")
        self._own("Preferences…", "preferences")
        self.addSeparator()
        self._own("Quit", "quit")

    def _own(self, text: str, wish: str) -> None:
        self.addAction(text, partial(self.wished.emit, wish))

    def _menu(self, inside: QMenu, text: str, icon: QIcon | None = None) -> QMenu:
        made = QMenu(_plain(text), inside)
        if icon:
            made.setIcon(icon)
        inside.addMenu(made)
        if inside is self:
            self._below.append(made)
        return made

    def _profiles(self, menu: QMenu, profiles: Iterable[Profile]) -> None:
        for profile in profiles:
            status = self._window.hub.status(profile.id)
            aside = words.short(status)
            text = words.elided(profile.name, _LONG) + (f" · {aside}" if aside else "")
            mark = QIcon(icons.pixmap(words.shape(status), style.tokens(), 16, 2.0))
            self._profile(self._menu(menu, text, mark), profile, status)

    def _profile(self, menu: QMenu, profile: Profile, status: Status) -> None:
        wishes = self._window.wishes
        if status.phase is Phase.WAITING:
            menu.addAction("Retry now", partial(wishes.open, profile))
        toggle = menu.addAction(_verb(status), partial(wishes.toggle, profile))
        toggle.setEnabled(status.phase is not Phase.CLOSING)
        nodes = [node for node in status.nodes if node.reachable]
        if nodes and status.phase is Phase.READY:
            menu.addSeparator()
            if several_reachable(status) and not profile.observer.together:  # each node's entry does that
                menu.addAction("Observe all in one window", partial(wishes.together, profile))
            self._nodes(menu, profile, status, nodes[:NODES])
            if nodes[NODES:]:
                self._nodes(self._menu(menu, "More nodes"), profile, status, nodes[NODES:])
        menu.addSeparator()
        menu.addAction("Show", partial(self._show, profile))
        menu.addAction("Log", partial(self._show, profile, log=True))

    def _nodes(self, menu: QMenu, profile: Profile, status: Status, nodes: Iterable[NodeInfo]) -> None:
        for node in nodes:
            below = self._menu(menu, words.elided(node.node, _LONG))
            below.addAction("Observe", partial(self._window.wishes.observe, profile, node))
            if node.key in status.observing:
                close = partial(self._window.hub.close_window, profile.id, node.key)
                below.addAction("Close Observer", partial(self._window.do, close))
            below.addSeparator()
            below.addAction("Copy node name", partial(_copy, node.node))
            if node.forward:
                below.addAction("Copy forward address", partial(_copy, f"127.0.0.1:{node.forward}"))

    def _show(self, profile: Profile, *, log: bool = False) -> None:
        self.wished.emit("raise")
        self._window.show_profile(profile.id, log=log)


def summary(profiles: Iterable[Profile], statuses: dict[str, Status]) -> str:
    """The state of everything in one line: what needs the person comes first."""
    named = [(profile.name, statuses[profile.id]) for profile in profiles]
    for fits, text in _LINES:
        names = [name for name, status in named if fits(status)]
        if names:
            return text(names) if len(names) > 1 else text([words.elided(names[0], _LONG)])
    on = [status for _, status in named if status.phase is Phase.READY]
    if not on:
        return "Not connected"
    return f"{len(on)} connected · {words.count(sum(len(s.nodes) for s in on), 'node')}"


def _needs(status: Status) -> bool:
    return bool(status.question) or status.phase is Phase.FAILED


def _one_or_many(names: list[str], one: str, many: str) -> str:
    return one.format(names[0]) if len(names) == 1 else many.format(len(names))


_LINES: tuple[tuple[Callable[[Status], bool], Callable[[list[str]], str]], ...] = (
    (_needs, lambda names: _one_or_many(names, "{} needs you", "{} connections need you")),
    (
        lambda status: status.phase is Phase.WAITING,
        lambda names: _one_or_many(names, "{} is lost, trying again", "{} connections are lost"),
    ),
    (
        lambda status: status.phase in words.BUSY,
        lambda names: _one_or_many(names, "Connecting {}", "Connecting {} profiles"),
    ),
)


def _verb(status: Status) -> str:
    if status.phase in ENDED:
        return "Try again" if status.phase is Phase.FAILED else "Connect"
    return "Disconnect" if status.phase in {Phase.READY, Phase.CLOSING} else "Cancel"


def _plain(text: str) -> str:
    """As it stands: an ampersand marks no key."""
    return text.replace("&", "&&")


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
