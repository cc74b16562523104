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

ELSEWHERE = {
    "tests/lab/test_cluster.py": "cli/listing",
    "tests/lab/test_commands.py": "cli/checkup cli/commands",
    "tests/lab/test_demo.py": "cli/trial",
    "tests/lab/test_local_node.py": "erlang/compiled erlang/refusals",
    "tests/lab/test_kubernetes.py": "cluster",
    "tests/lab/test_shell.py": "erlang/shell",
    "tests/lab/test_scratch.py": "cli/scratch",
    "tests/lab/test_ssh.py": "command line noes packets ssh transport wire",
    "tests/lab/test_ssh_reach.py": "proxy reach",
    "tests/lab/test_ssh_trust.py": "trust",
    "tests/unit/cli/test_entry.py": "cli/parser cli/tls",
    "tests/unit/erlang/test_afar.py": "remote/shellless",
    "tests/unit/erlang/test_discovery.py": "crew findings found ground inside jar porter reader "
    "search survey visit",
    "tests/unit/erlang/test_runtime.py": "installation",
    "tests/unit/erlang/test_secure.py": "remote/tls",
    "tests/unit/remote/test_auth.py": "authkeys keyfiles userauth",
    "tests/unit/remote/test_container.py": "engine",
    "tests/unit/remote/test_feed.py": "upon",
    "tests/unit/remote/test_hostkeys.py": "hostcert sshwire",
    "tests/unit/remote/test_sshconfig.py": "configfile configmatch configvalues patterns tokens",
}
"""Modules that have no unit test of their own name, by the file that tests them.

A name without a package is one of the package that the file tests (tests/lab/test_ssh*: remote).
"""


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


def _options(parser: argparse.ArgumentParser) -> set[str]:
    found = {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= {option for each in action.choices.values() for option in _options(each)}
    return found


def test_readme_and_man_page_name_every_option() -> None:
    negated = {f"--no-{option[2:]}" for option in _options(build())} | {"--help", "--version"}
    options = {option for option in _options(build()) - negated if option.startswith("--")}
    for page in ("README.md", "resources/spyglass.1"):
        text = (ROOT / page).read_text().replace("\\-", "-")
        assert [option for option in sorted(options) if option not in text] == [], page


def test_every_proof_that_the_readme_names_is_there() -> None:
    table = (ROOT / "README.md").read_text().partition("## What Spyglass reaches")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    proofs = {row: re.findall(r"`((?:tests/|test_)[^`]*\.py)`", row.rpartition(" | ")[2]) for row in rows}

    assert len(rows) > 20
    assert [row for row, named in proofs.items() if not named] == []
    assert [name for named in proofs.values() for name in named if not (ROOT / name).is_file()] == []


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

    elsewhere = {f"{name}.py" for where, names in ELSEWHERE.items() for name in _places(where, names)}

    assert missing - elsewhere == set()
    assert elsewhere - missing == set(), "these have a unit test of their own by now, or are gone"
    assert [where for where in ELSEWHERE if not (ROOT / where).exists()] == []


def _places(where: str, names: str) -> list[str]:
    package = "remote" if where.startswith("tests/lab/") else Path(where).parent.name
    return [name if "/" in name else f"{package}/{name}" for name in names.split()]


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
