"""Commands that carry one TCP connection between a port and their own input and output.

For where a port can't be dialled but a command can be run: a container's own loopback, a
container without an address, an SSH server that does not forward. What is there already
does it, and nothing is written: busybox's nc, Perl, socat, Python, bash, or the Erlang that
every node has with it. Each ends when the other side hangs up, for sshd and engines tell of
the end of a command only; and each ends soon after its input does, so none outlives us.

OpenBSD's nc is not among them: it does not notice that the other side hung up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.%:-]{0,254}")  # a name or an address, and never an option
_LINGER = 30  # seconds that the other side gets to answer after the end of our input
WIDER = 'PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; export PATH'

_PERL = """\
use IO::Socket::IP; use Socket qw(IPPROTO_TCP TCP_NODELAY SHUT_WR);
my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 5) or die "$@\\n";
setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);
sub copy { my ($from, $to) = @_;
  while (1) {
    my $size = sysread($from, my $data, 65536);
    next if !defined $size and $!{EINTR};
    last unless $size;
    for (my $at = 0; $at < $size;) {
      my $took = syswrite($to, $data, 65536, $at);
      next if !defined $took and $!{EINTR};
      $at += $took || return } } }
$SIG{CHLD} = sub { alarm LINGER };
my $up = fork; defined $up or die "fork: $!\\n";
if (!$up) { copy(\\*STDIN, $s); shutdown($s, SHUT_WR); exit }
copy($s, \\*STDOUT); close STDOUT; $SIG{CHLD} = 'IGNORE'; kill 'TERM', $up;
""".replace("LINGER", str(_LINGER))

_PYTHON = """\
import os, socket, sys, threading, time
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
except OSError as e:
    sys.exit(str(e))
s.settimeout(None)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def up():
    try:
        for d in iter(lambda: os.read(0, 65536), b""):
            s.sendall(d)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    time.sleep(LINGER)
    os._exit(0)
t = threading.Thread(target=up)
t.daemon = True
t.start()
try:
    for d in iter(lambda: s.recv(65536), b""):
        while d:
            d = d[os.write(1, d):]
except OSError:
    pass
os._exit(0)
""".replace("LINGER", str(_LINGER))

# Two copies share one socket, so it can't be closed for sending alone: the end of the input ends the
# connection, after a moment for an answer that is under way. Each is a group (set -m), so that whichever
# ends first can have the other one killed with all that it runs.
_BASH = """\
exec 3<>"/dev/tcp/$0/$1" 4<&0 || exit 1
set -m
trap 'kill -- -$up -$down 2>/dev/null; exit 0' TERM HUP
{ cat <&4 >&3; sleep 0.3; kill $$; } 2>/dev/null & up=$!
{ cat <&3 4<&-; kill $$; } 2>/dev/null & down=$!
exec 3>&- 4<&- 0</dev/null
wait
"""

# {fd,0,1} needs -noinput up to OTP 27. No distribution, no dump; as small as can be.
_ERLANG = """\
[H,P]=init:get_plain_arguments(),F=case lists:member($:,H) of true->[inet6];false->[]end,
O=[binary,{active,once},{nodelay,true},{exit_on_close,false}|F],
case gen_tcp:connect(H,list_to_integer(P),O,5000) of
{error,E}->io:format(standard_error,"~s~n",[inet:format_error(E)]),halt(1);
{ok,S}->I=open_port({fd,0,1},[binary,stream,eof]),
L=fun L(T)->receive
{I,{data,D}}->gen_tcp:send(S,D),L(T);
{I,eof}->gen_tcp:shutdown(S,write),L(LINGER);
{tcp,S,D}->port_command(I,D),inet:setopts(S,[{active,once}]),L(T);
{tcp_closed,S}->halt(0);
{tcp_error,S,_}->halt(0)
after T->halt(0) end end,L(infinity) end.
""".replace("\n", "").replace("LINGER", str(_LINGER * 1000))
# What is in the environment for the node is not for this one: it must not become a node itself.
_BARE = "unset ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS ERL_LIBS; export ERL_CRASH_DUMP_SECONDS=0 HOME=${HOME:-/}"
_SMALL = "-noinput +S 1:1 +A 1 +sbwt none"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where a node's own Erlang lies: the directory of ``erlexec``, the root, and that of its boot file."""

    bindir: str = ""
    root: str = ""
    boot: str = ""


