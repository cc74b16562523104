"""Starts the window. Imports the toolkit and nothing heavy, so that it shows at once."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QSettings, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

from spyglass import APP_ID, __version__, log
from spyglass.errors import Failure
from spyglass.ui import icons, style
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.defects import Crashes
from spyglass.ui.preferred import Preferred
from spyglass.ui.presence import Presence
from spyglass.ui.summons import obey
from spyglass.ui.window import MainWindow

if TYPE_CHECKING:
    from spyglass.control.claim import Claim
    from spyglass.ui.bridge import HubLike

_SWITCH = 0.001
"""Seconds that a busy worker may hold the interpreter while the window waits for it. Painting
hands it over at each call into Qt, so Python's own 5 ms would add up to stalls."""


_CALM = 1000  # milliseconds after which the window is surely painted


def application(theme: str = "system", *, dressed: bool = True) -> QApplication:
    """The one QApplication, named and styled."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        app = existing
        app.setStyle("Fusion")
    else:  # by a word, which makes no object of the style in Python: that takes 6 ms
        app = QApplication([*sys.argv[:1], "-style", "Fusion"])
    app.setApplicationName(APP_ID)  # the window class on X11, which desktop files name
    app.setApplicationDisplayName("Spyglass")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName(APP_ID)
    made = style.Theme(app, theme, dressed=dressed)
    app.setWindowIcon(icons.app_icon(made.tokens))
    return app


def start(argv: Sequence[str], claim: Claim | None = None) -> int:
    """Show the window over the saved profiles; what ``spyglass`` without a subcommand does.

    ``store.paths`` knows where they are. ``claim`` makes us the one running app, whom others talk
    to; it is given up at the end.
    """
    from spyglass import report  # noqa: PLC0415
    from spyglass.hub import Hub  # noqa: PLC0415 - the toolkit first: tests of the window need no hub
    from spyglass.store import paths  # noqa: PLC0415
    from spyglass.store.profiles import Profiles  # noqa: PLC0415

    places = paths.current()
    try:
        places.ensure()
    except Failure as fault:
        print(f"{fault.title}\n{fault.hint}", file=sys.stderr)  # noqa: T201 - there is no place for a window
        return 1
    desk, preferred = QuestionDesk(), Preferred(places.settings)
    hub = Hub(Profiles(places.profiles), desk.ask, erl=preferred.erl, withdraw=desk.withdraw)
    with report.watching(Crashes().tell), _prepared() as prepare:
        return run(hub, argv, prepare, desk=desk, state=places.state, claim=claim, preferred=preferred)


@contextmanager
def _prepared() -> Iterator[Callable[[], None]]:
    """What imports aside what connecting takes, so that the first connection begins at once.

    It is waited for: some modules can't be imported any more while the interpreter ends.
    """
    aside = threading.Thread(target=import_module, args=("spyglass.connection",), name="prepare")
    try:
        yield aside.start
    finally:
        if aside.ident is not None:
            aside.join()


def run(
    hub: HubLike,
    argv: Sequence[str] = (),
    prepare: Callable[[], None] = lambda: None,
    *,
    desk: QuestionDesk | None = None,
    state: Path | None = None,
    claim: Claim | None = None,
    preferred: Preferred | None = None,
) -> int:
    """Show the window (with ``--background`` only a tray, if there is one) until the program ends.

    Returns the exit status.

    ``prepare`` is called once the window is there; in the tray alone nothing is kept ready.
    ``desk`` is the one whose ``ask`` the hub was built with; ``state`` is the directory
    for sizes (default: the state directory of ``store.paths``).
    """
    background, preferred = "--background" in argv, preferred or Preferred(None)
    sys.setswitchinterval(_SWITCH)
    app = application(preferred.value.theme, dressed=False)
    window = MainWindow(hub, desk or QuestionDesk(), log.setup(), sizes(state))
    style.Theme.current.dress()
    presence = Presence(app, window, preferred, background=background)
    if not background:
        window.show()
    window.opening.then(presence.begin, partial(obey, window, argv))
    window.opening.painted.connect(lambda: window.opening.then(prepare))
    QTimer.singleShot(_CALM, _collect)
    with ExitStack() as stack:
        if claim is not None:
            stack.callback(claim.close)  # last, when everything else is undone
            window.opening.then(partial(_listen, stack, claim, hub, window, presence))
        try:
            with _Signals(presence):
                return app.exec()
        finally:
            window.end()
            hub.close()
            presence.close()
            window.deleteLater()  # now, and not by the garbage collector when Qt has gone
            QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


def _collect() -> None:
    """Garbage is collected from now on (see __main__); what lives by now is never looked through again.

    A full collection over the whole program would hold the window up for tens of milliseconds.
    """
    gc.freeze()
    gc.enable()


def _listen(stack: ExitStack, claim: Claim, hub: HubLike, window: MainWindow, presence: Presence) -> None:
    """Serve the control socket until the stack ends. Whoever came before waits in its queue."""
    from spyglass.control.server import Server  # noqa: PLC0415 - the window first
    from spyglass.ui.summons import Summons, summoned  # noqa: PLC0415

    summons = Summons()
    summons.came.connect(partial(summoned, window))
    summons.leave.connect(presence.leave)
    presence.ending.connect(summons.end)
    stack.enter_context(Server(claim, hub, summons.show, summons.quit))


def sizes(state: Path | None = None) -> QSettings:
    """Where the window remembers its sizes."""
    if state is None:
        from spyglass.store import paths  # noqa: PLC0415 - not needed when a place is given

        state = paths.current().state
    return QSettings(str(state / "window.ini"), QSettings.Format.IniFormat)


class _Signals:
    """Ctrl-C and SIGTERM end it all: a byte on a socket wakes Qt, which polls nothing."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    def __enter__(self) -> None:
        import socket  # noqa: PLC0415 - only a running program needs it

        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        self._before = {n: signal.signal(n, lambda *_: None) for n in (signal.SIGINT, signal.SIGTERM)}
        self._fd = signal.set_wakeup_fd(self._theirs.fileno())
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(lambda *_: self._presence.leave())

    def __exit__(self, *_: object) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._fd)
        for number, before in self._before.items():
            signal.signal(number, before)
        self._ours.close()
        self._theirs.close()
