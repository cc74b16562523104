"""An authentication agent of polkit for tests: ``python polkit_agent.py PID ACCOUNT``.

It registers for one process and speaks for a person in front of the dialog, with a line of its
standard input for each question: an empty one dismisses it, any other is the account's password.
What it was asked is printed as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_call,
    new_method_return,
)
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

AUTHORITY = DBusAddress(
    "/org/freedesktop/PolicyKit1/Authority",
    "org.freedesktop.PolicyKit1",
    "org.freedesktop.PolicyKit1.Authority",
)
PATH = "/org/freedesktop/PolicyKit1/AuthenticationAgent"
CANCELLED = "org.freedesktop.PolicyKit1.Error.Cancelled"
FAILED = "org.freedesktop.PolicyKit1.Error.Failed"
PROVE = "/usr/lib/polkit-1/polkit-agent-helper-1"


def subject(pid: int) -> tuple[str, dict[str, Any]]:
    """A process, as polkit names it: with its start time, so that no later one can be meant."""
    started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return "unix-process", {"pid": ("u", pid), "start-time": ("t", started)}


def proved(account: str, cookie: str, password: str) -> bool:
    """Whether PAM takes the password; polkit's own setuid program asks it, and tells polkit."""
    with subprocess.Popen([PROVE, account], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdin
        assert run.stdout
        run.stdin.write(f"{cookie}\n")
        run.stdin.flush()
        for line in run.stdout:
            if line.startswith("PAM_PROMPT_ECHO_OFF"):
                run.stdin.write(f"{password}\n")
                run.stdin.flush()
            elif line.startswith(("SUCCESS", "FAILURE")):
                return line.startswith("SUCCESS")
    return False


def answer(message: Message) -> Message:
    """What a person's answer to the dialog makes of it."""
    action, text, icon, details, cookie, identities = message.body
    uids = [value["uid"][1] for kind, value in identities if kind == "unix-user"]
    say({"event": "asked", "action": action, "text": text, "icon": icon, "details": details, "uids": uids})
    password = sys.stdin.readline().rstrip("\n")
    if not password:
        return new_error(message, CANCELLED, "s", ("dismissed",))
    if not proved(sys.argv[2], cookie, password):
        return new_error(message, FAILED, "s", ("the password is wrong",))
    return new_method_return(message)


def say(event: dict[str, Any]) -> None:
    """Tell the test."""
    print(json.dumps(event), flush=True)


def main() -> None:
    """Serve until the bus is gone."""
    with open_dbus_connection("SYSTEM") as bus:
        words = (subject(int(sys.argv[1])), "C", PATH)
        done = bus.send_and_get_reply(
            new_method_call(AUTHORITY, "RegisterAuthenticationAgent", "(sa{sv})ss", words)
        )
        if done.header.message_type is MessageType.error:
            raise SystemExit(f"not registered: {done.body}")
        say({"event": "registered"})
        while True:
            message = bus.receive()
            if message.header.fields.get(HeaderFields.member) == "BeginAuthentication":
                bus.send(answer(message))


if __name__ == "__main__":
    main()
