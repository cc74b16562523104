"""Live figures: asked for only while somebody sees them, shown without a jump."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from spyglass.status import Phase, Status
from spyglass.ui import words
from spyglass.ui.columns import NODES
from spyglass.ui.live import KEPT, paint_line
from spyglass.ui.nodes_table import NodeTable
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

TITLES = [column.title for column in NODES]


def measure(hub: fake.FakeHub, beat: int = 0, **more: object) -> None:
    """From a thread, as the figures' thread does."""
    thread = threading.Thread(target=hub.measure, args=(fake.SHOP.id, fake.readings(beat, **more)))  # type: ignore[arg-type]
    thread.start()
    thread.join()


def shown(table: NodeTable, title: str) -> list[str]:
    model = table.model()
    return [model.index(row, TITLES.index(title)).data() for row in range(model.rowCount())]


def test_the_table_shows_the_newest_figures_of_each_node(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    measure(hub)
    qtbot.waitUntil(lambda: all(shown(window.page.nodes, "Processes")))
    assert shown(window.page.nodes, "Memory") == ["212 MB", "176 MB", "132 MB"]
    assert shown(window.page.nodes, "Uptime") == ["2 h 14 min", "1 d 2 h", "2 d 2 h"]
    assert shown(window.page.nodes, "Run queue") == ["0", "1", "0"]


def test_figures_are_asked_for_only_while_the_window_is_seen_and_the_profile_shown(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    assert list(hub.watchers) == [fake.SHOP.id]
    window.sidebar.choose(fake.STAGING.id)
    assert list(hub.watchers) == []
    window.sidebar.choose(fake.LONG.id)
    assert list(hub.watchers) == [fake.LONG.id]
    window.hide()
    assert list(hub.watchers) == []
    window.show()
    assert list(hub.watchers) == [fake.LONG.id]
    window.setWindowState(Qt.WindowState.WindowMinimized)
    qtbot.waitUntil(lambda: not hub.watchers)
    window.setWindowState(Qt.WindowState.WindowNoState)
    qtbot.waitUntil(lambda: list(hub.watchers) == [fake.LONG.id])
    window.close()
    assert list(hub.watchers) == []


def test_nothing_is_asked_of_nodes_that_cannot_be_reached(
    hub: fake.FakeHub, make_window: Callable[[fake.FakeHub], MainWindow]
) -> None:
    hub.publish(fake.nothing_found(fake.SHOP))
    make_window(hub)
    assert list(hub.watchers) == []


def test_figures_go_with_the_connection(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot) -> None:
    measure(hub)
    qtbot.waitUntil(lambda: all(shown(window.page.nodes, "Processes")))
    hub.publish(msgspec.structs.replace(fake.connected(), phase=Phase.CLOSING))
    qtbot.waitUntil(lambda: not any(shown(window.page.nodes, "Processes")))
    assert list(hub.watchers) == []
    hub.publish(Status(fake.SHOP.id))


def test_figures_of_a_profile_that_was_shown_before_come_too_late(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    late = hub.watchers[fake.SHOP.id]
    window.sidebar.choose(fake.LONG.id)
    late(fake.readings(0))
    qtbot.wait(20)
    assert window.live._series == {}


def test_a_line_begins_anew_after_a_gap_and_after_a_restart(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    for beat, length in {0: 1, 1: 2, 2: 3, 20: 1, 21: 2}.items():
        with qtbot.waitSignal(window.live.came):
            measure(hub, beat)
        assert len(window.live._series[fake.THREE[0].key]) == length
    young = {key: replace(each, uptime=1.0) for key, each in fake.readings(22).items()}
    hub.measure(fake.SHOP.id, young)
    qtbot.waitUntil(lambda: len(window.live._series[fake.THREE[0].key]) == 1)


def test_a_line_is_no_longer_than_two_minutes_and_a_node_that_went_loses_its_own(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    for beat in range(KEPT + 5):
        hub.measure(fake.SHOP.id, fake.readings(beat))
    hub.measure(fake.SHOP.id, fake.readings(KEPT + 5, fake.THREE[:2]))
    qtbot.waitUntil(lambda: len(window.live._series) == 2)
    assert {len(series) for series in window.live._series.values()} == {KEPT}


def test_rows_stay_where_they_are_when_the_figures_change_that_sort_them(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    table = window.page.nodes
    measure(hub)
    qtbot.waitUntil(lambda: all(shown(table, "Memory")))
    table.sortByColumn(TITLES.index("Memory"), Qt.SortOrder.AscendingOrder)
    before = shown(table, "Node")
    assert before == ["jobs@172.17.0.9", "shop@172.17.0.5", "shop@172.17.0.4"]
    sizes = {node.key: mega * 2**20 for node, mega in zip(fake.THREE, (100, 200, 300), strict=True)}
    now = {key: replace(each, memory=sizes[key]) for key, each in fake.readings(1).items()}
    hub.measure(fake.SHOP.id, now)
    qtbot.waitUntil(lambda: sorted(shown(table, "Memory")) == ["100 MB", "200 MB", "300 MB"])
    assert shown(table, "Memory") == ["300 MB", "200 MB", "100 MB"]
    assert shown(table, "Node") == before


def test_new_figures_change_no_width_and_no_height(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    header = window.page.nodes.horizontalHeader()
    before = [header.sectionSize(n) for n in range(len(NODES))]
    for beat in range(3):
        huge = {k: replace(r, memory=r.memory * 10**beat) for k, r in fake.readings(beat).items()}
        hub.measure(fake.SHOP.id, huge)
        qtbot.wait(5)
    assert [header.sectionSize(n) for n in range(len(NODES))] == before


def test_the_first_window_shows_all_columns_without_scrolling(window: MainWindow) -> None:
    assert window.page.nodes.horizontalScrollBar().maximum() == 0


def ink(values: list[float]) -> list[tuple[int, int]]:
    image = QImage(60, 20, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    paint_line(painter, QRectF(0, 4, 60, 12), values, Qt.GlobalColor.black)  # type: ignore[arg-type]
    painter.end()
    return [(x, y) for x in range(60) for y in range(20) if image.pixelColor(x, y).alpha() > 120]


def test_a_line_ends_at_the_right_and_rises_with_its_values(qapp: QApplication) -> None:
    assert ink([]) == []
    assert min(x for x, _ in ink([1.0])) > 55
    drawn = ink([float(n) for n in range(KEPT)])
    assert min(drawn)[0] <= 1
    assert max(drawn)[0] >= 58
    assert min(drawn)[1] > 12
    assert max(drawn)[1] < 6


def test_a_steady_figure_is_a_level_line(qapp: QApplication) -> None:
    rows = {y for _, y in ink([1000.0 + n % 2 for n in range(KEPT)])}
    assert max(rows) - min(rows) <= 1


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (words.grouped(1284), "1\N{NARROW NO-BREAK SPACE}284"),
        (words.size(212 * 2**20), "212 MB"),
        (words.size(9.5 * 2**20), "9.5 MB"),
        (words.size(12.3 * 2**30), "12.3 GB"),
        (words.percent(0.123), "12 %"),
        (words.percent(-1), ""),
        (words.uptime(41), "41 s"),
        (words.uptime(8040), "2 h 14 min"),
    ],
)
def test_figures_in_words(said: str, text: str) -> None:
    assert said == text


def test_a_node_that_told_its_release_shows_it_in_the_place_of_the_hint(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    nodes = tuple(msgspec.structs.replace(node, otp="24-27") for node in fake.THREE)
    hinted = fake.connected(nodes=nodes)
    last = msgspec.structs.replace(hinted.chain[-1], detail="OTP 24-27 · hidden, no mesh")
    chain = (*hinted.chain[:-1], last)
    hub.publish(msgspec.structs.replace(hinted, chain=chain))
    otp = [column.title for column in NODES].index("OTP")
    table = window.page.nodes.model()
    qtbot.waitUntil(lambda: table.index(0, otp).data() == "24-27")
    told = {key: replace(each, otp="25") for key, each in fake.readings().items()}
    hub.measure(fake.SHOP.id, told)
    qtbot.waitUntil(lambda: [table.index(row, otp).data() for row in range(3)] == ["25"] * 3)
    assert window.page.chain.links()[-1].detail == "OTP 25 · hidden, no mesh"
    hub.publish(msgspec.structs.replace(hinted, chain=chain, warnings=("something else",)))
    qtbot.waitUntil(lambda: window.page.status.warnings == ("something else",))
    assert table.index(0, otp).data() == "25"
