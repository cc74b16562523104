"""The page of one connection: header, chain, the problem if there is one, and three tabs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtWidgets import QMenu, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from spyglass.profile import Profile
from spyglass.status import NodeInfo, Phase, Problem, Status
from spyglass.ui import alias_words, panels, parts, releases, style, words
from spyglass.ui.alias_bar import AliasBar, show_column
from spyglass.ui.arrivals import Arrivals
from spyglass.ui.chain import ChainView, ProblemCard
from spyglass.ui.columns import FORWARDS, NODES
from spyglass.ui.empty import EmptyState
from spyglass.ui.header import Header
from spyglass.ui.log_view import LogView
from spyglass.ui.node_actions import NodeActions, several_reachable
from spyglass.ui.nodes_table import NodeTable
from spyglass.ui.wait_bar import WaitBar
from spyglass.ui.words import TABS, Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QHideEvent, QShowEvent

    from spyglass.ui.bridge import LogFeed
    from spyglass.ui.icons import Spinner
    from spyglass.ui.live import Live
    from spyglass.ui.nodes_model import Series

_NOTE = 6000  # milliseconds that a passing remark stays in the footer


class ConnectionPage(QWidget):
    """Shows a profile and its status; says what the person wants by signals."""

    acted = Signal(object, object)
    observe = Signal(list)
    unobserve = Signal(list)
    explain = Signal()

    def __init__(
        self, feed: LogFeed, live: Live, spinner: Spinner, clock: Callable[[], float], parent: QWidget
    ) -> None:
        super().__init__(parent)  # from the beginning: a window may end before it shows its page
        self._live = live
        self.profile = Profile(name="")
        self.status = Status("")
        self._saved = True
        self._releases: dict[str, str] = {}
        self._unasked: set[str] = set()
        self._dismissed: Problem | None = None
        self.header = Header(clock)
        self.chain = ChainView(spinner)
        self.problem = ProblemCard()
        self.away = WaitBar(clock)
        self.node_actions = NodeActions(self)
        self.alias = AliasBar()
        self.keep = parts.Offer("Save this way as a profile?", "Save…")
        self.arrivals = Arrivals(self)
        self.news = parts.Elided(mode=parts.ElideMode.ElideRight)
        self.together = parts.button(
            "Observe all",
            lambda: self.acted.emit(Verb.TOGETHER, self.nodes.selected()),
            small=True,
            name="Observe all nodes in one window",
        )
        self.tabs = QTabBar(drawBase=False, expanding=False)
        self.nodes = NodeTable(NODES, "Nodes")
        self.forwards = NodeTable(FORWARDS, "Forwards")
        self.log = LogView(feed)
        self.footer = parts.Elided(role="dim", mode=parts.ElideMode.ElideRight)
        self._empties = [EmptyState(), EmptyState()]
        tables = (self.nodes, self.forwards)
        self._stacks = [panels.stack(*each) for each in zip(tables, self._empties, strict=True)]
        self._note = QTimer(self, singleShot=True, interval=_NOTE)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for name in TABS:
            self.tabs.addTab(name)
        self.tabs.setAccessibleName("Views of the connection")
        self.body = QStackedWidget()
        for widget in (*self._stacks, self.log):
            self.body.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(style.BLOCK)
        for widget in (self.header, panels.card(self.chain), self.problem, self.away, self.alias, self.keep):
            column.addWidget(widget)
        bar = parts.row(self.tabs, 1, self.news, self.together)
        bar.setContentsMargins(7, 0, 12, 0)
        self._foot = QWidget()
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 8)
        foot.setSpacing(8)
        foot.addWidget(parts.rule())
        self.footer.setContentsMargins(16, 0, 16, 0)
        foot.addWidget(self.footer)
        column.addWidget(panels.card(bar, parts.rule(), self.body, self._foot), 1)

    def _connect(self) -> None:
        deeds = self.node_actions
        deeds.said.connect(self.note)
        deeds.observe.connect(self.observe)
        deeds.unobserve.connect(self.unobserve)
        deeds.together.connect(partial(self.acted.emit, Verb.TOGETHER))
        self.arrivals.changed.connect(self._show_news)
        self.arrivals.faded.connect(self._fade)
        self.away.look.connect(lambda: self.acted.emit(Verb.REFRESH, ()))
        self.away.stop.connect(lambda: self.acted.emit(Verb.GIVE_UP, ()))
        self.header.acted.connect(self.acted)
        self.problem.copied.connect(lambda: deeds.copy(self.problem.text(), "What it says"))
        self.problem.explained.connect(self.explain)
        self.problem.closed.connect(self._dismiss)
        self.tabs.currentChanged.connect(self.body.setCurrentIndex)
        self.nodes.chosen.connect(self._selected)
        self.alias.copied.connect(deeds.copy)
        self.keep.taken.connect(lambda: self.acted.emit(Verb.SAVE, ()))
        self.keep.declined.connect(lambda: self.offer_no_more(self.profile.id))
        self._live.came.connect(self._measured)
        self.log.said.connect(self.note)
        self._note.timeout.connect(self._show_footer)
        for empty in self._empties:
            empty.acted.connect(self._act_empty)
        for table in (self.nodes, self.forwards):
            table.opened.connect(self._open)
            table.customContextMenuRequested.connect(lambda at, table=table: self._menu(table, at))

    def show_connection(self, profile: Profile, status: Status, *, saved: bool) -> None:
        """Show this connection as it is now."""
        other, failed = profile.id != self.profile.id, self.status.phase is Phase.FAILED
        self.profile, self.status, self._saved = profile, status, saved
        self._releases = {} if other else self._releases
        self.arrivals.hear(status, seen=self.seen)
        self._show_way()
        self._show_problem()
        self.away.show_status(status)
        self.forwards.show_nodes([node for node in status.nodes if node.forward], status.observing)
        self.log.show_profile(profile.id)
        if other or (status.phase is Phase.FAILED and not failed):
            self.tabs.setCurrentIndex(2 if status.phase is Phase.FAILED else 0)
        if other:
            self.nodes.clearSelection()
            self._note.stop()
        for table in (self.nodes, self.forwards):
            show_column(table, status.nodes)
        self.alias.show_status(status, self.nodes.selected())
        self.together.setVisible(several_reachable(status) and not profile.observer.together)
        self._show_empty()
        self._show_offer()
        self._show_footer()
        self.follow()

    def _show_way(self) -> None:
        """The chain and the nodes, by what is known of them now."""
        profile, status = self.profile, self.status
        chain = alias_words.chain(words.chain(profile, status), profile, status)
        self.chain.show_links(releases.in_chain(chain, status.nodes, self._releases))
        nodes = self.arrivals.among(releases.exact(status.nodes, self._releases))
        self.nodes.show_nodes(nodes, status.observing)

    def _measured(self, series: Series) -> None:
        told = {key: each[-1].otp for key, each in series.items() if each and each[-1].otp}
        if told.items() - self._releases.items():
            self._releases |= told
            self._show_way()
        self.nodes.show_figures(series)

    def follow(self) -> None:
        """Have live figures as long as somebody can see them, and only then."""
        ready = self.status.phase is Phase.READY and self.status.surveyed
        able = ready and any(node.reachable for node in self.status.nodes)
        self._live.watch(self.profile.id, wanted=able and self.seen)
        if not ready:
            self._live.forget()

    @property
    def seen(self) -> bool:
        """Whether somebody can see the page."""
        return self.isVisible() and not self.window().isMinimized()

    def _show_news(self) -> None:
        self.news.say(self.arrivals.text)
        self.nodes.model_.show_fresh(self.arrivals.fresh)

    def _fade(self) -> None:
        self._show_way()
        self._show_empty()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: figures are wanted again."""
        super().showEvent(event)
        self.follow()

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt: nobody sees figures or news now."""
        super().hideEvent(event)
        self.arrivals.forget()
        self.follow()

    def _show_offer(self) -> None:
        asks = not self._saved and self.status.phase is Phase.READY and self.profile.id not in self._unasked
        self.keep.setVisible(asks)
        self._show_header()

    def offer_no_more(self, profile_id: str) -> None:
        """Do not ask whether to save this one."""
        self._unasked.add(profile_id)
        self._show_offer()

    def _show_problem(self) -> None:
        problem = words.problem(self.status)
        ready = self.status.phase is Phase.READY
        shown = None if ready and problem == self._dismissed else problem
        self.problem.show_problem(shown, mild=self.status.phase is not Phase.FAILED, closable=ready)

    def _dismiss(self) -> None:
        self._dismissed = words.problem(self.status)
        self._show_problem()

    def update_status(self, status: Status) -> None:
        """The shown connection has changed."""
        if status != self.status:
            self.show_connection(self.profile, status, saved=self._saved)

    def note(self, text: str) -> None:
        """A passing remark, in the footer."""
        self._say(text)
        self._note.start()

    def node_menu(self, nodes: list[NodeInfo], inside: QMenu | None = None) -> QMenu:
        """What can be done with these nodes."""
        return self.node_actions.menu(self.profile, self.status, nodes, inside)

    def _menu(self, table: NodeTable, at: QPoint) -> None:
        if nodes := table.selected():
            menu = self.node_menu(nodes)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(table.viewport().mapToGlobal(at))

    def _open(self, nodes: list[NodeInfo]) -> None:
        if able := [node for node in nodes if node.reachable]:
            self.observe.emit(able)
        else:
            self.note(f"{nodes[0].node}: {words.node_state(nodes[0], frozenset())}.")

    def _selected(self) -> None:
        self.alias.show_status(self.status, self.nodes.selected())
        self._show_header()
        self._show_footer()

    def _show_header(self) -> None:
        offered = not self.keep.isHidden()  # one button that saves is enough
        saved = self._saved or offered
        self.header.show_status(self.profile, self.status, self.nodes.selected(), saved=saved)

    def _show_empty(self) -> None:
        self._empties[0].say(*words.empty_nodes(self.profile, self.status))
        self._empties[1].say(*words.empty_forwards(self.status))
        for stack, table in zip(self._stacks, (self.nodes, self.forwards), strict=True):
            stack.setCurrentIndex(0 if table.model_.rowCount() else 1)

    def _act_empty(self) -> None:
        self.acted.emit(Verb.REFRESH if self.status.phase is Phase.READY else Verb.CONNECT, ())

    def _show_footer(self) -> None:
        if self._note.isActive():
            return
        selected = self.nodes.selected()
        if len(selected) == 1 and not selected[0].reachable:
            self._say(f"{selected[0].node}: {words.node_state(selected[0], frozenset())}")
            return
        hidden = self.nodes.left_out(selected[0]) if len(selected) == 1 else ""
        self._say(hidden or words.footer(self.status), "\n".join(self.status.warnings))

    def _say(self, text: str, tooltip: str = "") -> None:
        self.footer.say(text, tooltip)
        self._foot.setVisible(bool(text))
