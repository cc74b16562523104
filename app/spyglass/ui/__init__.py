"""The window; the only importers of PySide6.

PySide6 puts its own function in the place of ``__import__``, to serve ``from __feature__ import``.
For that it reads the source of each module that is imported from then on and keeps the text:
a tenth of our start, and 10 MB by the time SSH is loaded. Nothing here uses features, so the
interpreter's own function comes back.
"""

from __future__ import annotations

import builtins

import PySide6.QtCore  # noqa: F401 - for the effect

builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)
