"""Fixtures of the laboratory: one for the whole test run, made at first use."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from support.lab import Lab
from support.lab.api_host import ApiHost
from support.lab.desktop import Desktop
from support.lab.engines import Engines
from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.server import Server


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A server and a laptop; nothing runs on the server yet but sshd and the engine."""
    if os.geteuid() != 0:
        pytest.skip("the lab makes namespaces and runs a Docker engine: run the tests as root")
    with Lab() as made:
        yield made


@pytest.fixture(scope="session")
def server(lab: Lab) -> Server:
    """The server."""
    return lab.server


@pytest.fixture(scope="session")
def laptop(lab: Lab) -> Laptop:
    """The laptop."""
    return lab.laptop


@pytest.fixture(scope="session")
def fleet(lab: Lab) -> Fleet:
    """The standard nodes, up."""
    return lab.fleet


@pytest.fixture(scope="session")
def far(lab: Lab) -> ApiHost:
    """A host of which only the engine's API can be reached."""
    return lab.far


@pytest.fixture(scope="session")
def engines(lab: Lab) -> Engines:
    """Podman and rootless Docker on the server."""
    return lab.engines


@pytest.fixture(scope="session")
def desktop(lab: Lab) -> Desktop:
    """The laptop's display."""
    return lab.desktop
