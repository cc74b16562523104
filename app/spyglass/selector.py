"""Which of the nodes found at a place belong to a profile, as a person writes it. Pure.

What is meant by each field, and how it is matched, stands in :mod:`spyglass.erlang.selection`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from spyglass.errors import BadInput

Text = Annotated[str, Meta(max_length=500)]

_HOSTNAME = re.compile(r"^(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*\.?$")
_BLANK = re.compile(r"\s")
_PAIRS = {"compose": "PROJECT/SERVICE", "rancher": "STACK/SERVICE"}
_MOST_LABELS = 16


class Selector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which of the nodes found there belong to the profile; empty fields match all, and all must match.

    Fields are shell-style patterns (``shop@*``), matched without regard to case but for nodes and
    labels. ``dns`` is a name and no pattern: it is resolved at the far end, there or, with ``ask_in``,
    inside that container. ``rancher`` is ``STACK/SERVICE``, ``compose`` ``PROJECT/SERVICE``; the part
    before the slash may be left out.
    """

    container: Text = ""
    node: Text = ""
    image: Text = ""
    label: Annotated[tuple[Text, ...], Meta(max_length=_MOST_LABELS)] = ()
    network_alias: Text = ""
    compose: Text = ""
    swarm_service: Text = ""
    dns: Text = ""
    rancher: Text = ""
    ask_in: Text = ""

    @property
    def narrows(self) -> bool:
        """Whether it means some containers or addresses, not a whole place."""
        return any(getattr(self, name) for name in self.__struct_fields__ if name not in {"ask_in", "node"})

    @property
    def asks(self) -> bool:
        """Whether somebody at the far end is asked for addresses: a name server or Rancher's metadata."""
        return bool(self.dns or self.rancher)

    @property
    def label_text(self) -> str:
        """What is meant, in few words: a container's name as it stands, else ``alias web``."""
        others = [f"{_SHORT[name]} {value}" for name, value in _given(self) if name in _SHORT]
        return ", ".join([*([self.container] if self.container else []), *others])


_SHORT = {
    "image": "image",
    "label": "label",
    "network_alias": "alias",
    "compose": "compose",
    "swarm_service": "service",
    "dns": "DNS",
    "rancher": "Rancher",
}


def _given(select: Selector) -> Iterator[tuple[str, str]]:
    for name in select.__struct_fields__:
        value = getattr(select, name)
        for each in value if isinstance(value, tuple) else (value,):
            if each:
                yield name, each


def check(select: Selector) -> Selector:
    """Return it if its fields can be asked for; raise :class:`BadInput` with the field."""
    for name, value in _given(select):
        if not value.isprintable():
            raise BadInput(f"The field `{name}` has invisible characters in it", f"Correct `{name}`.")
        _check_shape(name, value)
    if select.dns and not (_HOSTNAME.match(select.dns) and len(select.dns) <= 253):
        raise BadInput(
            f"{select.dns!r} is not a name that DNS knows", "Correct `dns`: letters, digits, dots."
        )
    if select.ask_in and not select.asks:
        raise BadInput(
            f"Nothing is asked in {select.ask_in}", "Give `dns` or `rancher` as well, or leave `ask_in` out."
        )
    if select.ask_in.startswith("-"):
        raise BadInput(f"{select.ask_in!r} begins with a hyphen", "Correct `ask_in`.")
    return select


def _check_shape(name: str, value: str) -> None:
    """Refuse what could never fit anything: it would look like a target without nodes."""
    blank = bool(_BLANK.search(value))
    if name in _PAIRS:
        parts = value.split("/")
        if len(parts) > 2 or not all(parts) or blank:
            hint = f"Write {_PAIRS[name]}, or SERVICE alone: the field `{name}`."
            raise BadInput(f"{value!r} names no service", hint)
    elif name == "label" and not value.partition("=")[0].strip():
        raise BadInput(f"{value!r} has no key", "Write KEY or KEY=VALUE: the field `label`.")
    elif name == "node" and (value.count("@") > 1 or value.endswith("@") or blank):
        raise BadInput(f"{value!r} fits no node", "Write a pattern such as 'shop@*': the field `node`.")
    elif blank and name not in {"label", "dns"}:
        raise BadInput(f"{value!r} has a blank in it, as no such name has", f"Correct `{name}`.")


def words(select: Selector, *, without: tuple[str, ...] = (), between: str = " ") -> str:
    """The fields as :func:`read` takes them: ``network-alias=web label=tier=web``."""
    told = ((name.replace("_", "-"), value) for name, value in _given(select) if name not in without)
    return between.join(f"{name}={shlex.quote(value)}" for name, value in told)


def read(text: str, base: Selector) -> Selector:
    """Take ``field=value …`` over ``base``. Raises :class:`BadInput` for anything else.

    Of several lines the fault names the one that it is in.
    """
    fields: dict[str, Any] = {}
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            _take(line, fields)
        except BadInput as fault:
            where = f"Line {number}: " if len(lines) > 1 else ""
            raise BadInput(f"{where}{fault.title}", fault.hint) from fault
    return msgspec.structs.replace(base, **fields)


def _take(line: str, fields: dict[str, Any]) -> None:
    try:
        pairs = [word.partition("=") for word in shlex.split(line)]
    except ValueError as fault:
        raise BadInput(f"{line!r} has an open quotation", "Close it.") from fault
    for name, _, value in pairs:
        field = name.replace("-", "_")
        if field in Selector.__struct_fields__ and not value:
            raise BadInput(f"{name} has no value", f"Write one behind it: {name}=…")
        if field not in Selector.__struct_fields__:
            raise BadInput(f"{name!r} selects nothing", f"Write {', '.join(_examples())} or the like.")
        fields[field] = (*fields.get(field, ()), value) if field == "label" else value


def _examples() -> tuple[str, ...]:
    return "network-alias=web", "compose=shop/web", "dns=web.internal", "label=tier=web"
