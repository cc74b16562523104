"""The nodes of a connection as a model for Qt's views, with their live figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from spyglass.status import DOWN
from spyglass.ui import style

if TYPE_CHECKING:
    from spyglass.figures import Reading
    from spyglass.status import NodeInfo
    from spyglass.ui.columns import Column

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
SortRole = Role.UserRole + 1
CellRole = Role.UserRole + 2
FreshRole = Role.UserRole + 3
LEFT = "left"
"""Why a node cannot be reached that is not there any more; it is shown for a moment more."""
GONE = frozenset({DOWN, LEFT})
Series = Mapping[str, Sequence["Reading"]]
"""By the node's key: its readings, oldest first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """All that is drawn in one cell, in one answer: Qt asks through Python each time, and slowly."""

    node: NodeInfo
    text: str
    fresh: bool
    values: list[float]


class NodeModel(QAbstractTableModel):
    """Nodes as rows. A new list changes only what differs, so selection and scrolling stay."""

    def __init__(self, columns: tuple[Column, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = columns
        self._nodes: list[NodeInfo] = []
        self._observing: frozenset[str] = frozenset()
        self._series: Series = {}
        self._fresh: frozenset[str] = frozenset()

    def show(self, nodes: Iterable[NodeInfo], observing: frozenset[str] = frozenset()) -> None:
        """Show these nodes."""
        new = list(nodes)
        changed_observers = self._observing ^ observing
        self._observing = observing
        keys = [node.key for node in new]
        self._drop_all_but(set(keys))
        known = {node.key for node in self._nodes}
        if [key for key in keys if key in known] != [node.key for node in self._nodes]:
            self._reset(new)
            return
        self._insert(new, known)
        old, self._nodes[:] = list(self._nodes), new
        for row, (before, after) in enumerate(zip(old, self._nodes, strict=True)):
            if before != after or after.key in changed_observers:
                self._redraw(row)

    def show_fresh(self, keys: frozenset[str]) -> None:
        """Mark these nodes as new, and no others."""
        changed, self._fresh = self._fresh ^ keys, keys
        for row, node in enumerate(self._nodes):
            if node.key in changed:
                self._redraw(row)

    def _redraw(self, row: int) -> None:
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(self.columns) - 1))

    def show_figures(self, series: Series) -> None:
        """Take these figures. No signal: a sorting view would move its rows about under the pointer."""
        self._series = series

    def _reset(self, nodes: list[NodeInfo]) -> None:
        self.beginResetModel()
        self._nodes = nodes
        self.endResetModel()

    def _drop_all_but(self, keys: set[str]) -> None:
        for row in reversed(range(len(self._nodes))):
            if self._nodes[row].key not in keys:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._nodes[row]
                self.endRemoveRows()

    def _insert(self, nodes: list[NodeInfo], known: set[str]) -> None:
        """Put in those that are not known, each run of them at once."""
        rows = [row for row, node in enumerate(nodes) if node.key not in known]
        for _, run in groupby(enumerate(rows), lambda each: each[1] - each[0]):
            first, *rest = [row for _, row in run]
            last = rest[-1] if rest else first
            self.beginInsertRows(QModelIndex(), first, last)
            self._nodes[first:first] = nodes[first : last + 1]
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
        column = self.columns[section]
        if role == Role.FontRole:
            return style.small()
        if role == Role.TextAlignmentRole:
            plain = column.look == "figure" and not column.line
            side = Qt.AlignmentFlag.AlignRight if plain else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        return {Role.DisplayRole: column.title, Role.ToolTipRole: column.tip or None}.get(Role(role))

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """Qt: the text; sorted by :data:`SortRole`; UserRole gives the node itself."""
        if not index.isValid():
            return None
        column, node = self.columns[index.column()], self._nodes[index.row()]
        if role == SortRole:
            return self._key(column, node)
        if index.column() == 0 and (told := self._named(node, role)) is not None:
            return told
        if role in {Role.DisplayRole, Role.AccessibleTextRole}:
            return self._text(column, node)
        if role == CellRole:
            values = self._values(column, node) if column.line else []
            return Cell(node, self._text(column, node), node.key in self._fresh, values)
        return node if role == Role.UserRole else None

    def _named(self, node: NodeInfo, role: int) -> object:
        """What the column of the names knows besides; None: as any column."""
        fresh = node.key in self._fresh
        if role == Role.AccessibleTextRole and fresh:
            return f"{node.node}, new"
        if role == Role.AccessibleTextRole and node.why_not in GONE:
            return f"{node.node}, {node.why_not}"
        if role == FreshRole:
            return fresh
        return self._told(node) if role == Role.ToolTipRole else None

    def _told(self, node: NodeInfo) -> str:
        """All that is known of a node, a line each, whether there is a column for it or not."""
        known = [(column.title, self._text(column, node)) for column in self.columns[1:]]
        return "\n".join([node.node, *(f"{title}: {text}" for title, text in known if text)])

    def texts(self) -> dict[int, list[str]]:
        """What stands in the columns whose width depends on it: all but figures."""
        wide = [(at, c) for at, c in enumerate(self.columns) if c.look != "figure"]
        return {at: [self._text(column, node) for node in self._nodes] for at, column in wide}

    def _text(self, column: Column, node: NodeInfo) -> str:
        if column.figure is None:
            return column.text(node, self._observing)
        series = self._series.get(node.key) if node.why_not not in GONE else None
        return column.told(column.figure(series[-1])) if series else ""

    def _key(self, column: Column, node: NodeInfo) -> object:
        if column.figure is None:
            return column.key(node) if column.key else column.text(node, self._observing).casefold()
        series = self._series.get(node.key)
        return float(column.figure(series[-1])) if series else -1.0

    def _values(self, column: Column, node: NodeInfo) -> list[float]:
        return [column.figure(each) for each in self._series.get(node.key, ())] if column.figure else []
