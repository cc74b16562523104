"""A stand-in for nerdctl, which no package brings here: its words, over a Podman with a store of its own.

What matters is kept as nerdctl has it: ``ps -q --no-trunc``, ``inspect`` objects that know no HostConfig and
call networks ``unknown-eth0`` (its package ``dockercompat``), a template that fails where a field is missing.
"""

from __future__ import annotations

SHIM = r"""#!/usr/bin/python3
import json, os, subprocess, sys

STORE = [f"--root={os.environ['HOME']}/nerd", f"--runroot=/run/user/{os.getuid()}/nerd"]
PODMAN = ["/usr/bin/podman", "--runtime=runc", *STORE]


def compat(one):
    ports = {k: v for k, v in (one["NetworkSettings"]["Ports"] or {}).items() if v}
    return {
        "Id": one["Id"], "Created": one["Created"], "Path": one["Path"], "Args": one["Args"],
        "State": {"Status": "running", "Running": True, "Paused": False, "Restarting": False,
                  "Pid": one["State"]["Pid"], "ExitCode": 0, "Error": "", "FinishedAt": ""},
        "Image": one["ImageName"], "Name": one["Name"], "RestartCount": 0, "Driver": "overlayfs",
        "Platform": "linux", "AppArmorProfile": "", "Mounts": None,
        "Config": {"Hostname": one["Config"]["Hostname"], "AttachStdin": False,
                   "Labels": {"nerdctl/name": one["Name"], "nerdctl/namespace": "default"}},
        "NetworkSettings": {"Ports": ports, "IPAddress": "10.4.0.2", "IPPrefixLen": 24, "MacAddress": "",
                            "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0,
                            "Networks": {"unknown-eth0": {
                                "IPAddress": "10.4.0.2", "IPPrefixLen": 24, "GlobalIPv6Address": "",
                                "GlobalIPv6PrefixLen": 0, "MacAddress": ""}}},
    }


def inspect(words):
    shape = words[words.index("--format") + 1]
    names = [w for i, w in enumerate(words) if not w.startswith("--") and not words[i - 1].startswith("--")]
    if "HostConfig" in shape:
        sys.exit("FATA[0000] can't evaluate field HostConfig in type *dockercompat.Container")
    for name in names:
        told = subprocess.run([*PODMAN, "inspect", "--type=container", name], capture_output=True)
        if told.returncode:
            sys.exit(f"FATA[0000] no such container: {name}")
        one = compat(json.loads(told.stdout)[0])
        short = shape.replace("{{json .ID}}", json.dumps(one["Id"]))
        short = short.replace("{{json .State.Pid}}", str(one["State"]["Pid"]))
        print(json.dumps(one) if shape == "{{json .}}" else short)


if sys.argv[1] == "inspect":
    inspect(sys.argv[2:])
elif sys.argv[1] == "cp":
    sys.exit("FATA[0000] support for reading a tar archive from stdin or to stdout is not implemented yet")
else:
    os.execv(PODMAN[0], [*PODMAN, *sys.argv[1:]])
"""
