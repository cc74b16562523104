"""Everything that the window can be told by a key, and the menu that shows it all.

The menu has what the tray's menu has and more; the list of keys is made from the same actions,
so neither can fall behind.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import QPushButton

from spyglass.ui import style
from spyglass.ui.actions import KeyedMenu, action
from spyglass.ui.wishes import ENDED
from spyglass.ui.words import TABS, Verb

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from spyglass.ui.window import MainWindow

ELSEWHERE = (
    ("Enter", "Connect the profile, observe the selected nodes"),
    ("Space", "Press the button that has the focus"),
    ("Left, Right", "Go along the chain, and hear what is known of each link"),
    ("Tab, Shift+Tab", "Go from one control to the next, and back"),
    ("Shift+F10", "What can be done with the selected profile or nodes"),
    ("Ctrl+C", "Copy the selected log lines"),
    ("Escape", "Empty the search, leave a dialog"),
)
"""Keys that are no action of the window's."""


class Commands:
    """The window's actions: the program's own, and those of the chosen profile."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        changes, whole = window.changes, partial(action, window)
        self.new = whole("&New profile…", "Ctrl+N", changes.new)
        self.load = whole("&Import profiles…", "Ctrl+O", changes.ask_import)
        self.quick = whole("&Quick connect", "Ctrl+K", window.quick.take)
        self.search = whole("&Search profiles", "Ctrl+F", window.sidebar.search.take)
        self.look = whole("&Look for nodes again", "F5", lambda: window.act(Verb.REFRESH, ()))
        self.together = whole("Observe &all in one window", "Ctrl+Shift+O", self._observe_together)
        self.tabs = [
            whole(name, f"Alt+{number}", partial(self._turn_to, number - 1))
            for number, name in enumerate(TABS, 1)
        ]
        self.preferences = whole("&Preferences…", "Ctrl+,", window.preferences_wanted.emit)
        self.keys = whole("&Keyboard shortcuts", "F1", self._show_keys)
        self.about = whole("&About and report…", "", self._show_about)
        self.close = whole("&Close window", "Ctrl+W", window.close)
        self.quit = whole("&Quit Spyglass", "Ctrl+Q", window.quit_wanted.emit)
        self.menu = whole("Menu", "F10", window.menu_button.open)
        self._add_profile_actions()
        window.sidebar.list.customContextMenuRequested.connect(self.pop_up)

    def _add_profile_actions(self) -> None:
        changes, chosen = self._window.changes, partial(action, self._window.sidebar.list)
        self.connect = chosen("&Connect", "", self._window.toggle)
        self.edit = chosen("&Edit…", "F2", changes.edit)
        self.duplicate = chosen("Dup&licate…", "Ctrl+D", changes.duplicate)
        self.export = chosen("E&xport…", "Ctrl+E", changes.ask_export)
        self.up = chosen("Move &up", "Alt+Up", partial(changes.step, down=False))
        self.down = chosen("Move dow&n", "Alt+Down", partial(changes.step, down=True))
        self.remove = chosen("&Remove…", "Del", changes.remove)

    def _observe_together(self) -> None:
        self._window.act(Verb.TOGETHER, self._window.page.nodes.selected())

    def _turn_to(self, tab: int) -> None:
        self._window.page.tabs.setCurrentIndex(tab)

    @property
    def of_profile(self) -> list[QAction]:
        """What can be done with the chosen profile."""
        return self._window.sidebar.list.actions()

    def follow(self) -> None:
        """Say of the chosen profile what can be done with it now."""
        profile = self._window.sidebar.current()
        for each in self.of_profile:
            each.setEnabled(profile is not None)
        if profile:
            saved = profile.id not in self._window.unsaved
            offline = self._window.hub.status(profile.id).phase in ENDED
            self.connect.setText("&Connect" if offline else "&Disconnect")
            self.edit.setText("&Edit…" if saved else "&Save…")
            for each in (self.export, self.up, self.down):
                each.setEnabled(saved)

    def pop_up(self, at: QPoint) -> None:
        """Show beside a profile in the list what can be done with it."""
        view = self._window.sidebar.list
        if self._window.model.profile_at(view.indexAt(at)):
            self.follow()
            menu = KeyedMenu(self._window)
            menu.addActions(self.of_profile)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(view.viewport().mapToGlobal(at))

    def _show_about(self) -> None:
        from spyglass.ui.about import AboutDialog  # noqa: PLC0415 - rarely wanted

        AboutDialog(self._window).open()

    def _show_keys(self) -> None:
        from spyglass.ui.about import KeysDialog  # noqa: PLC0415 - rarely wanted

        KeysDialog(self.shortcuts(), self._window).open()

    def shortcuts(self) -> list[tuple[str, str]]:
        """Every key with what it does."""
        own = [(_keys(each), _plain(each)) for each in self._window.actions()]
        profile = [(_keys(each), f"Profile: {_plain(each).lower()}") for each in self.of_profile]
        return [*((keys, text) for keys, text in own + profile if keys), *ELSEWHERE]


def _keys(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


def _plain(action: QAction) -> str:
    return action.text().replace("&", "").rstrip("…")


class MainMenu(KeyedMenu):
    """Made anew each time it is opened; gone when it is closed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        of = window.commands
        of.follow()
        self.addActions([of.new, of.load])
        profile = KeyedMenu(self, "&Profile")
        self.addMenu(profile)
        profile.addActions(of.of_profile)
        profile.setEnabled(window.sidebar.current() is not None)
        self._add_nodes(window)
        self.addAction(of.together)
        self.addSeparator()
        self.addActions([of.quick, of.look])
        self.addSeparator()
        self.addActions([of.preferences, of.keys, of.about])
        self.addSeparator()
        self.addActions([of.close, of.quit])
        self.aboutToHide.connect(self.deleteLater)

    def _add_nodes(self, window: MainWindow) -> None:
        nodes = window.page.nodes.selected()
        if nodes:
            self.addMenu(window.page.node_menu(nodes, self)).setText("Selected n&odes")
        else:
            self.addAction("Selected n&odes").setEnabled(False)


class MenuButton(QPushButton):
    """Three lines, which most people know by now; opens the menu below itself."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window = window
        self.setObjectName("menu")
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Menu")
        self.setToolTip("Menu (F10)")
        self.clicked.connect(self.open)

    def open(self) -> None:
        """Show the menu, its right edge below ours."""
        menu = MainMenu(self._window)
        menu.popup(self.mapToGlobal(QPoint(self.width() - menu.sizeHint().width(), self.height() + 4)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button, then the lines."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(style.tokens().color("ink"), 1.5))
        middle = self.rect().toRectF().center()
        for step in (-5, 0, 5):
            y = middle.y() + step
            painter.drawLine(QPointF(middle.x() - 7, y), QPointF(middle.x() + 7, y))
        painter.end()
