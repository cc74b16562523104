from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from spyglass.errors import BadInput
from spyglass.profile import Observing, Profile, SSHHop
from spyglass.status import Phase, Status
from spyglass.ui import style
from spyglass.ui.palette import DARK, LIGHT
from spyglass.ui.questions import ConsentDialog
from spyglass.ui.sizes import SIZE
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractItemView, QApplication
    from pytestqt.qtbot import QtBot

Key = Qt.Key


def double_click(view: QAbstractItemView, index: QModelIndex) -> None:
    at = view.visualRect(index).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def choose(window: MainWindow, profile: Profile) -> None:
    window.sidebar.choose(profile.id)


def publish(hub: fake.FakeHub, status: Status) -> None:
    """From a thread, as connections do."""
    thread = threading.Thread(target=hub.publish, args=(status,))
    thread.start()
    thread.join()


def test_the_first_window_has_the_size_of_the_drawing_and_shows_the_first_profile(window: MainWindow) -> None:
    assert (window.width(), window.height()) == SIZE
    assert window.page.profile == fake.SHOP
    assert window.sidebar.list.hasFocus()


def test_a_double_click_on_a_profile_connects_it(hub: fake.FakeHub, window: MainWindow) -> None:
    hub.publish(Status(fake.STAGING.id))
    double_click(window.sidebar.list, window.model.index_of(fake.STAGING.id))
    assert hub.calls == [("connect", fake.STAGING.id)]


def test_enter_on_a_profile_connects_it_and_tries_a_stopped_one_again(
    hub: fake.FakeHub, window: MainWindow
) -> None:
    hub.publish(Status(fake.STAGING.id))
    for profile in (fake.STAGING, fake.BILLING, fake.SHOP):
        choose(window, profile)
        QTest.keyClick(window.sidebar.list, Key.Key_Return)
    assert hub.calls == [("connect", fake.STAGING.id), ("retry", fake.BILLING.id)]


def test_a_double_click_on_a_node_opens_observer_on_it(hub: fake.FakeHub, window: MainWindow) -> None:
    window.wishes._confirmed.add(fake.SHOP.id)
    double_click(window.page.nodes, window.page.nodes.model().index(1, 0))
    assert hub.calls == [("observe", fake.SHOP.id, "web-2/shop@172.17.0.5")]
    assert "Opening Observer on shop@172.17.0.5" in window.page.footer.whole()


