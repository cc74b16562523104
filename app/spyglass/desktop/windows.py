"""Windows: starting at login, a console for a command, and how long the computer slept.

Addresses of 127/8 are there by themselves, and no others are offered, so nothing needs more rights.
(Not run on Windows yet; what is pure is tested elsewhere.)
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from spyglass.errors import Failure

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
"""Below HKEY_CURRENT_USER: each value is a command line that is run at login."""
NAME = "Spyglass"
_NEW_CONSOLE = 0x10  # CREATE_NEW_CONSOLE


def line(words: Sequence[str]) -> str:
    """The words as one command line, quoted as Windows programs take it apart."""
    return subprocess.list2cmdline(words)


def slept(ticks: int, awake: int) -> float:
    """Seconds asleep: of ``ticks``, milliseconds since the start, ``awake``, in 100 ns, were not."""
    return ticks / 1000 - awake / 10_000_000


def starts_at_login() -> bool:
    """Whether there is such a value."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 - exists on Windows only

        with suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, RUN) as key:
            winreg.QueryValueEx(key, NAME)
            return True
    return False


def start_at_login(words: Sequence[str] | None) -> None:
    """Write the value, or take it away (None). Raises Failure."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 - exists on Windows only

        try:
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, RUN) as key:
                if words is not None:
                    winreg.SetValueEx(key, NAME, 0, winreg.REG_SZ, line(words))
                elif starts_at_login():
                    winreg.DeleteValue(key, NAME)
        except OSError as error:
            raise Failure(f"HKEY_CURRENT_USER\\{RUN} can't be changed: {error.strerror}") from None


def console(command: Sequence[str]) -> None:
    """Run a command in a console window of its own. Raises OSError."""
    subprocess.Popen(command, creationflags=_NEW_CONSOLE)


def asleep() -> float:
    """Seconds that this computer has slept since it was started.

    Python's own clock counts a sleep here (GetTickCount64), so that it shows no difference to the time.
    """
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - needed nowhere else

        awake, kernel = ctypes.c_ulonglong(), ctypes.windll.kernel32
        kernel.GetTickCount64.restype = ctypes.c_ulonglong
        kernel.QueryUnbiasedInterruptTime(ctypes.byref(awake))
        return slept(int(kernel.GetTickCount64()), awake.value)
    return 0.0
