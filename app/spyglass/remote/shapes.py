"""What an engine or a cluster tells, in the shape that is wanted, whatever it is: JSON of strangers."""

from __future__ import annotations

from typing import Any


def mapping(told: object) -> dict[str, Any]:
    """An object; empty for anything else."""
    return told if isinstance(told, dict) else {}


def sequence(told: object) -> list[Any]:
    """An array; empty for anything else."""
    return told if isinstance(told, list) else []


def text(told: object) -> str:
    """A string; empty for anything else."""
    return told if isinstance(told, str) else ""


def texts(told: object) -> dict[str, str]:
    """What is text by text in an object."""
    return {k: v for k, v in mapping(told).items() if isinstance(k, str) and isinstance(v, str)}


def number(told: object) -> int:
    """A number of at most nine digits, as such or in a string; 0 for anything else."""
    digits = str(told)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


def identity(told: object) -> str:
    """What engines call a container, hexadecimal digits in small letters; empty for anything else."""
    return "" if text(told).strip("0123456789abcdef") else text(told)


def printable(told: str) -> str:
    """Fit for a terminal and a window: at most 255 characters, those that do not show replaced."""
    return "".join(char if char.isprintable() else "?" for char in told)[:255]