UNKNOWN = Runtime()


@dataclass(frozen=True, slots=True)
class Carrier:
    """One of the tools. ``test`` is what `sh` finds out by whether it is there and fit."""

    name: str
    test: str
    argv: Callable[[str, str, Runtime], list[str]]


def _socat(host: str, port: str, _: Runtime) -> list[str]:
    """It can end its output alone, but not its standard error, which sshd and engines wait for as well.
    So it has to end soon after either side did: half a second without a byte.
    """
    where = f"TCP6:[{host}]" if ":" in host else f"TCP:{host}"
    return ["socat", "-t", "0.5", "-", f"{where}:{port},nodelay"]


def _erl(host: str, port: str, _: Runtime) -> list[str]:
    start = f'{_BARE}; exec erl -boot no_dot_erlang {_SMALL} -eval "$0" -extra "$@"'
    return ["sh", "-c", start, _ERLANG, host, port]


def _erlexec(host: str, port: str, runtime: Runtime) -> list[str]:
    find = f'boot=$({_FIND_BOOT}); export BINDIR="$0" ROOTDIR="$1" EMU=beam PROGNAME=erl; code=$3; lib=$1/lib'
    start = f'exec "$0/erlexec" -boot "$boot" -boot_var RELEASE_LIB "$lib" {_SMALL} -eval "$code" -extra "$@"'
    command = f"{_BARE}; {find}; shift 3; {start}"
    return ["sh", "-c", command, runtime.bindir, runtime.root, runtime.boot, _ERLANG, host, port]


# A release need not have the boot file that erl itself starts with, but one of these that starts nothing.
_FIND_BOOT = (
    'for b in "$2/start_clean" "$1/bin/no_dot_erlang" "$1/bin/start_clean"; do '
    '[ ! -f "$b.boot" ] || { echo "$b"; break; }; done'
)
CARRIERS = (
    Carrier("nc", "nc --help 2>&1 | grep -q BusyBox", lambda host, port, _: ["nc", host, port]),
    Carrier(
        "perl",
        "perl -MIO::Socket::IP -MErrno -e 1",
        lambda host, port, _: ["perl", "-e", _PERL, host, port],
    ),
    Carrier("socat", "command -v socat", _socat),
    Carrier("python3", "python3 -c 1", lambda host, port, _: ["python3", "-c", _PYTHON, host, port]),
    Carrier(
        "bash",
        "command -v cat && command -v sleep && bash -c :",
        lambda host, port, _: ["bash", "-c", _BASH, host, port],
    ),
    Carrier("erl", "command -v erl", _erl),
    Carrier("erlexec", f'[ -x "$0/erlexec" ] && [ -n "$({_FIND_BOOT})" ]', _erlexec),
)
"""In the order of what they cost; socat costs least, but its ends come late."""


def probe(runtime: Runtime = UNKNOWN) -> list[str]:
    """A command that writes the name of the cheapest carrier there, or nothing."""
    tests = (f"{{ {one.test}; }} >/dev/null 2>&1 && echo {one.name} && exit" for one in CARRIERS)
    script = "\n".join([WIDER, *tests, "exit 0"])
    return ["sh", "-c", script, runtime.bindir, runtime.root, runtime.boot]


def line(name: str, host: str, port: int, runtime: Runtime = UNKNOWN) -> list[str]:
    """The command that carries a connection to ``host:port``, by the carrier of this name.

    Raises ValueError for a name that is none, and for a host that could mean anything else.
    """
    if not _HOST.fullmatch(host):
        raise ValueError(host)
    carrier = next((one for one in CARRIERS if one.name == name), None)
    if carrier is None:
        raise ValueError(name)
    return widened(carrier.argv(host, str(port), runtime))


def widened(argv: Sequence[str]) -> list[str]:
    """The command, found where a login shell would look as well."""
    return ["sh", "-c", f'{WIDER}; exec "$0" "$@"', *argv]
