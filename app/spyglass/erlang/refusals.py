"""What the local VM refuses, told to a person: codes of ``spyglass_ctl.erl`` to Failures."""

from __future__ import annotations

from collections.abc import Callable

from spyglass.erlang.process import Refused
from spyglass.errors import BadInput, Failure, Lost, Missing, Unreachable


def explained(refusal: Refused, node: str) -> Failure:
    """The Failure for a refusal that concerned ``node`` (may be empty)."""
    make = _KNOWN.get(refusal.code)
    if make is not None:
        return make(node, refusal.text)
    return Failure(f"The local Erlang could not do it: {refusal.code}", refusal.text, code="local-erlang")


def _not_connected(node: str, _text: str) -> Failure:
    return Unreachable(
        f"{node} did not let us join",
        "It is gone, has another name, or has another cookie: look at it again with `spyglass nodes`.",
        code="not-connected",
    )


def _nodedown(node: str, _text: str) -> Failure:
    return Lost(f"{node} is gone", "Try again when the node or the way to it is back.")


def _timeout(node: str, _text: str) -> Failure:
    return Failure(
        f"{node} did not answer in time", "Try again, or give it more time.", retry=True, code="timeout"
    )


def _failed_there(node: str, text: str) -> Failure:
    return Failure(f"The call failed on {node}", text, code="failed-there")


def _bad_term(_node: str, text: str) -> Failure:
    return BadInput(
        f"This is not an Erlang term: {text}",
        'Write each argument as Erlang would: 1, foo, "text", <<"binary">>, [1,2], \'Elixir.Foo\'.',
    )


def _too_new(node: str, text: str) -> Failure:
    ours, _, theirs = text.partition(" ")
    return Missing(
        f"{node} has no runtime_tools, and Erlang {ours} here is too new to lend them to its Erlang {theirs}",
        "Add :runtime_tools to extra_applications of its release,"
        f" or choose an Erlang {theirs} or older in the preferences.",
        code="no-backend",
    )


def _not_lent(node: str, text: str) -> Failure:
    return Missing(
        f"{node} has no runtime_tools, and they cannot be lent: {text}",
        "Add :runtime_tools to extra_applications of its release.",
        code="no-backend",
    )


def _no_display(_node: str, _text: str) -> Failure:
    return Missing(
        "Observer has no display to open its window on",
        "Run Spyglass in a desktop session.",
        code="no-display",
    )


def _observer_failed(node: str, text: str) -> Failure:
    return Failure(f"Observer did not open on {node}", text, retry=True, code="observer")


_KNOWN: dict[str, Callable[[str, str], Failure]] = {
    "not_connected": _not_connected,
    "nodedown": _nodedown,
    "timeout": _timeout,
    "failed_there": _failed_there,
    "bad_term": _bad_term,
    "too_new": _too_new,
    "not_lent": _not_lent,
    "no_local_module": _not_lent,
    "no_display": _no_display,
    "observer_failed": _observer_failed,
}