def test_a_node_that_cannot_be_reached_says_why_instead(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    publish(hub, fake.refused())
    qtbot.waitUntil(lambda: window.page.nodes.model().rowCount() == 5)
    double_click(window.page.nodes, window.page.nodes.model().index(4, 0))
    assert hub.calls == []
    assert "speaks TLS" in window.page.footer.whole()


@pytest.mark.parametrize(
    ("profile", "call"),
    [
        (fake.SHOP, ("observe", fake.SHOP.id, "web/shop@172.17.0.4")),
        (fake.BILLING, ("retry", fake.BILLING.id)),
        (fake.STAGING, ("disconnect", fake.STAGING.id)),
        (fake.RANCHER, ("retry", fake.RANCHER.id)),
        (fake.LOCAL, ("disconnect", fake.LOCAL.id)),
    ],
    ids=lambda value: value.name if isinstance(value, Profile) else None,
)
def test_the_primary_button_does_what_it_says(
    hub: fake.FakeHub, window: MainWindow, profile: Profile, call: tuple[str, ...]
) -> None:
    choose(window, profile)
    window.wishes._confirmed.add(profile.id)
    window.page.header.primary.click()
    assert hub.calls == [call]


def test_the_primary_button_follows_the_selected_node(window: MainWindow) -> None:
    window.page.nodes.selectRow(2)
    assert window.page.header.primary.text() == "Observe jobs@172.17.0.9"


def test_the_window_follows_a_connection_through_its_phases(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    choose(window, fake.STAGING)
    said = []
    for status in (fake.connecting(), fake.connected(fake.STAGING), Status(fake.STAGING.id, Phase.CLOSING)):
        publish(hub, status)
        qtbot.waitUntil(lambda status=status: window.page.status == status)
        said.append((window.page.header.primary.text(), window.page.header.primary.isEnabled()))
    assert said == [("Cancel", True), ("Observe shop@172.17.0.4", True), ("Disconnect", False)]


def test_only_what_moves_keeps_the_timer_running(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot) -> None:
    assert window.spinner.running
    publish(hub, Status(fake.STAGING.id))
    qtbot.waitUntil(lambda: not window.spinner.running)


def test_a_stopped_connection_explains_itself_below_the_chain(window: MainWindow) -> None:
    choose(window, fake.BILLING)
    assert window.page.problem.isVisible()
    assert window.page.tabs.currentIndex() == 2
    window.page.problem.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("10.0.3.7 shows another key")
    assert "SHA256:Zk2pW8vYt4qNs6rBx1mLd9hJc3gFe7aUoViT5QzR1Yc" in copied


def test_a_trouble_with_one_node_can_be_put_away_and_comes_back_when_new(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    publish(hub, fake.troubled())
    qtbot.waitUntil(window.page.problem.isVisible)
    window.page.problem.close_button.click()
    assert not window.page.problem.isVisible()
    trouble = replace(fake.troubled().troubles[fake.THREE[2].key], title="It happened again")
    publish(hub, replace(fake.troubled(), troubles={fake.THREE[2].key: trouble}))
    qtbot.waitUntil(window.page.problem.isVisible)


def test_quick_connect_goes_without_saving_and_offers_to_save(hub: fake.FakeHub, window: MainWindow) -> None:
    QTest.keyClick(window, Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.quick.hasFocus()
    QTest.keyClicks(window.quick, "deploy@prod9/web")
    QTest.keyClick(window.quick, Key.Key_Return)
    [(call, profile)] = hub.calls
    assert (call, profile.hops, profile.select.container) == ("connect", (SSHHop("prod9", "deploy"),), "web")
    assert window.page.profile == profile
    assert [b.text() for b in window.page.header.others if b.isVisible()] == ["Save…"]
    assert profile.id in window.unsaved


def test_one_button_at_a_time_saves_an_unsaved_connection(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    window.quick.setText("deploy@prod9")
    window.connect_quick()
    page = window.page
    publish(hub, fake.connected(page.profile))
    qtbot.waitUntil(page.keep.isVisible)
    assert [b.text() for b in page.header.others if b.isVisible()] == ["Disconnect"]
    page.keep.no.click()
    assert [b.text() for b in page.header.others if b.isVisible()] == ["Save…", "Disconnect"]


def test_a_long_name_and_the_state_can_be_read_in_the_smallest_window(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.resize(window.minimumSize())
    window.sidebar.choose(fake.LONG.id)
    header = window.page.header
    qtbot.waitUntil(lambda: header.title.text().startswith("Load test"))
    assert header.title.text().endswith("…")
    assert header.title.toolTip() == fake.LONG.name
    assert header.words.text() == header.words.whole()
    assert header.primary.text() == "Observe"
    assert header.primary.accessibleName().startswith("Observe checkout_worker_0@")


def test_quick_connect_knows_the_names_of_profiles(hub: fake.FakeHub, window: MainWindow) -> None:
    window.quick.setText("Shop staging")
    window.connect_quick()
    assert hub.calls == [("connect", fake.STAGING.id)]
    assert window.page.profile == fake.STAGING


def test_the_same_target_twice_is_one_connection(hub: fake.FakeHub, window: MainWindow) -> None:
    for _ in range(2):
        window.quick.setText("deploy@prod9")
        window.connect_quick()
    assert hub.calls[0][1].id == hub.calls[1][1].id
    assert len(window.unsaved) == 1


def test_a_target_that_is_none_is_refused_with_the_reason(hub: fake.FakeHub, window: MainWindow) -> None:
    window.quick.setText("two words")
    window.connect_quick()
    assert hub.calls == []
    assert window.complaint.isVisible()
    told = window.complaint.accessibleName()
    assert "'two words' is neither a saved profile nor a host" in told
    assert "`" not in told  # no command to be typed: this is a window
    window.quick.setText("two")
    assert not window.complaint.isVisible()


def test_saving_a_quick_connection_keeps_it_chosen(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    window.quick.setText("deploy@prod9")
    window.connect_quick()
    identity = window.page.profile.id
    window.changes.edit()
    editor = window.findChild(object, "editor")
    editor.name.setText("Prod 9")
    editor.ok.click()
    assert window.page.profile.name == "Prod 9"
    assert window.page.profile.id == identity
    assert window.unsaved == {}


OPENS = Profile(
    name="opens",
    id=fake.profile_id(11),
    hops=(SSHHop("opens"),),
    observer=Observing(open=True, together=True),
)


def test_observer_opens_by_itself_once_where_the_profile_says_so_and_one_node_fits(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    hub.add(OPENS)
    window.reload(OPENS.id)
    one, closed = fake.node("a@10.0.0.1", "a"), replace(fake.node("b@10.0.0.1", "b"), reachable=False)
    opened = ("observe", OPENS.id, one.key, "company")
    publish(hub, replace(fake.connected(OPENS, (one, closed)), observing=frozenset()))
    qtbot.waitUntil(lambda: opened in hub.calls)
    publish(hub, replace(fake.connected(OPENS, (one,)), observing=frozenset(), doing="later"))
    qtbot.waitUntil(lambda: window.page.status.doing == "later")
    assert hub.calls.count(opened) == 1


def test_observer_is_not_opened_by_itself_where_several_nodes_fit(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    hub.add(msgspec.structs.replace(OPENS, observer=Observing(open=True)))
    window.reload(OPENS.id)
    nodes = (fake.node("a@10.0.0.1", "a"), fake.node("b@10.0.0.1", "b"))
    publish(hub, replace(fake.connected(OPENS, nodes), observing=frozenset()))
    qtbot.waitUntil(lambda: window.page.status.nodes == nodes)
    assert [call for call in hub.calls if call[0] == "observe"] == []


def test_one_window_can_have_all_nodes_in_its_menu(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    hub.add(msgspec.structs.replace(OPENS, observer=Observing()))
    window.reload(OPENS.id)
    nodes = (fake.node("a@10.0.0.1", "a"), fake.node("b@10.0.0.1", "b"))
    publish(hub, replace(fake.connected(OPENS, nodes), observing=frozenset()))
    qtbot.waitUntil(lambda: window.page.status.nodes == nodes)
    [one] = [a for a in window.page.node_menu([nodes[1]]).actions() if "all in one" in a.text()]
    one.trigger()
    assert hub.calls[-1] == ("observe", OPENS.id, nodes[1].key, "company")


def test_search_narrows_the_list_and_escape_ends_it(window: MainWindow) -> None:
    QTest.keyClick(window, Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(window.sidebar.search, "rancher")
    assert window.page.profile == fake.RANCHER
    assert window.model.rowCount() == 2
    QTest.keyClicks(window.sidebar.search, " nothing")
    assert window.sidebar.nothing.isVisible()
    QTest.keyClick(window.sidebar.search, Key.Key_Escape)
    assert window.model.rowCount() == 9
    assert window.page.profile == fake.RANCHER


def test_delete_removes_only_after_a_yes(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot) -> None:
    for answer in ("reject", "accept"):
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        window.sidebar.list.setFocus()
        QTest.keyClick(window.sidebar.list, Key.Key_Delete)
        getattr(window.findChild(ConsentDialog), answer)()
        qtbot.waitUntil(lambda: window.findChild(ConsentDialog) is None)
    assert hub.calls == [("remove", fake.SHOP.id)]
    assert window.page.profile == fake.BILLING


def test_a_copy_gets_a_free_name(hub: fake.FakeHub, window: MainWindow) -> None:
    QTest.keyClick(window.sidebar.list, Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    editor = window.findChild(object, "editor")
    assert editor.name.text() == "Shop EU 2"
    editor.ok.click()
    assert window.page.profile.name == "Shop EU 2"
    assert window.page.profile.hops == fake.SHOP.hops


def test_without_profiles_the_window_offers_to_make_one(
    make_window: Callable[[fake.FakeHub], MainWindow],
) -> None:
    window = make_window(fake.FakeHub())
    assert window.stack.currentWidget() is window.welcome
    window.welcome.acted.emit()
    editor = window.findChild(object, "editor")
    editor.name.setText("First")
    editor.hops.rows[0].host.setText("prod1")
    editor.ok.click()
    assert window.stack.currentWidget() is window.page
    assert window.page.profile.name == "First"


@pytest.mark.parametrize(
    ("profile", "status", "action"),
    [
        (fake.STAGING, Status(fake.STAGING.id), "Connect"),
        (fake.STAGING, fake.connecting(), ""),
        (fake.LOCAL, fake.nothing_found(), "Look again"),
        (fake.BILLING, fake.changed_key(), ""),
    ],
    ids=["offline", "connecting", "nothing found", "failed"],
)
def test_an_empty_table_offers_the_one_action_that_fills_it(
    hub: fake.FakeHub,
    make_window: Callable[[fake.FakeHub], MainWindow],
    profile: Profile,
    status: Status,
    action: str,
) -> None:
    hub.publish(status)
    window = make_window(hub)
    choose(window, profile)
    empty = window.page._empties[0]
    assert empty.action == action
    if action:
        empty.acted.emit()
        assert hub.calls[0][0] == {"Connect": "connect", "Look again": "refresh"}[action]


def test_the_menu_of_a_node_copies_what_it_says(hub: fake.FakeHub, window: MainWindow) -> None:
    menu = window.page.node_menu([fake.THREE[0]])
    texts = {action.text().replace("&", ""): action for action in menu.actions() if action.text()}
    assert list(texts) == [
        "Observe",
        "Observe all in one window",
        "Close Observer",
        "Shell",
        "Copy shell command",
        "Copy node name",
        "Copy forward address",
    ]
    copied = []
    for name in list(texts)[4:]:
        texts[name].trigger()
        copied.append(QGuiApplication.clipboard().text())
    assert copied == ["spyglass shell 'Shop EU' shop@172.17.0.4", "shop@172.17.0.4", "127.0.0.1:40117"]
    texts["Close Observer"].trigger()
    assert hub.calls == [("close_window", fake.SHOP.id, "web/shop@172.17.0.4")]


def test_what_the_hub_refuses_is_said_and_nothing_breaks(
    hub: fake.FakeHub, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BadInput("The profile's file is gone", "Save it anew.")

    monkeypatch.setattr(hub, "retry", refuse)
    choose(window, fake.BILLING)
    window.page.header.primary.click()
    assert window.complaint.text() == "The profile's file is gone. Save it anew."


def test_a_broken_profile_file_is_told_at_the_start(
    make_window: Callable[[fake.FakeHub], MainWindow],
) -> None:
    hub = fake.scene()
    hub.faults.append(BadInput("x.toml: line 3 is no TOML", "Correct it. The file was left as it is."))
    assert "line 3 is no TOML" in make_window(hub).complaint.text()


def test_sizes_are_remembered(
    make_window: Callable[[fake.FakeHub], MainWindow], hub: fake.FakeHub, qtbot: QtBot
) -> None:
    first = make_window(hub)
    first.page.nodes.horizontalHeader().resizeSection(1, 177)
    first.splitter.setSizes([300, 800])
    first.resize(first.width() - 40, first.height() - 30)
    kept = (first.page.nodes.columnWidth(1), first.splitter.sizes()[0], first.size())
    first.close()
    second = make_window(hub)
    assert second.page.nodes.columnWidth(1) == kept[0]
    assert abs(second.splitter.sizes()[0] - kept[1]) <= 2
    assert second.size() == kept[2]


def test_the_palette_changes_while_the_window_is_open(window: MainWindow, qapp: QApplication) -> None:
    choose(window, fake.BILLING)
    style.Theme.current.choose("dark")
    assert style.tokens() is DARK
    assert window.palette().window().color().name() == DARK.window
    style.Theme.current.choose("light")
    assert window.palette().window().color().name() == LIGHT.window


def test_everything_that_can_be_clicked_has_a_name_for_screen_readers(window: MainWindow) -> None:
    from PySide6.QtWidgets import QAbstractButton, QLineEdit, QListView, QTableView  # noqa: PLC0415

    nameless = [
        widget
        for kind in (QAbstractButton, QLineEdit, QListView, QTableView)
        for widget in window.findChildren(kind)
        if not widget.accessibleName() and widget.isVisibleTo(window) and widget.objectName() != "qt_"
    ]
    ours = [w for w in nameless if type(w).__module__.startswith("spyglass") or isinstance(w, QLineEdit)]
    assert ours == []


def test_the_chain_shortens_what_does_not_fit_and_explains_each_link(window: MainWindow) -> None:
    choose(window, fake.LONG)
    chain = window.page.chain
    chain.grab()
    assert len(chain._boxes) == 6
    assert all(box.right() <= chain.width() for box in chain._boxes)
    assert all(a.right() < b.left() for a, b in zip(chain._boxes, chain._boxes[1:], strict=False))
    assert chain.tip_of(3) == "Docker\n64 containers, 4 match"
    assert "Docker: 64 containers, 4 match" in chain.accessibleDescription()
