"""Tables of nodes: what was found, and which local addresses lead there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from spyglass.ui import style, words

if TYPE_CHECKING:
    from spyglass.status import NodeInfo

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
SortRole = Role.UserRole + 1
_MIDDLE = Qt.TextElideMode.ElideMiddle


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, first width in pixels, what it shows and sorts by, how it is drawn."""

    title: str
    width: int
    text: Callable[[NodeInfo, frozenset[str]], str]
    key: Callable[[NodeInfo], object] | None = None
    look: str = "plain"


def _otp(node: NodeInfo) -> int:
    digits = "".join(c if c.isdigit() else " " for c in node.otp or "").split()
    return int(digits[0]) if digits else 0


def forward_address(node: NodeInfo) -> str:
    """Where the node is reached on this computer: ``127.0.0.1:40123``, or empty."""
    return f"127.0.0.1:{node.forward}" if node.forward else ""


def _far(node: NodeInfo) -> str:
    return f"{node.address or 'localhost'}:{node.port}" if node.port else ""


NODES = (
    Column("Node", 200, lambda n, _: n.node, look="strong"),
    Column("Container", 116, lambda n, _: n.container or "no container", look="plain"),
    Column("Image", 118, lambda n, _: n.image or "", look="dim"),
    Column("OTP", 58, lambda n, _: n.otp or "", key=_otp),
    Column("Name type", 86, lambda n, _: n.name_type or ""),
    Column("Cookie from", 138, lambda n, _: n.cookie.source or "", look="chip"),
    Column("State", 100, words.node_state, look="prose"),
)
FORWARDS = (
    Column("Node", 240, lambda n, _: n.node, look="strong"),
    Column("On this computer", 150, lambda n, _: forward_address(n)),
    Column("Leads to", 190, lambda n, _: _far(n)),
    Column("Container", 140, lambda n, _: n.container or "no container"),
    Column("Found by", 110, lambda n, _: n.via or "", look="dim"),
)


class NodeModel(QAbstractTableModel):
    """Nodes as rows. A new list changes only what differs, so selection and scrolling stay."""

    def __init__(self, columns: tuple[Column, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = columns
        self._nodes: list[NodeInfo] = []
        self._observing: frozenset[str] = frozenset()

    def show(self, nodes: Iterable[NodeInfo], observing: frozenset[str] = frozenset()) -> None:
        """Show these nodes."""
        new = list(nodes)
        changed_observers = self._observing ^ observing
        self._observing = observing
        if [n.key for n in new[: len(self._nodes)]] != [n.key for n in self._nodes]:
            self._reset(new)
            return
        old, self._nodes[:] = list(self._nodes), new[: len(self._nodes)]
        for row, (before, after) in enumerate(zip(old, self._nodes, strict=True)):
            if before != after or after.key in changed_observers:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(self.columns) - 1))
        self._append(new[len(old) :])

    def _reset(self, nodes: list[NodeInfo]) -> None:
        self.beginResetModel()
        self._nodes = nodes
        self.endResetModel()

    def _append(self, nodes: list[NodeInfo]) -> None:
        if nodes:
            first = len(self._nodes)
            self.beginInsertRows(QModelIndex(), first, first + len(nodes) - 1)
            self._nodes.extend(nodes)
            self.endInsertRows()

    def node(self, row: int) -> NodeInfo:
        """The node of a row."""
        return self._nodes[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Qt: one row a node."""
        return 0 if parent.isValid() else len(self._nodes)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Qt: as many as were given."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> object:
        """Qt: the titles."""
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Role.FontRole:
            return style.small()
        if role == Role.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return self.columns[section].title if role == Role.DisplayRole else None

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """Qt: the text; sorted by :data:`SortRole`; UserRole gives the node itself."""
        if not index.isValid():
            return None
        column, node = self.columns[index.column()], self._nodes[index.row()]
        if role in {Role.DisplayRole, Role.AccessibleTextRole}:
            return column.text(node, self._observing)
        if role == SortRole:
            return column.key(node) if column.key else column.text(node, self._observing).casefold()
        return node if role == Role.UserRole else None


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
        look, node = self._columns[index.column()].look, index.data(Role.UserRole)
        text, tokens = str(index.data(Role.DisplayRole) or ""), style.tokens()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if chosen:
            painter.fillRect(option.rect, tokens.color("selection"))
        painter.setPen(tokens.color("line"))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        dim = look in {"dim", "chip"} or not node.reachable or text == "no container"
        plain, quiet = ("ink", "sel_dim") if chosen else ("ink", "dim")
        painter.setPen(tokens.color(quiet if dim else plain))
        painter.setFont(style.strong() if look == "strong" and node.reachable else style.font(tabular=True))
        left = 15 if index.column() == 0 else 11
        box = option.rect.adjusted(left, 0, -8, 0)
        if look == "chip" and text:
            self._chip(painter, QRectF(box), text, chosen=chosen)
        else:
            mode = Qt.TextElideMode.ElideRight if look == "prose" else _MIDDLE
            shown = painter.fontMetrics().elidedText(text, mode, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()

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
        """Qt: a tooltip only where the text was shortened."""
        text = str(index.data(Role.DisplayRole) or "")
        short = QFontMetrics(style.strong()).horizontalAdvance(text) > option.rect.width() - 19
        view.setToolTip(text if short else "")
        return super().helpEvent(event, view, option, index)


class NodeTable(QTableView):
    """A sortable table of nodes; widths and order of columns are the person's."""

    chosen = Signal()
    opened = Signal(object)

    def __init__(self, columns: tuple[Column, ...], name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.model_ = NodeModel(columns, self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model_)
        self._sorted.setSortRole(SortRole)
        self.setModel(self._sorted)
        self.setItemDelegate(NodeDelegate(columns, self))
        self._set_up(columns)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())
        self.activated.connect(lambda index: self.opened.emit(index.data(Role.UserRole)))

    def _set_up(self, columns: tuple[Column, ...]) -> None:
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
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(48)
        for number, column in enumerate(columns):
            header.resizeSection(number, column.width)

    def show_nodes(self, nodes: Iterable[NodeInfo], observing: frozenset[str] = frozenset()) -> None:
        """Show these; what was selected stays selected."""
        before = {n.key for n in self.selected()}
        self.model_.show(nodes, observing)
        if before and not self.selected():
            self.select(before)

    def selected(self) -> list[NodeInfo]:
        """The selected nodes, top to bottom."""
        rows = sorted(self.selectionModel().selectedRows(), key=lambda index: index.row())
        return [index.data(Role.UserRole) for index in rows]

    def select(self, keys: set[str]) -> None:
        """Select the rows of these nodes."""
        flag = self.selectionModel().SelectionFlag
        for row in range(self._sorted.rowCount()):
            index = self._sorted.index(row, 0)
            if index.data(Role.UserRole).key in keys:
                self.selectionModel().select(index, flag.Select | flag.Rows)
