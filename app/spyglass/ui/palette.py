"""Two palettes of our own, as tokens: the single source of every colour in the window.

Text colours keep a contrast of at least 4.5:1 on every ground they are used on (WCAG 2.1,
1.4.3); :data:`TEXT_ON` lists those pairs, and a test holds them. ``faint``, ``line`` and
the state colours are for shapes and lines, where 3:1 or decoration is enough.
"""

from __future__ import annotations

from msgspec import Struct
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette


class Tokens(Struct, frozen=True):
    """The named colours of one palette, each ``#rrggbb``."""

    dark: bool
    window: str
    panel: str
    sidebar: str
    line: str
    ink: str
    dim: str
    faint: str
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    sel_ink: str
    sel_dim: str
    chip: str
    hover: str
    ok: str
    busy: str
    warn: str
    bad: str
    warn_ink: str
    warn_ground: str
    bad_ground: str

    def color(self, name: str) -> QColor:
        """The token of that name, for a painter."""
        return QColor(getattr(self, name))


LIGHT = Tokens(
    dark=False,
    window="#f6f7f9", panel="#ffffff", sidebar="#eef0f4", line="#dfe3ea",
    ink="#1b2330", dim="#5d6776", faint="#98a1ae",
    accent="#2563c9", accent_hover="#1f57b3", on_accent="#ffffff",
    selection="#dbe7fb", sel_ink="#173a78", sel_dim="#3f5f99",
    chip="#eef0f4", hover="#e6e9ef",
    ok="#1f8a4c", busy="#2563c9", warn="#b26a00", bad="#c0342b",
    warn_ink="#8f5500", warn_ground="#fdf3e2", bad_ground="#fbe8e7",
)  # fmt: skip

DARK = Tokens(
    dark=True,
    window="#171b21", panel="#1e232b", sidebar="#1a1f26", line="#2e3540",
    ink="#e6eaf0", dim="#9aa5b4", faint="#6c7786",
    accent="#5b9bff", accent_hover="#78adff", on_accent="#0f1722",
    selection="#26364f", sel_ink="#e6eaf0", sel_dim="#aebdd3",
    chip="#2a313b", hover="#242a33",
    ok="#4fc07f", busy="#5b9bff", warn="#e2a03f", bad="#f0776c",
    warn_ink="#e2a03f", warn_ground="#382d1c", bad_ground="#3a2326",
)  # fmt: skip

TEXT_ON: dict[str, tuple[str, ...]] = {
    "ink": ("window", "panel", "sidebar", "chip", "hover", "warn_ground", "bad_ground", "selection"),
    "dim": ("window", "panel", "sidebar", "chip", "hover", "warn_ground", "bad_ground"),
    "sel_ink": ("selection",),
    "sel_dim": ("selection",),
    "accent": ("window", "panel"),
    "on_accent": ("accent", "accent_hover"),
    "bad": ("window", "panel", "bad_ground"),
    "warn_ink": ("window", "panel", "warn_ground"),
}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.1, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def chosen(theme: str = "system") -> Tokens:
    """The palette for ``light``, ``dark`` or ``system`` (also ``auto``; light where it does not tell)."""
    if theme in {"system", "auto"}:
        dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return DARK if dark else LIGHT
    return DARK if theme == "dark" else LIGHT


def qt_palette(tokens: Tokens) -> QPalette:
    """The same colours in Qt's roles, for everything that the stylesheet does not name."""
    role = QPalette.ColorRole
    palette = QPalette(tokens.color("window"))
    for names, token in (
        ((role.Window,), "window"),
        ((role.Base, role.Button, role.ToolTipBase), "panel"),
        ((role.AlternateBase,), "sidebar"),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), "ink"),
        ((role.PlaceholderText,), "dim"),
        ((role.Highlight,), "selection"),
        ((role.HighlightedText,), "sel_ink"),
        ((role.Link, role.LinkVisited, role.Accent), "accent"),
        ((role.Mid, role.Midlight, role.Dark), "line"),
    ):
        for each in names:
            palette.setColor(each, tokens.color(token))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, tokens.color("faint"))
    return palette
