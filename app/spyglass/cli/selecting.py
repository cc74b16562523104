"""The options that say which nodes are meant, of every command that takes some."""

from __future__ import annotations

import argparse

import msgspec

from spyglass import selector
from spyglass.errors import BadInput
from spyglass.selector import Selector


def add(parser: argparse.ArgumentParser) -> None:
    """Options of the names of :class:`spyglass.selector.Selector`'s fields; None: not given."""
    group = parser.add_argument_group("which nodes there (all that is given must hold; patterns welcome)")
    for name, metavar, text in _SELECTORS:
        action, flag = ("append" if name == "label" else "store"), "--" + name.replace("_", "-")
        dest = f"select_{name}"  # rpc, observe and others have a NODE of their own
        group.add_argument(flag, metavar=metavar, action=action, default=None, dest=dest, help=text)


_SELECTORS = (
    ("container", "NAME", "in this container: its name, such as 'web*', or its id"),
    ("image", "IMAGE", "in containers of this image, with or without its tag"),
    ("label", "KEY[=VALUE]", "in containers with this label (may be repeated)"),
    ("network_alias", "NAME", "in containers with this alias in one of their networks"),
    ("compose", "[PROJECT/]SERVICE", "in containers of this Compose service"),
    ("swarm_service", "NAME", "in containers of this swarm service"),
    ("dns", "NAME", "at the addresses of this name, resolved there"),
    ("rancher", "[STACK/]SERVICE", "in this Rancher service, by labels and its metadata service"),
    ("ask_in", "CONTAINER", "resolve --dns, or ask for --rancher, inside this container"),
    ("node", "PATTERN", "nodes whose full name fits, such as 'shop@*'"),
)


def selected(select: Selector, options: argparse.Namespace) -> Selector:
    """The selector with what the options change. Raises BadInput."""
    given = {name: getattr(options, f"select_{name}", None) for name in Selector.__struct_fields__}
    changed = {n: tuple(v) if isinstance(v, list) else v for n, v in given.items() if v is not None}
    return selector.check(msgspec.structs.replace(select, **changed))


def refuse_all_but(name: str, options: argparse.Namespace, why: str) -> None:
    """Raises BadInput when another selector than this one was given."""
    for field in Selector.__struct_fields__:
        if field != name and getattr(options, f"select_{field}", None) is not None:
            flag, other = (f"--{each.replace('_', '-')}" for each in (field, name))
            raise BadInput(f"{flag} does not say where", f"{why}, or in the one that {other} names.")
