"""A server of our own on loopback, to try everything: a real ``sshd`` and a real node behind it.

The node runs in a container where a Docker engine can be used, else beside the server. All
files lie in a directory of their own, with a saved profile that knows the way. Nothing of
the person's is used or changed: not their keys, not ``known_hosts``, not their name server
(epmd), no port but free ones on 127.0.0.1. Everything ends with Spyglass, even when that
is killed: each part watches a pipe that only Spyglass holds.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from spyglass.demo import node, sshd
from spyglass.demo.watch import remove_at_end
from spyglass.erlang import runtime
from spyglass.log import forget
from spyglass.profile import Profile, Selector, SSHHop
from spyglass.store import paths as store_paths
from spyglass.store.paths import Paths
from spyglass.store.profiles import Profiles

__all__ = ["Demo", "start"]

NAME = "demo"


@dataclass(frozen=True)
class Demo:
    """A running demo. ``ssh_config`` names its host key; ``container`` is empty for a bare node."""

    paths: Paths
    profile: Profile
    node: str
    container: str
    ssh_config: Path
    port: int

    def describe(self) -> str:
        """Say what runs where, in a few lines."""
        place = f"in the container {self.container}" if self.container else "beside it"
        return (
            f"An SSH server of the demo's own listens on 127.0.0.1 port {self.port}.\n"
            f"The node {self.node} runs {place}.\n"
            f"The profile “{self.profile.name}” knows the way. Everything ends with Spyglass."
        )


@contextmanager
def start(paths: Paths | None = None, *, erl: str = "", engine: bool = True) -> Iterator[Demo]:
    """Start the server and the node, and save the profile; inside, all of it is there.

    ``paths``: the directories to use, default: below a new directory that is removed at the
    end. ``erl``: the Erlang chosen in the settings. ``engine=False``: never in a container.
    Raises Missing when ``sshd``, ``ssh-keygen`` or Erlang is not installed.
    """
    with ExitStack() as stack:
        own = paths or store_paths.under(_scratch(stack))
        sshd.check_programs()
        erlang = runtime.find(erl, window=False, cache=own.ensure().cache)
        top = _fresh(own.state / "demo")
        stack.callback(shutil.rmtree, top, ignore_errors=True)
        server = stack.enter_context(sshd.start(top))
        home = node.home(top, forget(secrets.token_urlsafe(18)))
        beam = stack.enter_context(node.start(erlang, home, engine=engine))
        config = sshd.write_client_config(own.config / "ssh_config", server)
        stack.callback(config.unlink, missing_ok=True)
        profile = _save(own, server, beam)
        stack.callback(_forget_profile, own, profile)
        yield Demo(own, profile, beam.name, beam.container, config, server.port)


def _scratch(stack: ExitStack) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="spyglass-demo-"))
    stack.enter_context(remove_at_end(directory))
    return directory


def _fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)  # of a demo that was killed
    return store_paths.private(directory)


def _save(paths: Paths, server: sshd.Server, beam: node.Node) -> Profile:
    user = pwd.getpwuid(os.getuid()).pw_name
    hop = SSHHop(host=sshd.ADDRESS, port=server.port, user=user, identity=str(server.client_key))
    profiles = Profiles(paths.profiles)
    for old in profiles.load()[0]:  # of a demo that was killed
        if old.name == NAME and old.hops and getattr(old.hops[0], "host", "") == sshd.ADDRESS:
            profiles.remove(old.id)
    return profiles.add(Profile(name=NAME, hops=(hop,), select=Selector(node=beam.name)))


def _forget_profile(paths: Paths, profile: Profile) -> None:
    profiles = Profiles(paths.profiles)
    if any(kept.id == profile.id for kept in profiles.load()[0]):
        profiles.remove(profile.id)
