"""What the command line prints: one JSON document (see ``contract``), or tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spyglass.contract import node_json
from spyglass.errors import Failure

if TYPE_CHECKING:
    from spyglass.status import NodeInfo

__all__ = ["node_json", "node_table", "plain", "print_failure", "print_json", "table"]


def print_json(document: Any) -> None:
    """Exactly one JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be, two blanks apart."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines)


def node_table(nodes: Sequence[NodeInfo]) -> str:
    """The nodes for people, reachable ones first."""
    rows = [
        (
            plain(n.node),
            plain(n.container or ("host" if n.runtime else "")),
            n.otp or "",
            n.cookie.source or "",
            "ready" if n.reachable else plain(n.why_not or "not reachable"),
        )
        for n in sorted(nodes, key=lambda n: (not n.reachable, n.container or "", n.node))
    ]
    return table(("NODE", "CONTAINER", "OTP", "COOKIE FROM", "STATE"), rows)


def print_failure(failure: Failure) -> None:
    """Title, then hint, on standard error."""
    print(plain(failure.title), file=sys.stderr)
    if failure.hint:
        print(f"  {plain(failure.hint, lines=True)}", file=sys.stderr)


def plain(text: str, *, lines: bool = False) -> str:
    """Without control characters: names come from the far side and must not drive the terminal."""
    return "".join(c if c.isprintable() or (lines and c == "\n") else "?" for c in text)
