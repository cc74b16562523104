"""Keep a lab up and say how to get in: ``PYTHONPATH=tests .venv/bin/python -m support.lab``."""

from __future__ import annotations

from contextlib import suppress

from support.lab import Lab
from support.lab.laptop import DEV, spyglass_command


def main() -> None:
    """Start everything, wait for Enter or the end of standard input, end everything."""
    with Lab() as lab:
        for truth in lab.fleet.nodes:
            print(f"{truth.node:24} {truth.container or 'on the host':12} cookie from {truth.source}")
        lab.desktop.windows()
        variables = " ".join(f"{name}={value}" for name, value in lab.laptop.env.items())
        enter = " ".join(
            lab.laptop.place.command(["env", "-i", variables, "bash"], user=DEV.name, cwd=DEV.home)
        )
        print(f"\nlaptop: {enter}\n        {spyglass_command()[0]} nodes lab\n")
        print("server:", " ".join(lab.server.place.command(["bash"])))
        with suppress(EOFError):
            input("\nEnter ends it all. ")


if __name__ == "__main__":
    main()
