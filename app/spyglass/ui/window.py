"""The main window: puts the pieces together and passes wishes on to the hub.

No call here waits: the hub's methods return at once and everything that happens comes
back as a Status.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSettings, QStringListModel, Qt, Signal
from PySide6.QtWidgets import QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from spyglass.errors import BadInput, Failure
from spyglass.status import NodeInfo, Phase, Status
from spyglass.ui import icons, parts, style
from spyglass.ui.actions import completer
from spyglass.ui.asking import Counter
from spyglass.ui.bridge import HubLike, LogFeed, QuestionDesk, StatusFeed
from spyglass.ui.commands import Commands, MenuButton
from spyglass.ui.complaint import Complaint
from spyglass.ui.live import Live
from spyglass.ui.opening import Opening, acquaint
from spyglass.ui.profile_changes import ProfileChanges
from spyglass.ui.profile_list import ProfileListModel
from spyglass.ui.sidebar import Sidebar
from spyglass.ui.sizes import Sizes
from spyglass.ui.wishes import QUICK, Wishes
from spyglass.ui.words import Verb
from spyglass.ui.wrong_key import Alarms

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent

    from spyglass.log import Ring
    from spyglass.profile import Profile
    from spyglass.ui.empty import EmptyState
    from spyglass.ui.page import ConnectionPage


class MainWindow(QMainWindow):
    """Profiles on the left, the chosen connection on the right."""

    quit_wanted = Signal()
    preferences_wanted = Signal()

    def __init__(
        self,
        hub: HubLike,
        desk: QuestionDesk,
        ring: Ring,
        settings: QSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.hub, self.desk, self._clock = hub, desk, clock
        self.saved: list[Profile] = []
        self.unsaved: dict[str, Profile] = {}
        self.may_close: Callable[[], bool] = lambda: True
        self.feed = StatusFeed(hub, self)
        self._log = LogFeed(ring, self)
        self.wishes = Wishes(hub, desk, self.unsaved, self)
        self.do = self.wishes.do
        self.changes = ProfileChanges(hub, self)
        self.spinner = icons.Spinner(self)
        self.model = ProfileListModel(hub.status, self)
        self.sidebar = Sidebar(self.model, self.spinner)
        self.live = Live(hub, self)
        self.opening = Opening(self)
        self.quick = parts.KeyField("Connect to a host, host/container, or profile", "Ctrl K", "Connect to")
        self.new = parts.button("New profile", self.changes.new)
        self.menu_button = MenuButton(self)
        self.complaint = Complaint()
        self.splitter = QSplitter(Qt.Orientation.Horizontal, handleWidth=1, childrenCollapsible=False)
        self.questions = Counter(desk, self, self.name_of)
        self.alarms = Alarms(self, self.name_of)
        self._lay_out()
        self._sizes = Sizes(self, settings)
        self._connect()
        self.commands = Commands(self)
        self.reload()
        self.sidebar.list.setFocus()

    def _lay_out(self) -> None:
        self.setWindowTitle("Spyglass")
        self.stack = QStackedWidget()
        self.stack.addWidget(QWidget())  # until there is a page
        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(style.MARGIN, style.BLOCK, style.MARGIN, style.BLOCK)
        column.setSpacing(style.BLOCK)
        column.addLayout(parts.row(self.quick, self.new, self.menu_button, spacing=10))
        column.addWidget(self.complaint)
        column.addWidget(self.stack, 1)
        for side in (self.sidebar, main):
            self.splitter.addWidget(side)
        self.splitter.setStretchFactor(1, 1)
        self.setCentralWidget(self.splitter)
        self.setMinimumSize(860, 560)

    def _connect(self) -> None:
        self.feed.changed.connect(self._status_changed)
        self.wishes.refused.connect(self.complaint.tell)
        self.sidebar.chosen.connect(self._chosen)
        self.sidebar.opened.connect(self.wishes.open)
        self.opening.first(partial(acquaint, self.sidebar.list), lambda: self._unshown, lambda: self.page)
        self.model.moved.connect(self.changes.arrange)
        self.quick.returnPressed.connect(self.connect_quick)
        self.quick.textChanged.connect(self.complaint.hide)
        self._names = QStringListModel(self)
        self.quick.setCompleter(completer(self._names, self))
        style.Theme.current.changed.connect(self.update)

    # -- what is shown ----------------------------------------------------------------

    @cached_property
    def welcome(self) -> EmptyState:
        """The right side where nothing is saved."""
        from spyglass.ui.empty import nothing_saved  # noqa: PLC0415 - the profiles first

        made = nothing_saved()
        made.acted.connect(self.changes.new)
        self.stack.addWidget(made)
        return made

    @cached_property
    def _unshown(self) -> ConnectionPage:
        from spyglass.ui.page import ConnectionPage  # noqa: PLC0415 - the profiles first

        return ConnectionPage(self._log, self.live, self.spinner, self._clock, self.stack)

    @cached_property
    def page(self) -> ConnectionPage:
        """The right side. It takes as long as all the rest, so it is made when that has been painted."""
        made = self._unshown
        self.wishes.remarked.connect(made.note)
        made.acted.connect(self.act)
        made.observe.connect(partial(self.act, Verb.OBSERVE))
        made.alias.again.connect(lambda: self.do(self.hub.retry, self._id()))
        made.unobserve.connect(lambda nodes: self._close_windows(node.key for node in nodes))
        made.explain.connect(lambda: self.alarms.show_status(made.status))
        for name, table in (("nodes", made.nodes), ("forwards", made.forwards)):
            self._sizes.adopt(name, table.fitting.save, table.fitting.restore)
        style.Theme.current.changed.connect(made.problem.restyle)
        self.stack.addWidget(made)
        if profile := self.sidebar.current():
            self._show(made, profile)
        return made

    @property
    def _made(self) -> ConnectionPage | None:
        return vars(self).get("page")

    def reload(self, choose: str = "") -> None:
        """Read the profiles again; choose one of them if told."""
        try:
            known, faults = self.hub.read()
        except Failure as fault:
            known, faults = list(self.saved), [fault]
        saved = self.saved = [p for p in known if p.id not in self.unsaved]
        self._names.setStringList([p.name for p in saved])
        self.sidebar.load(saved, list(self.unsaved.values()), choose)
        for each in faults[:1]:
            self.complaint.tell(each)

    def _chosen(self, profile: Profile | None) -> None:
        if profile is None:
            searching = self._id() and self.sidebar.search.text().strip()
            self.stack.setCurrentWidget(self.page if searching else self.welcome)
        elif self._made:
            self._show(self._made, profile)
        else:
            self.stack.setCurrentIndex(0)

    def _show(self, page: ConnectionPage, profile: Profile) -> None:
        self.stack.setCurrentWidget(page)
        page.show_connection(profile, self.hub.status(profile.id), saved=profile.id not in self.unsaved)
        self._spin()

    def _status_changed(self, status: Status) -> None:
        self.model.update_status(status)
        self.wishes.hear(status)
        self.alarms.hear(status)
        if status.phase in {Phase.CLOSING, Phase.OFFLINE, Phase.FAILED}:
            self.desk.withdraw(status.profile_id)
        if self._made and status.profile_id == self._id():
            self._made.update_status(status)
        self._spin()

    def _spin(self) -> None:
        seen = self.isVisible() and not self.isMinimized()
        self.spinner.run(seen and (self.model.busy() or (self._made is not None and self._made.chain.busy())))

    def name_of(self, profile_id: str) -> str:
        """The name of a profile, saved or not."""
        return next((p.name for p in (*self.saved, *self.unsaved.values()) if p.id == profile_id), "")

    def _id(self) -> str:
        return self._made.profile.id if self._made else ""

    # -- what the person does ---------------------------------------------------------

    def connect_quick(self) -> None:
        """Connect to what stands in the quick-connect field, without saving it."""
        if not (text := self.quick.text().strip()):
            return
        try:
            profile = self.wishes.meant(text, self.saved)
        except BadInput as fault:
            self.complaint.tell(BadInput(fault.title, QUICK))
            return
        self.quick.clear()
        self.sidebar.search.clear()
        self.reload(profile.id)
        self.do(self.hub.connect, self.unsaved.get(profile.id, profile.id))
        self.sidebar.list.setFocus()

    def toggle(self) -> None:
        """Connect the chosen profile, or stop it."""
        if profile := self.sidebar.current():
            self.wishes.toggle(profile)

    def act(self, verb: Verb, nodes: Sequence[NodeInfo]) -> None:
        """Do with the shown connection what a button says."""
        profile = self.page.profile
        if verb is Verb.OBSERVE and nodes:
            self.wishes.observe_all(profile, nodes)
        elif verb is Verb.TOGETHER:
            self.wishes.together(profile, nodes)
        elif verb in {Verb.CANCEL, Verb.DISCONNECT}:
            self.wishes.stop(profile.id)
        elif verb in {Verb.EDIT, Verb.SAVE}:
            self.changes.edit()
        elif verb is Verb.REFRESH:
            self.do(self.hub.refresh, profile.id)
        elif verb is Verb.GIVE_UP:
            self._close_windows(self.page.status.awaited)
        elif profile.id:
            self.wishes.open(profile)

    def _close_windows(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.do(self.hub.close_window, self._id(), key)

    def connect_unsaved(self, profile: Profile) -> None:
        """Connect without saving, and show it."""
        self.unsaved[profile.id] = profile
        self.reload(profile.id)
        self.wishes.open(profile)

    def show_profile(self, profile_id: str, *, log: bool = False) -> None:
        """Choose a profile, and its log if told."""
        self.sidebar.search.clear()
        self.sidebar.choose(profile_id)
        if log:
            self.page.tabs.setCurrentIndex(2)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: whether the window closes, hides or stays is not ours to say (see ``may_close``)."""
        if self.may_close():
            self.end()
            super().closeEvent(event)
        else:
            event.ignore()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: what turns may turn again."""
        super().showEvent(event)
        self._spin()
        self.alarms.show_waiting()

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt: nothing turns where nobody sees it."""
        super().hideEvent(event)
        self._spin()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: nothing moves and nothing is asked for a window that is minimized."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self._spin()
            if self._made:
                self._made.follow()

    def end(self) -> None:
        """Remember the sizes and hear no more; the hub ends with the program. Callable twice."""
        self._sizes.remember()
        self.spinner.run(False)
        for each in (self.desk, self.live, self.feed, self._log):
            each.close()
