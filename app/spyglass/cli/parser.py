"""The grammar of the command line, in one place: help, man page and completion come from it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from spyglass import __version__
from spyglass.cli import api, selecting, tls

EXAMPLES = """\
examples:
  spyglass nodes deploy@prod1                what BEAM nodes are there
  spyglass observe prod1 shop@172.17.0.4     Observer on that node
  spyglass observe prod1 --container web     on the only node in the container web
  spyglass shell prod1 shop@172.17.0.4       iex (or an Erlang shell) on the node
  spyglass rpc prod1 shop@172.17.0.4 erlang system_info otp_release
  spyglass doctor prod1                      each link of the chain, and what to do

TARGET is a saved profile's name, [user@]host[:port] (names of ~/.ssh/config are welcome), tcp://host:port
(a container engine's API), or `local`.
Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""


def build() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="spyglass",
        description="Observer on any BEAM node that SSH can reach. Without a subcommand: the window.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"spyglass {__version__}")
    parser.add_argument(
        "--profile-dir", metavar="DIR", default="", help="keep everything below DIR (a throw-away set-up)"
    )
    window = parser.add_argument_group("the window")
    window.add_argument("--background", action="store_true", help="start without showing the window")
    window.add_argument("--new-profile", action="store_true", help="begin with a new profile")
    commands = parser.add_subparsers(dest="command", metavar="SUBCOMMAND", title="subcommands")
    nodes = _target_command(commands, "nodes", "list the BEAM nodes that are there", json=True)
    nodes.add_argument(
        "--watch", action="store_true", help="go on with what comes and goes; with --json, a document a line"
    )
    observe = _target_command(commands, "observe", "open Observer on a node, until its window closes")
    _node(observe)
    observe.add_argument(
        "--all",
        action="store_true",
        help="with all nodes of the target in its Nodes menu, live",
    )
    observe.add_argument(
        "--lend", action="store_true", help="agree to lend runtime_tools to a node without them"
    )
    shell = _target_command(commands, "shell", "a remote shell: iex where the node has Elixir, else Erlang's")
    _node(shell)
    rpc = _target_command(commands, "rpc", "call M:F with Erlang terms on a node and print the result")
    rpc.add_argument("node", metavar="NODE", help="full name, or the part before @ where that is unique")
    rpc.add_argument("module", metavar="M")
    rpc.add_argument("function", metavar="F")
    rpc.add_argument(
        "args", metavar="TERM", nargs="*", help="the arguments, an Erlang term each, such as otp_release"
    )
    forward = _target_command(
        commands, "forward", "hold the tunnel and print what other tools need, until Ctrl-C"
    )
    _node(forward)
    forward.add_argument(
        "--alias",
        metavar="ADDR|auto|off",
        default="",
        help="let the node answer at its own address (auto), or at ADDR, on this computer, for any tool "
        "(default: what the profile says)",
    )
    scratch = _target_command(
        commands, "scratch", "start an Erlang node there to try things out, and open Observer on it"
    )
    scratch.add_argument(
        "--hold", action="store_true", help="open no window: print where the node is reached, until Ctrl-C"
    )
    doctor = _target_command(
        commands, "doctor", "check each link of the chain, with one remedy each", json=True, optional=True
    )
    doctor.set_defaults(command="doctor")
    _profiles(commands)
    _running(commands)
    _plain(commands, "helper", "print the commands that install the helper for forward --alias")
    _demo(commands)
    return parser


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options of a command line. Ends as argparse does: SystemExit, once it has printed why.

    argparse takes a NODE, or rpc's TERMs, for left out as soon as an option stands before them (mended
    in Python 3.13): they are put back.
    """
    parser = build()
    options, rest = parser.parse_known_args(argv)
    words = [word for word in rest if not word.startswith("-")]
    if len(rest) == 1 and words == rest and getattr(options, "node", None) == "":
        options.node, rest = words[0], []
    elif words == rest and getattr(options, "args", None) == []:
        options.args, rest = words, []
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return options


def _target_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    *,
    json: bool = False,
    optional: bool = False,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs="?" if optional else None,
        help="profile, [user@]host[:port], or local",
    )
    _common(parser)
    way = parser.add_argument_group("the way there")
    way.add_argument(
        "--jump",
        metavar="HOST",
        action="append",
        default=[],
        help="go through this host first (may be repeated)",
    )
    way.add_argument("--identity", metavar="FILE", default="", help="the private key to use")
    api.options(way)
    way.add_argument(
        "--cookie-file", metavar="FILE", default="", help="read the cookie from FILE, `-` for standard input"
    )
    tls.add(way)
    way.add_argument("--batch", action="store_true", help="never ask: fail with what would have been asked")
    selecting.add(parser)
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile-dir",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="keep everything below DIR (a throw-away set-up)",
    )


def _node(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "node",
        metavar="NODE",
        nargs="?",
        default="",
        help="full name, or the part before @; default: the only one, else ask",
    )


def _profiles(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("profiles", help="saved connections", description="Saved connections.")
    _common(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _common(actions.add_parser("list", help="name and way of each"))
    for name, text in (("show", "print one, as it is saved"), ("remove", "delete one, and its secrets")):
        action = actions.add_parser(name, help=text)
        action.add_argument("name", metavar="NAME")
        _common(action)
    for name, text in (("add", "save a new one"), ("edit", "change one")):
        _edit_options(actions.add_parser(name, help=text), new=name == "add")
    for name, text in (
        ("import", "read one from FILE"),
        ("export", "write one to FILE (no secrets are in it)"),
    ):
        action = actions.add_parser(name, help=text)
        if name == "export":
            action.add_argument("name", metavar="NAME")
        action.add_argument("file", metavar="FILE")
        _common(action)


def _edit_options(parser: argparse.ArgumentParser, *, new: bool) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs=None if new else "?",
        help="[user@]host[:port], tcp://host:port or local",
    )
    parser.add_argument("--rename", metavar="NAME", default=None, help="a new name") if not new else None
    selecting.add(parser)
    parser.add_argument(
        "--jump", metavar="HOST", action="append", default=None, help="go through this host first"
    )
    parser.add_argument("--identity", metavar="FILE", default=None, help="the private key to use")
    tls.add(parser)
    api.options(parser)
    parser.add_argument("--group", metavar="NAME", default=None, help="where the window lists it")
    for name, text in (
        ("autoconnect", "connect as soon as the window starts"),
        ("production", "mark it as one to be careful with"),
    ):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=text)
    parser.add_argument(
        "--observe",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="in the window: open Observer as soon as connected, where just one node fits",
    )
    parser.add_argument(
        "--together",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="in the window: Observer with all nodes of the profile in its Nodes menu",
    )
    parser.add_argument(
        "--lend",
        choices=["ask", "always", "never"],
        default=None,
        help="whether to lend runtime_tools to nodes without them",
    )
    parser.add_argument(
        "--alias",
        metavar="off|auto|ADDR",
        default=None,
        help="let nodes answer at their own addresses (auto), or at ADDR, on this computer, for any tool",
    )
    parser.add_argument(
        "--alias-everyone",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="let every user of this computer in there, not only you",
    )
    _common(parser)


def _running(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What talks to the running app."""
    status = _plain(commands, "status", "what the running Spyglass is connected to")
    status.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    connect = _plain(
        commands, "connect", "let the running Spyglass connect a profile, or hold it here until Ctrl-C"
    )
    connect.add_argument("profile", metavar="PROFILE", help="a saved profile's name")
    connect.add_argument(
        "--batch", action="store_true", help="never ask: fail with what would have been asked"
    )
    disconnect = _plain(commands, "disconnect", "let the running Spyglass disconnect a profile")
    which = disconnect.add_mutually_exclusive_group(required=True)
    which.add_argument("profile", metavar="PROFILE", nargs="?", default="", help="its name")
    which.add_argument("--all", action="store_true", help="disconnect them all")
    logs = _plain(commands, "logs", "the log of the running Spyglass; secrets are blacked out")
    logs.add_argument("profile", metavar="PROFILE", nargs="?", default="", help="only this profile's lines")
    logs.add_argument("--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    _plain(commands, "quit", "end the running Spyglass and its connections")


def _plain(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    _common(parser)
    return parser


def _demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="a server of our own on loopback, to try it all",
        description="Start an SSH server and a node of our own on loopback, with a profile for them, "
        "and open the window. Everything ends with it.",
    )
    parser.add_argument("--observe", action="store_true", help="open Observer on the demo node at once")
    parser.add_argument(
        "--screenshot",
        metavar="FILE",
        default="",
        help="save a picture of Observer, and end",
    )
    parser.add_argument("--no-window", action="store_true", help="do not open Spyglass's own window")
    _common(parser)
