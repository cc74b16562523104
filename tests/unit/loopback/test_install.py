"""The commands that a person runs to install the helper."""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

from spyglass import APP_ID
from spyglass.loopback import install, trust

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[3]
POLICY = ROOT / f"packaging/linux/{APP_ID}.policy"


def test_the_files_are_the_checkouts_own() -> None:
    assert install.source(trust.HELPER.name) == ROOT / "packaging/linux/spyglass-loopback"
    assert install.source(install.POLICY.name) == POLICY


def test_each_gets_roots_ownership_and_no_ones_elses_write_permission() -> None:
    made, helper, policy, check = install.commands()

    assert made == "sudo install -o root -g root -m 755 -d /usr/libexec/spyglass"
    assert helper.startswith("sudo install -o root -g root -m 755 ")
    assert helper.endswith(f" {trust.HELPER}")
    assert policy.startswith("sudo install -o root -g root -m 644 ")
    digest = hashlib.sha256((ROOT / "packaging/linux/spyglass-loopback").read_bytes()).hexdigest()
    assert digest in check
    assert str(trust.HELPER) in check


def test_the_policy_is_for_exactly_the_path_that_is_run() -> None:
    (action,) = ET.parse(POLICY).getroot().findall("action")
    (annotation,) = action.findall("annotate")

    assert action.get("id") == f"{APP_ID}.loopback"
    assert annotation.get("key") == "org.freedesktop.policykit.exec.path"
    assert annotation.text == str(trust.HELPER)
    assert action.findtext("defaults/allow_any") == "auth_admin"


def test_a_helper_that_is_not_installed_is_said_to_be_so() -> None:
    assert str(trust.HELPER) in install.state() or "not installed" in install.state()


def test_what_comes_with_a_package_is_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "source", lambda name: tmp_path / name)
    monkeypatch.setattr(trust, "check", lambda: trust.HELPER)

    assert install.packaged()
    assert install.state() == f"{trust.HELPER} is installed."
    assert install.commands() == ["sudo apt-get install --reinstall spyglass"]
    assert install.removal() == "sudo apt-get remove spyglass"
