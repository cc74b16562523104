"""The first run: is Erlang here, and where are the nodes? One page; it can be skipped, and comes once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from spyglass.errors import BadInput, Failure
from spyglass.profile import Profile, SSHHop, parse_hop
from spyglass.ui import parts, style, texts
from spyglass.ui.erlang_check import ErlangCheck
from spyglass.ui.errand import Errand

if TYPE_CHECKING:
    from spyglass.ui.demo_run import DemoRun
    from spyglass.ui.preferred import Preferred
    from spyglass.ui.window import MainWindow

_DEMO, _HERE = "demo", "here"
_PLACES = (
    (_DEMO, "Demo: a server and a node to try it on, for as long as Spyglass runs"),
    (_HERE, "This computer: its nodes and containers"),
)
_ROW = 32


class Wizard(QDialog):
    """Ends with a connection begun in the window, or with nothing."""

    def __init__(self, window: MainWindow, preferred: Preferred, run: Callable[[], DemoRun]) -> None:
        """``run`` begins the demo and keeps it until the program ends."""
        super().__init__(window)
        self._window = window
        self._run = run
        self.setObjectName("wizard")
        self.setWindowTitle("Welcome – Spyglass")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.check = ErlangCheck()
        self.list = QListWidget()
        self.list.setAccessibleName("Where your nodes run")
        self.other = QLineEdit(placeholderText="another host: user@host")
        self.other.setAccessibleName("Another host")
        self.said = parts.label(role="dim")
        self.said.setWordWrap(True)
        self.skip = parts.button("Skip", self.reject)
        self.go = parts.button("Connect", self._go)
        self.go.setProperty("primary", True)
        self.go.setDefault(True)
        self._add(_PLACES)
        self._lay_out()
        self.list.currentRowChanged.connect(self._chosen)
        self.list.itemActivated.connect(lambda _item: self._go())
        self.other.textChanged.connect(self._chosen)
        self.list.setCurrentRow(0)
        self.check.look(preferred.value.erl)
        Errand(_hosts, self._list_hosts, self._no_hosts)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 20)
        column.setSpacing(style.BLOCK)
        column.addWidget(parts.label("Welcome to Spyglass", font=style.title()))
        intro = parts.label(
            "It opens Erlang's Observer on nodes behind SSH, in containers and outside.",
            "dim",
        )
        intro.setWordWrap(True)
        column.addWidget(intro)
        column.addWidget(_card("Erlang on this computer", self.check))
        column.addWidget(_card("Where your nodes run", self.list, self.other), 1)
        bottom = parts.row(self.said, self.skip, self.go, spacing=10)
        bottom.setStretch(0, 1)
        column.addLayout(bottom)
        self.resize(620, 600)
        self.list.setFocus()

    # -- where to -------------------------------------------------------------------------

    def _add(self, places: tuple[tuple[str, str], ...]) -> None:
        for value, text in places:
            item = QListWidgetItem(text)
            item.setData(Qt.ItemDataRole.UserRole, value)
            item.setSizeHint(QSize(0, _ROW))
            self.list.addItem(item)

    def _list_hosts(self, hosts: list[str]) -> None:
        self._add(tuple((f"ssh {host}", host) for host in hosts))
        if not hosts:
            self._say("~/.ssh/config names no host; one can be typed.")

    def _no_hosts(self, fault: Failure) -> None:
        self._say(f"{fault.title}. {fault.hint}".strip(), bad=True)

    def _place(self) -> str:
        if self.list.currentRow() < 0:
            return _DEMO
        return str(self.list.currentItem().data(Qt.ItemDataRole.UserRole))

    def _chosen(self) -> None:
        typed = self.other.text().strip()
        place = self._place()
        self.list.setEnabled(not typed)
        words = {_DEMO: "Start the demo", _HERE: "Look on this computer"}
        host = typed or place.removeprefix("ssh ")
        self.go.setText("Connect to " + host[:28] if typed or place not in words else words[place])

    # -- what is done -----------------------------------------------------------------------

    def _go(self) -> None:
        typed, place = self.other.text().strip(), self._place()
        try:
            if typed:
                self._connect(Profile(name=typed, hops=(parse_hop(typed),)))
            elif place == _DEMO:
                self._start_demo()
            elif place == _HERE:
                self._connect(Profile(name="This computer"))
            else:
                host = place.removeprefix("ssh ")
                self._connect(Profile(name=host, hops=(SSHHop(host),)))
        except Failure as fault:
            hint = "" if isinstance(fault, BadInput) and "`" in fault.hint else fault.hint
            self._say(f"{fault.title}. {hint}".strip(), bad=True)

    def _connect(self, profile: Profile) -> None:
        made = self._window.hub.add(profile)
        self._window.reload(made.id)
        self._window.wishes.open(made)
        self.accept()

    def _start_demo(self) -> None:
        for each in (self.go, self.list, self.other):
            each.setEnabled(False)
        self._say("Starting a server and a node. That takes a few seconds.")
        run = self._run()
        run.ready.connect(self._demo_runs)
        run.failed.connect(self._demo_failed)
        run.start()

    def _demo_runs(self, profile: Profile) -> None:
        self._window.page.offer_no_more(profile.id)  # the demo's way ends with the program
        self._window.connect_unsaved(profile)
        self.accept()

    def _demo_failed(self, fault: Failure) -> None:
        for each in (self.go, self.list, self.other):
            each.setEnabled(True)
        self._say(f"{fault.title}. {fault.hint}".strip(), bad=True)

    def _say(self, text: str, *, bad: bool = False) -> None:
        style.mark(self.said, role="bad" if bad else "dim")
        self.said.setText(texts.homely(text))


def _hosts() -> list[str]:
    from spyglass.remote import sshconfig  # noqa: PLC0415 - the window first
    from spyglass.store import paths  # noqa: PLC0415

    return sshconfig.hosts(paths.current().ssh_config)


def _card(heading: str, *inside: QWidget) -> QFrame:
    card = QFrame()
    card.setObjectName("card")
    column = QVBoxLayout(card)
    column.setContentsMargins(16, 12, 16, 14)
    column.setSpacing(10)
    column.addWidget(parts.label(heading, font=style.strong()))
    for each in inside:
        column.addWidget(each)
    return card
