"""The command line: ``spyglass SUBCOMMAND``; imports neither Qt nor paramiko by itself."""

from spyglass.cli.main import main

__all__ = ["main"]
