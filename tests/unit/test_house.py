"""The house rules, held by tests so that no machine is needed that runs anything else."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from spyglass.cli.parser import build

ROOT = Path(__file__).parents[2]
APP = ROOT / "app/spyglass"
BIN = Path(sys.executable).parent
MADE = {".git", ".venv", "build", "dist", "__pycache__", ".hypothesis", ".mypy_cache", ".ruff_cache"}

CHECKS = {
    "ruff": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
    "import-linter": ["lint-imports", "--no-logo", "--no-cache"],
}

NO_UNIT_TEST = {
    "__init__": "says a version and finds files",
    "__main__": "chooses between window and command line: tests/unit/cli tries it as a process",
    "ui": "tests/gui has the user interface",
    "demo": "tests/lab runs it whole",
}
"""Modules and packages without a test of the same name in tests/unit, and where they are tested instead."""

OWED = {
    "cli": "checkup commands parser trial",
    "erlang": (
        "compiled crew findings found ground inside installation jar reader refusals search shell "
        "survey visit"
    ),
    "remote": (
        "authkeys base channel configfile configmatch configvalues dialling engine hostcert "
        "keyfiles local opening packets patterns proxy reach relay sessions ssh sshwire tokens "
        "transport trust userauth wire"
    ),
}
"""Modules, by package, whose own unit test is still to be written; this list only ever gets shorter."""


def _files(*suffixes: str) -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT).parts
        if path.is_file() and not MADE & set(inside) and (not suffixes or path.suffix in suffixes):
            yield path


@pytest.mark.parametrize("check", CHECKS)
def test_the_checkers_are_content(check: str) -> None:
    done = subprocess.run(
        [BIN / CHECKS[check][0], *CHECKS[check][1:]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "app"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def test_no_file_of_the_program_is_too_long_to_be_read_at_once() -> None:
    lengths = {str(path.relative_to(APP)): len(path.read_text().splitlines()) for path in APP.rglob("*.py")}

    assert {name: length for name, length in lengths.items() if length >= 300} == {}


def test_directories_that_are_no_packages_do_not_pretend() -> None:
    wrong = [ROOT / name / "__init__.py" for name in ("app", "resources", "packaging")]
    wrong += [path for path in (ROOT / "tests").rglob("__init__.py") if "support" not in path.parts[:-2]]

    assert [path for path in wrong if path.exists()] == []


def test_every_package_of_the_program_is_a_regular_one() -> None:
    directories = {path.parent for path in APP.rglob("*.py")}

    assert [directory for directory in directories if not (directory / "__init__.py").exists()] == []


def test_no_file_tells_where_it_was_written() -> None:
    """Paths of a builder's machine and addresses of package registries belong in no file."""
    private = re.compile(
        rb"/(work|farm)/\w|/tmp/sg\b|/home/[a-z]+/src|https?://[^\s/]*(pypi|registry|artifact)"
    )
    hits = [
        path.relative_to(ROOT)
        for path in _files()
        if path != Path(__file__) and private.search(path.read_bytes())
    ]

    assert hits == []


def test_the_readme_speaks_of_every_subcommand() -> None:
    actions = build()._actions
    commands = next(action for action in actions if isinstance(action, argparse._SubParsersAction))
    text = (ROOT / "README.md").read_text()

    assert [name for name in commands.choices if f"spyglass {name}" not in text] == []


@pytest.mark.parametrize("module", ["spyglass.cli", "spyglass.cli.parser", "spyglass.hub"])
def test_a_command_does_not_wait_for_what_it_does_not_use(module: str) -> None:
    program = f"import sys, {module}; print(sorted({{'PySide6', 'paramiko', 'keyring'}} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT / "app")},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stdout.strip() == "[]"


def test_unit_tests_mirror_the_sources() -> None:
    missing = {
        name
        for path in APP.rglob("*.py")
        if not (NO_UNIT_TEST.keys() & set(path.relative_to(APP).with_suffix("").parts))
        and not (ROOT / "tests/unit" / path.relative_to(APP).with_name(f"test_{path.name}")).exists()
        for name in [path.relative_to(APP).as_posix()]
    }

    owed = {f"{where}/{name}.py".lstrip("/") for where, names in OWED.items() for name in names.split()}

    assert missing - owed == set()


def _pins(name: str) -> list[Requirement]:
    lines = (ROOT / "packaging" / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_installed_is_what_is_pinned(name: str) -> None:
    wanted = [pin for pin in _pins(name) if not pin.marker or pin.marker.evaluate()]

    assert all(str(pin.specifier).startswith("==") for pin in wanted)
    assert {pin.name: importlib.metadata.version(pin.name) for pin in wanted} == {
        pin.name: str(pin.specifier).removeprefix("==") for pin in wanted
    }


def test_every_dependency_is_pinned() -> None:
    pinned = {re.sub(r"[-_.]+", "-", pin.name).lower() for pin in _pins("requirements.txt")}
    needed = (Requirement(line) for line in importlib.metadata.requires("beam-spyglass") or [])

    assert {re.sub(r"[-_.]+", "-", need.name).lower() for need in needed} <= pinned
