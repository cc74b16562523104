"""``spyglass profiles …``: saved connections, from the terminal."""

from __future__ import annotations

import argparse
import uuid
from pathlib import Path

import msgspec

from spyglass.cli import api, tls
from spyglass.cli.output import print_failure, table
from spyglass.cli.selecting import selected
from spyglass.errors import BadInput
from spyglass.profile import Hop, Observing, Profile, SSHHop, check, parse_hop, parse_target
from spyglass.store import paths
from spyglass.store.profiles import Profiles


def run(options: argparse.Namespace) -> int:
    """Do one action; exit status 1 when a profile file is not usable."""
    store = Profiles(paths.current().profiles)
    action = options.action
    if action == "list":
        return _list(store)
    if action == "show":
        print(msgspec.toml.encode(store.get(options.name)).decode(), end="")
    elif action == "add":
        store.add(_edited(Profile(name=options.name, id=uuid.uuid4().hex), options))
    elif action == "edit":
        store.replace(_edited(store.get(options.name), options))
    elif action == "remove":
        _remove(store, options.name)
    elif action == "import":
        print(f"Saved as {store.import_(Path(options.file)).name}")
    elif action == "export":
        store.export(store.get(options.name).id, Path(options.file))
    return 0


def _list(store: Profiles) -> int:
    saved, broken = store.load()
    if saved:
        print(table(("NAME", "GROUP", "WAY"), [(p.name, p.group, p.route) for p in saved]))
    for failure in broken:
        print_failure(failure)
    return 1 if broken else 0


def _remove(store: Profiles, name: str) -> None:
    from spyglass.store.secrets import Keyring  # noqa: PLC0415 - keyring takes 70 ms to import

    removed = store.remove(store.get(name).id)
    keyring = Keyring()
    if not keyring.why_not:
        keyring.delete_all(removed.id)


def _edited(profile: Profile, options: argparse.Namespace) -> Profile:
    """The profile with the options' changes."""
    hops = profile.hops
    if options.target:
        hops = parse_target(options.target, {}).profile.hops
    if options.jump is not None:
        hops = (*(parse_hop(text) for text in options.jump), *hops[-1:])
    hops = api.applied(hops, options)
    if options.identity is not None:
        hops = _with_identity(hops, options.identity)
    select = selected(profile.select, options)
    changes = {
        name: getattr(options, name)
        for name in ("group", "autoconnect", "production", "alias", "alias_everyone")
        if getattr(options, name) is not None
    }
    if getattr(options, "rename", None):
        changes["name"] = options.rename
    changes |= {"tls": tls.named(profile.tls, options), "observer": _observing(profile, options)}
    return check(msgspec.structs.replace(profile, hops=hops, select=select, **changes))


def _observing(profile: Profile, options: argparse.Namespace) -> Observing:
    """How Observer is opened, with the options' changes."""
    given = {"open": options.observe, "together": options.together, "lend": options.lend}
    changes = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(profile.observer, **changes)


def _with_identity(hops: tuple[Hop, ...], identity: str) -> tuple[Hop, ...]:
    if not hops or not isinstance(hops[-1], SSHHop):
        raise BadInput("--identity is for an SSH host", "Leave it out for `local`.")
    return (*hops[:-1], msgspec.structs.replace(hops[-1], identity=identity))
