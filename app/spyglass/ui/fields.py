"""The editor's fields, and whether there is a keyring to speak of."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit


def field(text: str, placeholder: str, name: str) -> QLineEdit:
    """A field for one line, with the name that a screen reader says."""
    made = QLineEdit(text, placeholderText=placeholder)
    made.setAccessibleName(name)
    return made


def no_ring() -> str:
    """Why there is no keyring, or empty; takes a while, so not for the window's thread."""
    from spyglass.store.secrets import Keyring  # noqa: PLC0415 - it takes 70 ms to import

    return Keyring().why_not
