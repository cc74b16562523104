"""The window; the only importers of PySide6."""
