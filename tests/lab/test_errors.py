"""Each thing that can go wrong ends with a title, a hint and the right status, and without a traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.lab.fleet import Fleet
from support.lab.laptop import AWAY, DEV, Laptop
from support.lab.server import ADDRESS, PAT, Server

ERLANG_PARTS = ("/usr/lib/erlang", "/usr/local/lib/erlang", "/usr/bin/erl", "/usr/local/bin/erl")


def told(done: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """Check the form of a failure; return its words in lower case."""
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "Error:" not in done.stderr
    title, *hint = [line for line in done.stderr.splitlines() if line.strip()]
    assert title
    assert hint, f"no hint after {title!r}"
    return done.stderr.lower()


def test_an_unknown_host_key_is_not_accepted_in_batch_mode(laptop: Laptop, server: Server) -> None:
    words = told(laptop.spyglass("nodes", "lab-unknown", "--batch"))
    assert "unknown" in words
    assert fingerprint(server.keys / "host_ed25519.pub").lower() in words
    assert (laptop.home / ".ssh/known_hosts.empty").read_text() == ""


def test_a_changed_host_key_stops_everything(laptop: Laptop, server: Server) -> None:
    file = laptop.home / ".ssh/known_hosts.changed"
    before = file.read_text()
    words = told(laptop.spyglass("nodes", "lab-changed", "--batch"))
    assert "changed" in words
    assert "known_hosts.changed:1" in words
    for name in ("host_ed25519.pub", "other_host_ed25519.pub"):
        assert fingerprint(server.keys / name).lower() in words
    assert file.read_text() == before


def test_a_key_that_the_server_does_not_know(laptop: Laptop) -> None:
    words = told(laptop.spyglass("nodes", "lab-wrongkey", "--batch"))
    assert "deploy" in words
    assert "stranger" in words


def test_a_host_that_does_not_answer(laptop: Laptop) -> None:
    assert AWAY in told(laptop.spyglass("nodes", "lab-away", "--batch"))


def test_a_port_where_nobody_listens(laptop: Laptop) -> None:
    words = told(laptop.spyglass("nodes", "lab-refused", "--batch"))
    assert "refused" in words or "nobody" in words or "nothing" in words


def test_a_name_that_does_not_exist(laptop: Laptop) -> None:
    assert "nowhere.invalid" in told(laptop.spyglass("nodes", "nowhere.invalid", "--batch"))


def test_a_target_that_makes_no_sense(laptop: Laptop) -> None:
    assert "what/is/this" in told(laptop.spyglass("nodes", "what/is/this", "--batch"))


def test_no_permission_for_the_engine_is_a_warning_that_says_what_to_do(laptop: Laptop, fleet: Fleet) -> None:
    document = laptop.spyglass_json("nodes", "lab-nodocker", "--batch")
    warnings = " ".join(document["warnings"]).lower()
    assert "docker" in warnings
    assert "nodocker" in warnings
    assert "group" in warnings
    known = {node["node"]: node for node in document["nodes"]}
    assert fleet["bare"].node in known  # what needs no engine is still there
    assert not known[fleet["bare"].node]["cookie"]["proved"]  # deploy's cookie is deploy's


def test_no_permission_for_the_engine_where_a_container_was_asked_for(laptop: Laptop, fleet: Fleet) -> None:
    words = told(laptop.spyglass("observe", "lab-nodocker", "--container", "web", "--batch"))
    assert "docker" in words


def test_a_wrong_cookie_is_told_before_any_window(laptop: Laptop, fleet: Fleet) -> None:
    """On a node whose own cookie this account may not read; else the one found there would be used."""
    wrong = "SPYLAB-cookie-wrong-one"
    file = laptop.home / "wrong.cookie"
    file.write_text(f"{wrong}\n")
    log = fleet.log(fleet["bare"])
    try:
        done = laptop.spyglass(
            "rpc", "lab-nodocker", "bare", "erlang", "node", "--cookie-file", f"{DEV.home}/wrong.cookie"
        )
    finally:
        file.unlink()
    words = told(done)
    assert "cookie" in words
    assert wrong.lower() not in words
    added = fleet.log(fleet["bare"]).removeprefix(log)
    assert added.count("rejected") <= 1  # one try, one line in the node's log at most


def test_a_node_that_is_not_there(laptop: Laptop, fleet: Fleet) -> None:
    words = told(laptop.spyglass("rpc", "lab", "nobody@web-1", "erlang", "node"))
    assert "nobody@web-1" in words
    assert "app@web-1" in words  # what is there


def test_a_node_that_goes_between_finding_and_connecting(
    laptop: Laptop, fleet: Fleet, server: Server
) -> None:
    """Its name server still has it, and nothing answers at its port any more."""
    server.place.run(["pkill", "-STOP", "-f", "beam.*-sname two"])
    try:
        words = told(laptop.spyglass("rpc", "lab", "two@pair", "erlang", "node", timeout=60))
    finally:
        server.place.run(["pkill", "-CONT", "-f", "beam.*-sname two"])
    assert "two" in words


def test_a_call_that_fails_says_how(laptop: Laptop, fleet: Fleet) -> None:
    words = told(laptop.spyglass("rpc", "lab", "app@web-1", "erlang", "no_such_function"))
    assert "undef" in words or "no_such_function" in words


def test_a_call_with_something_that_is_no_term(laptop: Laptop, fleet: Fleet) -> None:
    assert "term" in told(laptop.spyglass("rpc", "lab", "app@web-1", "lists", "reverse", "[1,"))


def test_no_local_erlang(laptop: Laptop, fleet: Fleet) -> None:
    done = laptop.spyglass("observe", "lab", "app@web-1", hide=ERLANG_PARTS)
    words = told(done)
    assert "no erlang" in words
    assert "install" in words


def test_listing_nodes_needs_no_local_erlang(laptop: Laptop, fleet: Fleet) -> None:
    done = laptop.spyglass("nodes", "lab", hide=ERLANG_PARTS)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_erlang_without_wx(laptop: Laptop, fleet: Fleet) -> None:
    wx = [str(path) for path in Path("/usr/lib/erlang/lib").glob("wx-*")]
    fresh = ("--profile-dir", f"{DEV.home}/without-wx")  # it has not seen this Erlang before
    words = told(laptop.spyglass("observe", "lab", "app@web-1", *fresh, hide=wx))
    subprocess.run(["rm", "-rf", str(laptop.home / "without-wx")], check=True)
    assert "wx" in words
    assert "install" in words


def test_a_password_is_never_asked_for_in_batch_mode(laptop: Laptop) -> None:
    words = told(laptop.spyglass("nodes", "lab-password", "--batch"))
    assert "password" in words
    assert PAT.name in words
    assert ADDRESS in words or "lab-password" in words


@pytest.fixture
def profile_file(laptop: Laptop) -> Iterator[Path]:
    """The file of a profile ``mine``, in a set-up of its own."""
    done = laptop.spyglass("profiles", "add", "mine", "lab", "--profile-dir", f"{DEV.home}/own")
    assert done.returncode == 0, done.stderr
    (file,) = (laptop.home / "own").rglob("*.toml")
    yield file
    subprocess.run(["rm", "-rf", str(laptop.home / "own")], check=True)


@pytest.mark.parametrize(
    ("damage", "names"),
    [
        ('\ncolour = "red"\n', "colour"),
        ("\nname = [broken\n", "line"),
        ("\nautoconnect = 7\n", "autoconnect"),
    ],
)
def test_a_broken_profile_file_is_named_and_left_alone(
    laptop: Laptop, fleet: Fleet, profile_file: Path, damage: str, names: str
) -> None:
    broken = damage.lstrip() + profile_file.read_text()
    profile_file.write_text(broken)
    words = told(laptop.spyglass("nodes", "mine", "--batch", "--profile-dir", f"{DEV.home}/own"))
    assert profile_file.name in words
    assert names in words
    assert profile_file.read_text() == broken


def test_wrong_usage_is_status_two(laptop: Laptop) -> None:
    done = laptop.spyglass("nodes")
    assert done.returncode == 2
    assert "usage" in done.stderr


def fingerprint(key: Path) -> str:
    """The SHA256 fingerprint of a public key, as ssh-keygen tells it."""
    done = subprocess.run(["ssh-keygen", "-lf", str(key)], capture_output=True, text=True, check=True)
    return done.stdout.split()[1]
