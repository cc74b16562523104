"""What can be tried of Windows without one."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, Self

import pytest

from spyglass import desktop
from spyglass.desktop import terminal, windows
from spyglass.errors import Failure, Missing


class Registry:
    """A winreg with one key."""

    HKEY_CURRENT_USER, REG_SZ = "HKCU", 1

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.refuses = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def OpenKey(self, top: str, path: str) -> Registry:  # noqa: N802 - as winreg names it
        assert (top, path) == ("HKCU", windows.RUN)
        return self

    def CreateKey(self, top: str, path: str) -> Registry:  # noqa: N802
        if self.refuses:
            raise PermissionError(13, "Access is denied")
        return self.OpenKey(top, path)

    def QueryValueEx(self, _key: object, name: str) -> str:  # noqa: N802
        if name not in self.values:
            raise FileNotFoundError(2, "not found")
        return self.values[name]

    def SetValueEx(self, _key: object, name: str, *rest: Any) -> None:  # noqa: N802
        self.values[name] = rest[-1]

    def DeleteValue(self, _key: object, name: str) -> None:  # noqa: N802
        del self.values[name]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    made = Registry()
    monkeypatch.setitem(sys.modules, "winreg", made)  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", r"C:\Program Files\Spyglass\spyglass.exe")
    return made


def test_starting_at_login_is_a_value_of_the_registry_that_comes_and_goes(registry: Registry) -> None:
    assert not desktop.starts_at_login()
    desktop.start_at_login(True)
    assert registry.values == {"Spyglass": r'"C:\Program Files\Spyglass\spyglass.exe" --background'}
    assert desktop.starts_at_login()
    desktop.start_at_login(False)
    desktop.start_at_login(False)
    assert not registry.values


def test_a_registry_that_refuses_is_named(registry: Registry) -> None:
    registry.refuses = True
    with pytest.raises(Failure, match="Access is denied"):
        desktop.start_at_login(True)


def test_a_sleep_is_what_the_clock_that_runs_on_has_more() -> None:
    assert windows.slept(ticks=90_000, awake=600_000_000) == 30.0
    assert windows.slept(ticks=60_000, awake=600_000_000) == 0.0


def test_a_command_gets_a_console_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(sys, "platform", "win32")
    popen = SimpleNamespace(Popen=lambda words, **more: started.append((words, more)))
    monkeypatch.setattr(windows, "subprocess", popen)
    terminal.run(["spyglass.exe", "shell", "Shop EU"])

    assert started == [(["spyglass.exe", "shell", "Shop EU"], {"creationflags": 0x10})]


def test_without_one_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_words: Any, **_more: Any) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(windows, "subprocess", SimpleNamespace(Popen=refuse))
    with pytest.raises(Missing, match="No console"):
        terminal.run(["spyglass.exe"])
