"""A stand-in for kubectl, as no cluster runs here: its words and its PodList, over the lab's containers.

A container with the label ``pod=NAMESPACE/NAME/CONTAINER`` is one of a pod. With the label ``afar`` its pod
has an address that nothing routes to, so that only ``port-forward`` leads there.
"""

from __future__ import annotations

SHIM = r"""#!/usr/bin/python3
import json, os, socket, subprocess, sys, threading

DOCKER = "/usr/bin/docker"


def docker(*words):
    return subprocess.run([DOCKER, *words], capture_output=True, text=True, check=True).stdout


def containers():
    ids = docker("ps", "-q", "--filter", "label=pod").split()
    return json.loads(docker("inspect", *ids)) if ids else []


def home(one):
    return one["Config"]["Labels"]["pod"].split("/")


def address(one):
    return next(n["IPAddress"] for n in one["NetworkSettings"]["Networks"].values())


def pod(ones):
    namespace, name, _ = home(ones[0])
    labels = ones[0]["Config"]["Labels"]
    ip = "10.244.3.9" if "afar" in labels else address(ones[0])
    env = [{"name": e.split("=", 1)[0], "value": e.split("=", 1)[1]} for e in ones[0]["Config"]["Env"]]
    env.append({"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}})
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": namespace, "uid": "1b4c9a4e-64e7-4e3c-9d2b-6f5c2f8a3d10",
            "generateName": "shop-6d4b75cb6d-", "resourceVersion": "21903",
            "creationTimestamp": "2026-11-20T08:11:12Z",
            "labels": {"app": labels.get("app", name), "pod-template-hash": "6d4b75cb6d"},
            "managedFields": [{"manager": "kube-controller-manager", "operation": "Update",
                               "fieldsType": "FieldsV1",
                               "fieldsV1": {"f:metadata": {"f:labels": {".": {}}}}}],
        },
        "spec": {
            "nodeName": "worker-1", "restartPolicy": "Always", "hostNetwork": False,
            "containers": [{"name": home(o)[2], "image": o["Config"]["Image"], "env": env,
                            "ports": [{"containerPort": 4000, "protocol": "TCP"}]} for o in ones],
        },
        "status": {
            "phase": "Running", "hostIP": "10.99.0.1", "podIP": ip, "podIPs": [{"ip": ip}],
            "containerStatuses": [
                {"name": home(o)[2], "ready": True, "restartCount": 0, "image": o["Config"]["Image"],
                 "imageID": "docker.io/library/x@sha256:" + "0" * 64,
                 "containerID": "containerd://" + o["Id"],
                 "state": {"running": {"startedAt": "2026-11-20T08:11:14Z"}}} for o in ones
            ],
        },
    }


def get(words):
    if "--all-namespaces" in words and os.environ.get("USER") == "nodocker":
        sys.exit('Error from server (Forbidden): pods is forbidden: User "x" cannot list resource "pods"')
    wanted = next((w.partition("=")[2] for w in words if w.startswith("--namespace=")), "")
    pods = {}
    for one in containers():
        if not wanted or home(one)[0] == wanted:
            pods.setdefault(tuple(home(one)[:2]), []).append(one)
    items = [pod(sorted(ones, key=lambda o: home(o)[2])) for ones in pods.values()]
    told = {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}
    print(json.dumps(told, indent=4))


def find(namespace, name, container=""):
    fitting = [o for o in containers() if home(o)[:2] == [namespace, name] and container in ("", home(o)[2])]
    fitting.sort(key=lambda o: not o["NetworkSettings"]["Networks"])  # the pod's network is one container's
    if not fitting:
        sys.exit(f'Error from server (NotFound): pods "{name}" not found')
    return fitting[0]


def options(words):
    return {w.partition("=")[0]: w.partition("=")[2] for w in words if w.startswith("--")}


def execute(words):
    mine, argv = words[: words.index("--")], words[words.index("--") + 1 :]
    name = next(w for w in mine if not w.startswith("--"))
    one = find(options(mine)["--namespace"], name, options(mine)["--container"])
    os.execv(DOCKER, [DOCKER, "exec", *(["-i"] if "--stdin" in mine else []), one["Id"], *argv])


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def forward(words):
    name, port = (w for w in words if not w.startswith("--"))
    one, port = find(options(words)["--namespace"], name.removeprefix("pod/")), int(port.lstrip(":"))
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"Forwarding from 127.0.0.1:{listener.getsockname()[1]} -> {port}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    while True:
        near = listener.accept()[0]
        print(f"Handling connection for {listener.getsockname()[1]}", flush=True)
        far = socket.create_connection((address(one), port))
        for pair in ((near, far), (far, near)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


rest = [w for w in sys.argv[1:] if not w.startswith("--context=")]
{"get": get, "exec": execute, "port-forward": forward}[rest[0]](rest[1:])
"""
