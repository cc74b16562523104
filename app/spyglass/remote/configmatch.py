"""Decides the Match lines of ssh_config (ssh_config(5), "Match").

A criterion that we do not know is *not* met: better to leave settings out than to send a
person's keys by a block that was never meant for this host.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spyglass.errors import BadInput
from spyglass.remote.configfile import CORRECT, Scan
from spyglass.remote.patterns import listed

EXEC_TIMEOUT = 5.0
_ALONE = frozenset({"all", "canonical", "final"})


@dataclass(frozen=True, slots=True)
class Matcher:
    """Judges a Match line: call it with the scan, the line's words and its place.

    ``hostname`` and ``user`` tell what the scan has settled so far; ``expand`` puts in tokens.
    """

    original: str
    login: str
    environ: Mapping[str, str]
    hostname: Callable[[Scan], str]
    user: Callable[[Scan], str]
    expand: Callable[[Scan, str, str], str]

    def __call__(self, scan: Scan, words: tuple[str, ...], place: str) -> bool:
        """Whether the block that begins here counts. Raises BadInput for a line without sense."""
        rest = list(words)
        if not rest:
            raise BadInput(f"{place}: Match without a criterion", CORRECT)
        result = True
        while rest:
            name, *given = rest.pop(0).split("=", 1)  # `host=web` is as good as `host web`
            rest = [value for value in given if value] + rest
            negated, name = name.startswith("!"), name.removeprefix("!").lower()
            if name not in _ALONE and not rest:
                raise BadInput(f"{place}: Match {name} lacks a value", CORRECT)
            value = "" if name in _ALONE else rest.pop(0)
            # every criterion is looked at (final has an effect), but a command only while it matters
            met = self._met(scan, name, value, place) if result or name != "exec" else False
            result = result and met is not None and met is not negated
        return result

    def _met(self, scan: Scan, name: str, value: str, place: str) -> bool | None:
        """Whether one criterion is met; None: unknown to us, so neither met nor its opposite."""
        patterns = value.split(",")
        scan.wants_final = scan.wants_final or name == "final"
        judges: dict[str, Callable[[], bool]] = {
            "all": lambda: True,
            "final": lambda: scan.final,
            "canonical": lambda: scan.final,
            "host": lambda: _listed_host(self.hostname(scan), patterns),
            "originalhost": lambda: _listed_host(self.original, patterns),
            "user": lambda: listed(self.user(scan), patterns),
            "localuser": lambda: listed(self.login, patterns),
            "exec": lambda: self._succeeds(scan, value, place),
        }
        if name in judges:
            return judges[name]()
        scan.warn(f"{place}: `Match {name}` is not known here, its block is left out")
        return None

    def _succeeds(self, scan: Scan, command: str, place: str) -> bool:
        argv = ["/bin/sh", "-c", self.expand(scan, command, place)]
        try:
            ended = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(self.environ),
                timeout=EXEC_TIMEOUT,
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            scan.warn(f"{place}: `Match exec` took over {EXEC_TIMEOUT:.0f} s, its block is left out")
            return False
        except OSError as error:
            scan.warn(f"{place}: the command of `Match exec` can't be run: {error.strerror}")
            return False
        return ended.returncode == 0


def _listed_host(host: str, patterns: list[str]) -> bool:
    return listed(host.lower(), [pattern.lower() for pattern in patterns])
