"""The program's door: the window, or the command line when a subcommand is given.

Kept small and lazy: the command line never imports Qt, the window shows before paramiko
is imported.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run what the words ask for; returns the exit status."""
    argv = sys.argv[1:]
    if _is_command(argv):
        from spyglass import cli  # noqa: PLC0415 - see the module's text

        return cli.main(argv)
    from spyglass.ui.app import start  # noqa: PLC0415

    return start(argv)


def _is_command(argv: list[str]) -> bool:
    """Whether there is a subcommand, or a call for help; `--profile-dir DIR` may come before."""
    words = iter(argv)
    for word in words:
        if word == "--profile-dir":
            next(words, None)
        elif word != "--background" and not word.startswith(("--profile-dir=", "spyglass:")):
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
