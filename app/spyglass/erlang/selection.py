"""Which containers a :class:`~spyglass.selector.Selector` means. Pure.

Each field is a rule of its own, and all that are given must hold. A rule that speaks of
addresses (a DNS name, Rancher's metadata) is answered at the far end first; what comes of that
are the ``addresses`` here.

Labels: Docker's Compose file reference ("com.docker.compose.project", "….service"), podman-compose
("io.podman.compose.project"), Docker swarm ("com.docker.swarm.service.name"), Rancher 1.x
("io.rancher.stack_service.name", before 1.0 "io.rancher.project_service.name";
"io.rancher.container.ip" is the container's address in the managed network, with its mask).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from fnmatch import fnmatchcase
from functools import partial

from spyglass.remote.container import Facts
from spyglass.selector import Selector

Addresses = Collection[str]

_PROJECTS = ("com.docker.compose.project", "io.podman.compose.project")
_COMPOSE = "com.docker.compose.service"
_SWARM = "com.docker.swarm.service.name"
_RANCHER = ("io.rancher.stack_service.name", "io.rancher.project_service.name")


def means(select: Selector, facts: Facts, addresses: Addresses = ()) -> bool:
    """Whether the container belongs; ``addresses`` are those that ``dns`` or ``rancher`` stand for now."""
    return all(
        rule(facts, value, addresses)
        for name, rule in _RULES.items()
        for value in _values(getattr(select, name))
    )


def may_mean(select: Selector, facts: Facts) -> bool:
    """The same when only name, image and labels are known (an engine's event): False is certain."""
    return all(
        _RULES[name](facts, value, ())
        for name in ("container", "image", "label", "compose", "swarm_service")
        for value in _values(getattr(select, name))
    )


def only_addresses(select: Selector) -> bool:
    """Whether an address alone may belong, that is: no field asks for what only a container has."""
    others = ("container", "image", "label", "network_alias", "compose", "swarm_service")
    return select.asks and not any(getattr(select, name) for name in others)


def stack_of(facts: Facts) -> str:
    """``stack/service``, as Rancher has labelled the container; empty elsewhere."""
    return next((facts.labels[key] for key in _RANCHER if facts.labels.get(key)), "")


def _values(told: str | tuple[str, ...]) -> tuple[str, ...]:
    return told if isinstance(told, tuple) else (told,) if told else ()


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


def _container(facts: Facts, pattern: str, _: Addresses) -> bool:
    names = (facts.name, facts.labels.get(_COMPOSE, ""))
    return any(_like(name, pattern) for name in names if name) or facts.called(pattern.lower())


def _image(facts: Facts, pattern: str, _: Addresses) -> bool:
    """In full, without its tag or digest, or the last part of its path alone."""
    name = facts.image.partition("@")[0]
    bare = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    return any(_like(each, pattern) for each in (facts.image, name, bare, bare.rpartition("/")[2]) if each)


def _label(facts: Facts, wanted: str, _: Addresses) -> bool:
    key, equals, pattern = wanted.partition("=")
    value = facts.labels.get(key)
    return value is not None and (not equals or fnmatchcase(value, pattern))


def _alias(facts: Facts, pattern: str, _: Addresses) -> bool:
    aliases = (alias for network in facts.networks for alias in network.aliases)
    return any(_like(alias, pattern) for alias in aliases)


def _compose(facts: Facts, wanted: str, _: Addresses) -> bool:
    service = facts.labels.get(_COMPOSE, "")
    project = next((facts.labels[key] for key in _PROJECTS if key in facts.labels), "")
    return bool(service) and _pair(f"{project}/{service}", wanted)


def _swarm(facts: Facts, pattern: str, _: Addresses) -> bool:
    return _like(facts.labels.get(_SWARM, ""), pattern) if _SWARM in facts.labels else False


def _rancher(facts: Facts, wanted: str, addresses: Addresses) -> bool:
    name = stack_of(facts)
    return (bool(name) and _pair(name, wanted)) or _dns(facts, wanted, addresses)


def _dns(facts: Facts, _: str, addresses: Addresses) -> bool:
    return any(address in addresses for address in facts.addresses)


def _pair(name: str, wanted: str) -> bool:
    """``whole/part`` against a pattern of the same kind, or against the part alone."""
    return _like(name if "/" in wanted else name.rpartition("/")[2], wanted)


_RULES: dict[str, Callable[[Facts, str, Addresses], bool]] = {
    "container": _container,
    "image": _image,
    "label": _label,
    "network_alias": _alias,
    "compose": _compose,
    "swarm_service": _swarm,
    "dns": _dns,
    "rancher": _rancher,
}


def matcher(select: Selector, addresses: Addresses) -> Callable[[Facts], bool]:
    """:func:`means` for many containers."""
    return partial(means, select, addresses=frozenset(addresses))
