"""How the table of nodes divides its room: the names come first, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QByteArray, QPoint, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest

from spyglass.status import Cookie, Status
from spyglass.ui import style
from spyglass.ui.columns import NODES
from spyglass.ui.widths import Need, divide
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.nodes_table import NodeTable
    from spyglass.ui.window import MainWindow

TITLES = [column.title for column in NODES]


def named(length: int) -> Status:
    nodes = tuple(
        replace(node, node=f"{'n' * (length - len(node.node))}{node.node}"[:length]) for node in fake.THREE
    )
    return fake.connected(nodes=nodes)


def shown(table: NodeTable) -> list[str]:
    return [title for at, title in enumerate(TITLES) if not table.isColumnHidden(at)]


def total(table: NodeTable) -> int:
    return sum(table.columnWidth(at) for at in range(len(TITLES)) if not table.isColumnHidden(at))


@pytest.mark.parametrize("width", [900, 1100, 1400])
@pytest.mark.parametrize("length", [18, 30, 60])
def test_a_name_is_shown_whole_at_every_usual_width(
    make_window: Callable[[fake.FakeHub], MainWindow], hub: fake.FakeHub, width: int, length: int
) -> None:
    hub.publish(named(length))
    window = make_window(hub)
    window.resize(width, 600)
    table = window.page.nodes
    name = table.model().index(0, 0).data()
    assert len(name) == length
    whole = QFontMetrics(style.strong()).horizontalAdvance(name) <= table.columnWidth(0) - 23
    assert whole or shown(table) == ["Node", "State"]  # the widest fonts need more than there is
    assert whole or length == 60
    assert total(table) == table.viewport().width()
    assert {"Node", "State"} <= set(shown(table))


def test_what_has_no_room_goes_in_a_fixed_order_and_comes_back(window: MainWindow) -> None:
    table = window.page.nodes
    window.page.nodes.show_nodes(named(34).nodes)
    counts = []
    for width in range(1500, 859, -40):
        window.resize(width, 600)
        counts.append(tuple(shown(table)))
    order = [title for before, after in pairwise(counts) for title in before if title not in after]
    assert order == ["Uptime", "Cookie from", "Run queue", "OTP", "Container", "Processes"][: len(order)]
    assert len(order) >= 3
    window.resize(1500, 600)
    assert tuple(shown(table)) == counts[0]


def test_what_is_left_out_is_told_by_tooltip_and_footer(
    make_window: Callable[[fake.FakeHub], MainWindow], hub: fake.FakeHub
) -> None:
    hub.publish(named(60))
    window = make_window(hub)
    window.resize(900, 600)
    table = window.page.nodes
    assert "Cookie from" not in shown(table)

    window.page.arrivals.forget()  # those of before are shown for a moment more
    table.selectRow(0)
    assert "Cookie from: RELEASE_COOKIE" in window.page.footer.whole()
    tip = table.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.splitlines()[1:3] == ["Container: web", "Image: web:1.42.0"]
    assert "Cookie from: RELEASE_COOKIE" in tip


def test_a_dragged_width_stays_whatever_the_window_does(window: MainWindow, qtbot: QtBot) -> None:
    table = window.page.nodes
    header = table.horizontalHeader()
    edge = QPoint(header.sectionViewportPosition(1) + header.sectionSize(1) - 1, 10)
    wide = header.sectionSize(1) + 60
    QTest.mousePress(header.viewport(), Qt.MouseButton.LeftButton, pos=edge)
    QTest.mouseMove(header.viewport(), edge + QPoint(30, 0))
    QTest.mouseMove(header.viewport(), edge + QPoint(60, 0))
    QTest.mouseRelease(header.viewport(), Qt.MouseButton.LeftButton, pos=edge + QPoint(60, 0))
    qtbot.waitUntil(lambda: total(table) == table.viewport().width())
    assert table.columnWidth(1) == wide
    window.resize(1400, 600)
    table.show_nodes(named(30).nodes)
    assert table.columnWidth(1) == wide


def test_a_chosen_column_comes_even_where_room_is_short(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(900, 600)
    table = window.page.nodes
    table.show_nodes(named(60).nodes)
    menu = table.columns_menu()
    qtbot.addWidget(menu)
    entries = {action.text(): action for action in menu.actions()}
    assert entries["Uptime"].isChecked()  # wanted, only not there
    entries["Image"].trigger()
    assert "Image" in shown(table)
    entries["Memory"].trigger()
    window.resize(1500, 600)
    assert "Memory" not in shown(table)


def test_choices_widths_and_order_are_remembered(
    make_window: Callable[[fake.FakeHub], MainWindow], hub: fake.FakeHub
) -> None:
    first = make_window(hub)
    header = first.page.nodes.horizontalHeader()
    first.page.nodes.fitting.want(TITLES.index("Image"), True)
    header.resizeSection(TITLES.index("Container"), 144)
    header.moveSection(1, 3)
    first.page.nodes.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    first.close()
    second = make_window(hub).page.nodes
    assert "Image" in shown(second)
    assert second.columnWidth(TITLES.index("Container")) == 144
    assert second.horizontalHeader().visualIndex(1) == 3
    assert second.model().index(0, 0).data() == "shop@172.17.0.5"


@pytest.mark.parametrize("rubbish", [b"", b"no json", b"[]", b'{"order": 3}', b"\x00\x01\xff"])
def test_what_cannot_be_read_changes_nothing(window: MainWindow, rubbish: bytes) -> None:
    before = window.page.nodes.fitting.save()
    assert not window.page.nodes.fitting.restore(QByteArray(rubbish))
    assert window.page.nodes.fitting.save() == before


def test_figures_that_change_move_nothing(window: MainWindow) -> None:
    table = window.page.nodes
    before = [table.columnWidth(at) for at in range(len(TITLES))]
    for beat in range(5):
        table.show_figures({key: [each] for key, each in fake.readings(beat).items()})
    assert [table.columnWidth(at) for at in range(len(TITLES))] == before


@pytest.mark.parametrize(
    ("room", "widths"),
    [
        (1000, [200, 100, 700]),
        (330, [200, 60, 70]),
        (320, [200, 50, 70]),
        (300, [200, 0, 100]),
        (200, [130, 0, 70]),
        (50, [100, 0, 70]),
    ],
)
def test_room_is_divided(room: int, widths: list[int]) -> None:
    needs = [Need(100, 200), Need(50, 100, rank=1), Need(70, 70)]
    assert divide(room, needs) == widths


def test_a_column_alone_takes_it_all() -> None:
    assert divide(500, [Need(100, 200)]) == [500]
    assert divide(500, []) == []


def test_a_short_state_is_read_to_its_end_and_costs_no_other_its_words(
    make_window: Callable[[fake.FakeHub], MainWindow], hub: fake.FakeHub
) -> None:
    refused = replace(fake.THREE[1], reachable=False, cookie=Cookie(found=True, proved=False))
    hub.publish(fake.connected(nodes=(fake.THREE[0], refused, fake.THREE[2])))
    window = make_window(hub)
    window.resize(1180, 760)
    table = window.page.nodes
    metrics = QFontMetrics(style.font(tabular=True))
    for title, text in (("State", "cookie refused"), ("OTP", "26"), ("Container", "jobs")):
        at = TITLES.index(title)
        assert text in {table.model().index(row, at).data() for row in range(3)}
        assert metrics.horizontalAdvance(text) <= table.columnWidth(at) - 19
