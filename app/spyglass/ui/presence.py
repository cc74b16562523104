"""Where the program is to be seen (window, tray, both), and how it ends.

With a tray, closing the window leaves the program there, and says so once; without one,
closing is quitting. Quitting asks while connections are open. What must not ask (a signal,
the end of the session, ``spyglass quit``) calls :meth:`Presence.leave`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QSystemTrayIcon

from spyglass.errors import Failure
from spyglass.status import Phase, Status
from spyglass.ui import notices, words
from spyglass.ui.summons import raise_window
from spyglass.ui.wishes import consent

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication, QDialog

    from spyglass.profile import Profile
    from spyglass.questions import Consent
    from spyglass.ui.demo_run import DemoRun
    from spyglass.ui.preferred import Preferred
    from spyglass.ui.tray import Tray
    from spyglass.ui.window import MainWindow

_PATIENCE = 4000
"""Milliseconds that a start in the background waits for a tray, and a hidden window for one that left."""
_LOGOUT = 30_000
"""Milliseconds within which a session that wants to end does so, or will not."""


class Presence(QObject):
    """Begins (:meth:`begin`) when the window is there.

    ``ending``: the program ends now; the hub is still there.
    """

    ending = Signal()

    def __init__(
        self, app: QApplication, window: MainWindow, preferred: Preferred, *, background: bool = False
    ) -> None:
        super().__init__(window)
        self._app = app
        self._window = window
        self._preferred = preferred
        self._background = background
        self._leaving = False
        self._asking: QDialog | None = None
        self._preferences: QDialog | None = None
        self._changes = notices.Changes()
        self._last = ""
        self._demo: DemoRun | None = None
        self.tray: Tray | None = None
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._patience.timeout.connect(self._show_without_tray)
        self._logout = QTimer(self, singleShot=True, interval=_LOGOUT)
        self._logout.timeout.connect(self._stays)
        app.setQuitOnLastWindowClosed(False)
        window.may_close = self.closing
        window.quit_wanted.connect(self.quit)
        window.preferences_wanted.connect(self.preferences)
        window.feed.changed.connect(self._heard)
        preferred.changed.connect(self._follow)
        app.commitDataRequest.connect(self._session_ends)
        app.aboutToQuit.connect(self.ending)

    def begin(self) -> None:
        """Put up the tray, and connect what is to be connected at the start."""
        self._follow()
        if self._background:
            self._patience.start(_PATIENCE if self.tray and self.tray.host.watching else 0)
        for profile in self._window.saved:
            if profile.autoconnect:
                self._window.wishes.begin(profile)
        if not self._background and not self._preferred.value.welcomed:
            self._welcome()

    # -- the tray ---------------------------------------------------------------------

    def _follow(self) -> None:
        """Do as the settings say."""
        wanted = self._preferred.value
        logging.getLogger("spyglass").setLevel(wanted.log_level.upper())
        if wanted.tray and self.tray is None:
            self._add_tray()
        elif not wanted.tray and self.tray is not None:
            self.tray.close()
            self.tray.deleteLater()
            self.tray = None

    def _add_tray(self) -> None:
        from spyglass.ui.tray import Tray  # noqa: PLC0415 - the window first
        from spyglass.ui.tray_menu import TrayMenu  # noqa: PLC0415

        menu = TrayMenu(self._window)
        menu.wished.connect(self._wished)
        self.tray = Tray(menu, self)
        self.tray.destroyed.connect(menu.deleteLater)
        self.tray.clicked.connect(self.toggle)
        self.tray.message_clicked.connect(self._show_told)
        self.tray.left.connect(self._patience.start)
        self._show_state()

    def _show_state(self) -> None:
        if self.tray:
            from spyglass.ui import tray_icon, tray_menu  # noqa: PLC0415

            statuses = self._statuses()
            said = tray_menu.summary(self._profiles(), statuses)
            self.tray.show(tray_icon.shape(statuses.values()), f"Spyglass\n{said}")

    def _show_without_tray(self) -> None:
        """A window that nobody could bring back must not stay hidden."""
        if not self.hides and not self._leaving:
            raise_window(self._window)

    @property
    def hides(self) -> bool:
        """Whether there is a tray that the window can hide in."""
        return self.tray is not None and self.tray.available

    def _wished(self, wish: str) -> None:
        if wish == "show":
            self.toggle()
        elif wish == "quit":
            self.quit()
        elif wish == "preferences":
            self.preferences()
        else:
            raise_window(self._window)
            {"quick": self._window.quick.take, "new": self._window.changes.new}.get(wish, lambda: None)()

    def toggle(self) -> None:
        """Show the window, or hide it when it is there to be seen."""
        if self._seen() and self.hides:
            self._window.hide()
        else:
            raise_window(self._window)

    def _seen(self) -> bool:
        return self._window.isVisible() and not self._window.isMinimized()

    # -- what changes -----------------------------------------------------------------

    def _heard(self, status: Status) -> None:
        self._show_state()
        notice = self._changes.hear(status, self._window.name_of(status.profile_id))
        if notice and self.tray and self._preferred.value.notifications and not self._seen():
            self._last = status.profile_id
            self.tray.notify(notice)

    def _show_told(self) -> None:
        raise_window(self._window)
        self._window.show_profile(self._last)

    # -- closing and quitting ---------------------------------------------------------

    def closing(self) -> bool:
        """The window was told to close; whether it may."""
        if self._leaving:
            return True
        if not self.hides:
            return self.quit()
        if self._preferred.value.close_to_tray_said or not self._window.isVisible():
            self._window.hide()
        else:
            self._say_where()
        return False

    def _say_where(self) -> None:
        from spyglass.questions import Consent  # noqa: PLC0415 - the window first

        text = (
            "Its connections stay open and its icon brings the window back. "
            "To end it, choose Quit there or press Ctrl+Q."
        )
        asked = Consent("Spyglass goes on in the tray", text, "Close the window")
        self._ask(asked, self._hide_for_good)

    def _hide_for_good(self) -> None:
        self.keep(close_to_tray_said=True)
        self._window.hide()

    def quit(self) -> bool:
        """End the program, after a question while connections are open; whether it ends now."""
        from spyglass.questions import Consent  # noqa: PLC0415 - the window first

        names = [p.name for p in self._profiles() if self._statuses()[p.id].phase is Phase.READY]
        if not names:
            self.leave()
            return True
        listed = "\n".join(f"•  {words.elided(name)}" for name in names[:8])
        more = f"\n   and {len(names) - 8} more" if names[8:] else ""
        text = f"They are closed, and so are their Observer windows:\n{listed}{more}"
        title = f"Quit with {words.count(len(names), 'open connection')}?"
        self._ask(Consent(title, text, "Quit"), self.leave)
        return False

    def leave(self) -> None:
        """End the program now; the hub is closed on the way out."""
        self._leaving = True
        if self.tray:
            self.tray.close()
        self._window.close()
        self._app.exit()

    def close(self) -> None:
        """The event loop has ended: whatever this began ends too."""
        self._patience.stop()
        self._logout.stop()
        if self.tray:
            self.tray.close()
        if self._demo:
            self._demo.close()

    def _ask(self, asked: Consent, then: Callable[[], object]) -> None:
        if self._asking is None:
            self._asking = consent(asked, self._window, then)
            self._asking.finished.connect(self._asked)

    def _asked(self) -> None:
        self._asking = None

    def _session_ends(self) -> None:
        """The desktop asks before a log-out: the windows close without a question of ours."""
        self._leaving = True
        self._logout.start()

    def _stays(self) -> None:
        self._leaving = False

    # -- dialogs ----------------------------------------------------------------------

    def preferences(self) -> None:
        """Open the preferences."""
        from spyglass.ui.preferences import Preferences  # noqa: PLC0415 - the window first

        if self._preferences is None:
            over = self._window if self._window.isVisible() else None  # by itself while the window is hidden
            there = QSystemTrayIcon.isSystemTrayAvailable()
            self._preferences = Preferences(self._preferred, over, tray=there)
            self._preferences.destroyed.connect(self._preferences_closed)
        self._preferences.show()
        self._preferences.raise_()
        self._preferences.activateWindow()

    def _preferences_closed(self) -> None:
        self._preferences = None

    def _welcome(self) -> None:
        if self._window.saved or not self._seen():
            return
        from spyglass.ui.wizard import Wizard  # noqa: PLC0415

        self.keep(welcomed=True)
        Wizard(self._window, self._preferred, self._run_demo).open()

    def _run_demo(self) -> DemoRun:
        from spyglass.ui.demo_run import DemoRun  # noqa: PLC0415

        if self._demo:
            self._demo.close()
        self._demo = DemoRun(self._preferred.erl(), self)
        return self._demo

    def keep(self, **fields: object) -> None:
        """Remember something; where that fails the window says so."""
        try:
            self._preferred.change(**fields)
        except Failure as fault:
            self._window.wishes.refused.emit(fault)

    def _profiles(self) -> list[Profile]:
        return [*self._window.saved, *self._window.unsaved.values()]

    def _statuses(self) -> dict[str, Status]:
        return {p.id: self._window.hub.status(p.id) for p in self._profiles()}
