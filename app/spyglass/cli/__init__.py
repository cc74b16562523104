"""The command line: ``spyglass SUBCOMMAND``; imports neither Qt nor paramiko by itself."""

from spyglass.cli.entry import main

__all__ = ["main"]
