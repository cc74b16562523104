"""Tables of nodes: what was found, how it fares, and which local addresses lead there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from spyglass.ui import style
from spyglass.ui.columns import HOST
from spyglass.ui.fitting import Fitting
from spyglass.ui.live import paint_line
from spyglass.ui.nodes_model import GONE, Cell, CellRole, Index, NodeModel, Role, SortRole

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtGui import QKeyEvent

    from spyglass.status import NodeInfo
    from spyglass.ui.columns import Column
    from spyglass.ui.nodes_model import Series

_MIDDLE = Qt.TextElideMode.ElideMiddle
_NUMBERS = {"Processes": "00 000", "Memory": "000 MB"}  # room for the figure beside its line


def _struck() -> QFont:
    """The name of a node that is gone."""
    font = QFont(style.font())
    font.setStrikeOut(True)
    return font


class NodeDelegate(QStyledItemDelegate):
    """Draws one cell: shortened in the middle, sources of cookies in a grey box."""

    def __init__(self, columns: tuple[Column, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns = columns

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt: what a row needs in height."""
        return QSize(60, QFontMetrics(style.strong()).height() + 22)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: one cell."""
        column, tokens = self._columns[index.column()], style.tokens()
        cell: Cell = index.data(CellRole)
        text = cell.text
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if chosen:
            painter.fillRect(option.rect, tokens.color("selection"))
        if index.column() == 0 and cell.fresh:
            painter.fillRect(option.rect.adjusted(0, 0, 3 - option.rect.width(), 0), tokens.color("accent"))
        painter.setPen(tokens.color("line"))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        dim = column.look in {"dim", "chip"} or not cell.node.reachable or text == HOST
        painter.setPen(tokens.color(("sel_dim" if chosen else "dim") if dim else "ink"))
        strong = column.look == "strong" and cell.node.reachable
        gone = not index.column() and cell.node.why_not in GONE
        painter.setFont(_struck() if gone else style.strong() if strong else style.font(tabular=True))
        box = option.rect.adjusted(15 if index.column() == 0 else 11, 0, -11 if column.figure else -8, 0)
        if column.look == "chip" and text:
            self._chip(painter, QRectF(box), text, chosen=chosen)
        elif column.look == "figure":
            self._figure(painter, box, cell, column)
        else:
            mode = Qt.TextElideMode.ElideRight if column.look == "prose" else _MIDDLE
            shown = painter.fontMetrics().elidedText(text, mode, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()

    @staticmethod
    def _figure(painter: QPainter, box: QRect, cell: Cell, column: Column) -> None:
        """A number at the right; before it, in a place that never moves, the line of the last minutes."""
        metrics, text = painter.fontMetrics(), cell.text
        wide = max(metrics.horizontalAdvance(each) for each in (_NUMBERS.get(column.title, ""), text))
        room = box.width() - wide - 6
        if column.line and text and room > 20:
            line = QRectF(box.left(), box.center().y() - 5, room, 11)
            paint_line(painter, line, cell.values, style.tokens().color(column.line))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width() + 4)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, shown)

    @staticmethod
    def _chip(painter: QPainter, box: QRectF, text: str, *, chosen: bool) -> None:
        font = style.small()
        metrics, tokens = QFontMetrics(font), style.tokens()
        shown = metrics.elidedText(text, _MIDDLE, int(box.width()) - 14)
        high = metrics.height() + 3
        around = QRectF(box.left(), box.center().y() - high / 2, metrics.horizontalAdvance(shown) + 14, high)
        pen = painter.pen()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color("panel" if chosen and not tokens.dark else "chip"))
        painter.drawRoundedRect(around, 5, 5)
        painter.setPen(tokens.color("dim") if chosen else pen)
        painter.setFont(font)
        painter.drawText(around, Qt.AlignmentFlag.AlignCenter, shown)

    def helpEvent(self, event, view, option, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """Qt: all that is known of the node over its name; elsewhere only what was shortened."""
        text = str(index.data(Role.DisplayRole) or "")
        if index.column() == 0:
            view.setToolTip(str(index.data(Role.ToolTipRole) or ""))
            return super().helpEvent(event, view, option, index)
        short = QFontMetrics(style.strong()).horizontalAdvance(text) > option.rect.width() - 19
        view.setToolTip(text if short else "")
        return super().helpEvent(event, view, option, index)


class NodeTable(QTableView):
    """A sortable table of nodes; which columns, how wide and in which order is the person's."""

    chosen = Signal()
    opened = Signal(list)

    def __init__(self, columns: tuple[Column, ...], name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.model_ = NodeModel(columns, self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model_)
        self._sorted.setSortRole(SortRole)
        self.setModel(self._sorted)
        self.setItemDelegate(NodeDelegate(columns, self))
        self._set_up()
        self._set_up_header(columns)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())
        self.doubleClicked.connect(lambda index: self.opened.emit([index.data(Role.UserRole)]))

    def _set_up(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(QFontMetrics(style.strong()).height() + 22)

    def _set_up_header(self, columns: tuple[Column, ...]) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setMinimumSectionSize(40)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._ask_columns)
        self.fitting = Fitting(self, columns)

    def columns_menu(self) -> QMenu:
        """Which columns are there; the first one always is."""
        menu = QMenu(self)
        for number, column in enumerate(self.model_.columns[1:], 1):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(self.fitting.wants(number))
            action.toggled.connect(lambda on, number=number: self.fitting.want(number, on))
        return menu

    def _ask_columns(self, at: QPoint) -> None:
        menu = self.columns_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.horizontalHeader().mapToGlobal(at))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Enter opens all that are selected."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.selected():
            self.opened.emit(self.selected())
        else:
            super().keyPressEvent(event)

    def show_nodes(self, nodes: Iterable[NodeInfo], observing: frozenset[str] = frozenset()) -> None:
        """Show these; what was selected stays selected."""
        before = {n.key for n in self.selected()}
        self.model_.show(nodes, observing)
        self.fitting.show_texts(self.model_.texts())
        if before and not self.selected():
            self.select(before)

    def show_figures(self, series: Series) -> None:
        """Show these figures of the nodes; rows stay where they are until somebody sorts again."""
        self.model_.show_figures(series)
        view = self.viewport()
        for number, column in enumerate(self.model_.columns):
            if column.figure:
                left, wide = self.columnViewportPosition(number), self.columnWidth(number)
                view.update(left, 0, wide, view.height())

    def left_out(self, node: NodeInfo) -> str:
        """What the columns would tell of a node that have no room, figures apart: they change."""
        columns = [self.model_.columns[at] for at in self.fitting.left_out()]
        told = [(column.title, column.text(node, frozenset())) for column in columns if not column.figure]
        return " · ".join(f"{title}: {text}" for title, text in told if text)

    def selected(self) -> list[NodeInfo]:
        """The selected nodes, top to bottom."""
        picked = self.selectionModel().selection()  # ranges of whole rows: to ask each cell takes long
        ranges = [picked.at(number) for number in range(picked.count())]
        rows = sorted({row for each in ranges for row in range(each.top(), each.bottom() + 1)})
        return [self._sorted.index(row, 0).data(Role.UserRole) for row in rows]

    def select(self, keys: set[str]) -> None:
        """Select the rows of these nodes."""
        flag = self.selectionModel().SelectionFlag
        for row in range(self._sorted.rowCount()):
            index = self._sorted.index(row, 0)
            if index.data(Role.UserRole).key in keys:
                self.selectionModel().select(index, flag.Select | flag.Rows)
