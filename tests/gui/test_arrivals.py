"""What came and went is told for a moment, and nothing jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import Qt

from spyglass.status import Phase, Status
from spyglass.ui.columns import NODES
from spyglass.ui.nodes_model import FreshRole, NodeModel
from support import fake_hub as fake

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from spyglass.status import NodeInfo
    from spyglass.ui.window import MainWindow

NEW = fake.node("shop@172.17.0.7", "web-4")
NEXT = (fake.THREE[0], NEW, fake.THREE[2])


def publish(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot, nodes: tuple[NodeInfo, ...]) -> None:
    hub.publish(fake.connected(nodes=nodes))
    qtbot.waitUntil(lambda: window.page.status.nodes == nodes)


def test_who_came_and_who_left_is_told_and_marked_for_some_seconds(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    page = window.page
    assert page.news.whole() == ""
    publish(hub, window, qtbot, NEXT)
    assert page.news.whole() == "shop@172.17.0.7 came · shop@172.17.0.5 left"
    assert page.news.accessibleName() == page.news.whole()
    row = page.nodes.model().index(2, 0)  # where the other stood, that one is still to be seen
    assert row.data(FreshRole)
    assert row.data(Qt.ItemDataRole.AccessibleTextRole) == "shop@172.17.0.7, new"
    assert not page.nodes.model().index(0, 0).data(FreshRole)
    publish(hub, window, qtbot, (*NEXT, fake.THREE[1]))
    assert page.news.whole() == "shop@172.17.0.5, shop@172.17.0.7 came"
    page.arrivals._timer.start(0)
    qtbot.waitUntil(lambda: not page.news.whole())
    assert not any(rows(window, FreshRole))


def rows(window: MainWindow, role: int = Qt.ItemDataRole.AccessibleTextRole) -> list[str]:
    model = window.page.nodes.model()
    return [model.index(row, 0).data(role) for row in range(model.rowCount())]


def test_who_left_stays_in_place_as_such_for_some_seconds_and_then_goes(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    page, names = window.page, [node.node for node in fake.THREE]
    page.nodes.selectRow(1)
    publish(hub, window, qtbot, fake.THREE[::2])
    assert rows(window) == [names[0], f"{names[1]}, left", names[2]]
    assert [node.node for node in page.nodes.selected()] == [names[1]]  # nothing jumps
    left = page.nodes.selected()[0]
    assert (left.reachable, left.forward) == (False, None)
    assert names[1] not in page.header.primary.text()
    state = [column.title for column in NODES].index("State")
    assert page.nodes.model().index(1, state).data() == "left"
    publish(hub, window, qtbot, fake.THREE[2:])  # the one before it leaves too
    assert rows(window) == [f"{names[0]}, left", f"{names[1]}, left", names[2]]
    publish(hub, window, qtbot, fake.THREE[1:])
    assert rows(window) == [f"{names[0]}, left", f"{names[1]}, new", names[2]]
    page.arrivals._timer.start(0)
    qtbot.waitUntil(lambda: rows(window) == names[1:])


def test_where_the_last_one_left_the_page_says_so_after_a_moment(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    page = window.page
    publish(hub, window, qtbot, ())
    assert page.nodes.isVisible()
    page.arrivals._timer.start(0)
    qtbot.waitUntil(lambda: not page.nodes.isVisible())
    assert page._empties[0].isVisible()


def test_many_at_once_are_counted(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot) -> None:
    publish(hub, window, qtbot, fake.crowd(20).nodes)
    assert window.page.news.whole() == "20 nodes came · 3 nodes left"


def test_what_nobody_sees_is_no_news_and_wakes_nobody(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    publish(hub, window, qtbot, NEXT)
    window.hide()
    publish(hub, window, qtbot, fake.THREE)
    assert window.page.news.whole() == ""
    assert not window.page.arrivals._timer.isActive()


def test_neither_another_profile_nor_a_lost_link_is_news(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    window.sidebar.choose(fake.LONG.id)
    window.sidebar.choose(fake.SHOP.id)
    assert window.page.news.whole() == ""
    hub.publish(Status(fake.SHOP.id, Phase.WAITING))
    qtbot.waitUntil(lambda: window.page.status.phase is Phase.WAITING)
    publish(hub, window, qtbot, NEXT)
    assert window.page.news.whole() == ""


def test_a_change_of_some_rows_leaves_the_others_where_they_are(qapp: QApplication) -> None:
    model = NodeModel(NODES)
    model.show(fake.crowd(20).nodes)
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    nodes = fake.crowd(20).nodes
    model.show((NEW, *nodes[3:9], fake.THREE[0], fake.THREE[1], *nodes[10:], fake.THREE[2]))
    assert [model.node(row) for row in range(model.rowCount())] == [
        *(NEW, *nodes[3:9], fake.THREE[0], fake.THREE[1], *nodes[10:], fake.THREE[2])
    ]
    assert not resets
    model.show(tuple(replace(node, otp="27") for node in nodes))
    assert {model.node(row).otp for row in range(20)} == {"27"}
    assert not resets
    model.show(tuple(reversed(nodes)))
    assert resets
