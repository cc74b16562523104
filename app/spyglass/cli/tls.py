"""The options that name TLS files, for one run or for a profile."""

from __future__ import annotations

import argparse

import msgspec

from spyglass.profile import TLS


def add(parser: argparse._ActionsContainer) -> None:
    """Add the options."""
    for name, text in (
        ("ca", "what signed the certificates of nodes that speak TLS; without it they are believed"),
        ("certificate", "the certificate that such nodes are shown, if they want one"),
        ("key", "its private key, if that is in a file of its own"),
    ):
        parser.add_argument(f"--tls-{name}", metavar="FILE", default=None, help=text)


def named(before: TLS, options: argparse.Namespace) -> TLS:
    """The files that the options name, and those from before for what they do not."""
    given = {name: getattr(options, f"tls_{name}", None) for name in ("ca", "certificate", "key")}
    return msgspec.structs.replace(before, **{name: path for name, path in given.items() if path is not None})
