"""What stands around the window: the first run, preferences, tray, a crash; and what can only be played."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from spyglass.errors import Missing
from spyglass.log import Ring
from spyglass.loopback.shared import explained
from spyglass.profile import TLS, EngineHop, KubernetesHop, Profile, SSHHop
from spyglass.questions import Choice, Secret
from spyglass.status import Phase, Status
from spyglass.store import paths
from spyglass.ui import app as ui
from spyglass.ui import erlang_check, palette, questions, tray_icon
from spyglass.ui.about import AboutDialog, KeysDialog
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.crash import CrashDialog
from spyglass.ui.defects import Crashes
from spyglass.ui.preferences import Preferences
from spyglass.ui.profile_editor import ProfileEditor
from spyglass.ui.tray_menu import TrayMenu
from spyglass.ui.window import MainWindow
from spyglass.ui.wizard import Wizard
from support import alias_scenes
from support import fake_hub as fake
from support.live_scene import SHOP, Scene
from support.play import Play, rest, until

NONE = Missing(
    "There is no Erlang on this computer",
    "sudo apt install erlang-observer  (where one is installed, choose its `erl` in the preferences).",
)
NO_RING = "No system keyring found (the Secret Service daemon is neither running nor activatable)."


def first_run(app: QApplication) -> Iterator[Scene]:
    """The first start of all, until the demo is connected; then one that has no profile."""
    before = paths.current()
    paths.use(paths.under(Path(tempfile.mkdtemp(dir=Path.home()))))
    play = Play(app)
    try:
        wizard = play.popped_up(Wizard)
        assert isinstance(wizard, Wizard)
        until(lambda: wizard.list.count() > 2 and _judged(wizard.check), "the first look at everything")
        yield "wizard", wizard
        with _no_erlang():
            wizard.check.look("")
            until(lambda: _judged(wizard.check), "no Erlang")
        yield "wizard-missing", wizard
        wizard.check.look("")
        wizard.go.click()
        yield "wizard-demo", wizard
        until(lambda: _ready(play), "the demo is connected")
        rest(2.5)  # for the first figures
        yield "first-run", play.window
        play.hub.disconnect(play.window.page.profile.id)
        until(lambda: play.hub.statuses()[0].phase is Phase.OFFLINE, "disconnected")
        play.window.changes.remove()
        yield "welcome", play.window
    finally:
        play.close()
        paths.use(before)


def _ready(play: Play) -> bool:
    status = play.window.page.status
    return status.phase is Phase.READY and status.surveyed


def _judged(check: erlang_check.ErlangCheck) -> bool:
    return not check.words.text().startswith("Looking")


class _no_erlang:  # noqa: N801 - reads as what it is
    """This computer has one, or there would be no pictures: its absence is played."""

    def __enter__(self) -> None:
        self._find = erlang_check.find
        vars(erlang_check)["find"] = self._none

    def __exit__(self, *_: object) -> None:
        vars(erlang_check)["find"] = self._find

    @staticmethod
    def _none(_setting: str) -> None:
        raise NONE


def preferences(play: Play) -> Iterator[Scene]:
    """The preferences, with the Erlang of this computer, and with one that is none."""
    play.presence.preferences()
    dialog = play.popped_up(Preferences)
    assert isinstance(dialog, Preferences)
    until(lambda: _judged(dialog.check) and dialog.erl.count() > 1, "the Erlangs are listed")
    yield "preferences", dialog
    dialog.choose_erlang("/usr/bin/true")
    until(lambda: _judged(dialog.check), "it was tried")
    yield "preferences-wrong", dialog
    dialog.choose_erlang("")
    dialog.close()
    rest(0.05)


def sheets(play: Play) -> Iterator[Scene]:
    """What the program is, and its keys."""
    for name, words, kind in (("about", "About", AboutDialog), ("keys", "Keyboard", KeysDialog)):
        next(a for a in play.window.findChildren(QAction) if words in a.text()).trigger()
        dialog = play.popped_up(kind)
        yield name, dialog
        dialog.close()
        rest(0.05)


def tray(play: Play) -> Iterator[Scene]:
    """The tray's menu and icons."""
    menu = TrayMenu(play.window)
    menu.popup(QPoint(40, 40))
    yield "tray-menu", menu
    menu.close()
    below = next(m for m in menu.findChildren(QMenu) if m.title().startswith(SHOP))
    below.popup(QPoint(40, 40))
    yield "tray-menu-profile", below
    below.close()
    menu.deleteLater()
    yield "tray-icons", IconSheet()


