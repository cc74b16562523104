"""A Kubernetes cluster as a step of a profile's way. Pure."""

from __future__ import annotations

import re

import msgspec

from spyglass.errors import BadInput
from spyglass.selector import Text

ALL = "all"
_NAMESPACE = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")  # a label of RFC 1123, as Kubernetes has it


class KubernetesHop(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="kubernetes",
):
    """The pods of a cluster that ``kubectl`` knows at the place reached so far.

    ``namespace``: one namespace, or ``all``. ``context``: one of kubectl's; empty for its current one.
    """

    namespace: Text
    context: Text = ""

    @property
    def label(self) -> str:
        """``kubernetes:web``."""
        return f"kubernetes:{self.namespace}"


def check(hop: KubernetesHop, position: int) -> None:
    """Raise BadInput, with the field, for what can't be one."""
    if not _NAMESPACE.match(hop.namespace):
        raise BadInput(
            f"Hop {position}: {hop.namespace!r} is not a namespace of Kubernetes",
            f"Write its name, or `all`: the field `namespace` of hop {position}.",
        )
    if hop.context.startswith("-") or not hop.context.isprintable():
        raise BadInput(
            f"Hop {position}: {hop.context!r} is not a context of kubectl",
            f"See `kubectl config get-contexts`: the field `context` of hop {position}.",
        )