def crash() -> Iterator[Scene]:
    """A defect of our own."""
    crashes = Crashes()
    try:
        raise LookupError("no such thing, as an example")
    except LookupError as error:
        crashes.tell(error)
    until(lambda: crashes._dialog, "the report")
    assert isinstance(crashes._dialog, CrashDialog)
    yield "crash", crashes._dialog
    crashes._dialog.close()
    rest(0.05)


def played() -> Iterator[Scene]:
    """What would need two hundred nodes, a broken keyring, or a terminal's question."""
    hub = fake.FakeHub([fake.SHOP, alias_scenes.LAB], {fake.SHOP.id: fake.crowd()})
    window = MainWindow(
        hub, QuestionDesk(), Ring(), ui.sizes(Path(tempfile.mkdtemp(dir=Path.home()))), clock=lambda: fake.NOW
    )
    window.show()
    until(lambda: "page" in vars(window), "the page is there")
    rest(0.3)
    hub.measure(fake.SHOP.id, fake.readings(0, fake.crowd().nodes))
    rest(0.1)
    yield "crowd", window
    yield from _own_addresses(hub, window)
    hub.publish(Status(fake.SHOP.id))
    window.end()
    window.close()
    window.deleteLater()
    for name, question in (
        ("ask-no-keyring", Secret("passphrase", "~/.ssh/id_ed25519", keep=("run", "ask"), why_not=NO_RING)),
        ("ask-choice", Choice("Which node?", tuple(n.node for n in fake.THREE), ("web", "web-2", "jobs"))),
    ):
        dialog = questions.dialog_for(question, "Shop EU")
        dialog.show()
        yield name, dialog
        dialog.close()
        dialog.deleteLater()


def _own_addresses(hub: fake.FakeHub, window: MainWindow) -> Iterator[Scene]:
    """Nodes that own tools reach, one that something is in the way of, and the question before."""
    window.show_profile(alias_scenes.LAB.id)
    some = (alias_scenes.OPEN, alias_scenes.NAMED)
    for name, nodes in (("own-tools", some), ("own-tools-blocked", (alias_scenes.BLOCKED,))):
        hub.publish(alias_scenes.status(*nodes))
        rest(0.1)
        yield name, window
    hub.publish(Status(alias_scenes.LAB.id))
    rest(0.1)
    every = Profile(
        name="Every",
        hops=(SSHHop("bastion"), EngineHop("tcp://10.0.0.7:2375"), KubernetesHop("shop")),
        tls=TLS("~/nodes/ca.pem", "~/nodes/cert.pem", "~/nodes/key.pem"),
        alias="auto",
        alias_everyone=True,
    )
    editor = ProfileEditor(every, (), lambda _profile: None, window)
    editor.resize(editor.width(), 1040)
    editor.show()
    yield "editor-every", editor
    editor.close()
    editor.deleteLater()
    dialog = questions.dialog_for(explained("172.17.0.4"), "lab")
    dialog.show()
    yield "ask-own-address", dialog
    dialog.close()
    dialog.deleteLater()


class IconSheet(QWidget):
    """The tray's icons in each state and size, on a light and on a dark panel, and as a mask."""

    STATES = ("", "busy", "ok", "warn", "bad")

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedSize(5 * 190, 3 * 90)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's own name
        """Three rows."""
        painter = QPainter(self)
        rows = ((palette.LIGHT, "#f0f0f0"), (palette.DARK, "#202428"), (tray_icon.mask(), "#c8d4e8"))
        for row, (tokens, ground) in enumerate(rows):
            painter.fillRect(0, row * 90, self.width(), 90, ground)
            for column, shape in enumerate(self.STATES):
                left = 12 + column * 190
                for size in (16, 22, 32, 64):
                    ratio = self.devicePixelRatio()
                    image = tray_icon.pixmap(shape, tokens, round(size * ratio))
                    image.setDevicePixelRatio(ratio)
                    painter.drawPixmap(QPoint(left, row * 90 + 45 - size // 2), image)
                    left += size + 12
        painter.end()
