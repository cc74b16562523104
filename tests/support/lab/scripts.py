"""What the nodes of the fleet are started with, and the script that waits for them."""

VM_ARGS = """\
## Name of the node
-name hello@${{RANCHER_IP}}
## Cookie for distributed erlang
-setcookie {cookie}
-noinput
"""

# What release tools of 2016 did with REPLACE_OS_VARS, in few words.
HELLO = """\
#!/bin/sh
root=/opt/hello
export RANCHER_IP=$(hostname -i)
mkdir -p $root/running-config
sed "s/\\${RANCHER_IP}/$RANCHER_IP/" $root/releases/0.1.0/vm.args > $root/running-config/vm.args
exec erl -boot start_sasl -args_file $root/running-config/vm.args
"""

MEET = """\
others = for n <- 1..3, do: :"mesh@m#{n}"
meet = fn meet ->
  if Enum.all?(others -- [node()], &Node.connect/1) do
    IO.puts("mesh complete")
  else
    Process.sleep(100)
    meet.(meet)
  end
end
meet.(meet)
"""

# Asks each epmd for its names (NAMES_REQ of the Erlang distribution protocol) until all are there.
WAIT = """\
import json, socket, sys, time
missing = {tuple(pair) for pair in json.loads(sys.argv[1])}
end = time.monotonic() + float(sys.argv[2])
def names(address):
    try:
        with socket.create_connection((address, 4369), 1) as epmd:
            epmd.sendall(b"\\0\\1n")
            text = b""
            while block := epmd.recv(4096):
                text += block
    except OSError:
        return set()
    return {line.split()[1].decode() for line in text[4:].splitlines()}
while missing and time.monotonic() < end:
    seen = {address: names(address) for address, _ in missing}
    missing = {(address, name) for address, name in missing if name not in seen[address]}
    time.sleep(0.05)
print(json.dumps(sorted(missing)))
"""

# Asks a distribution port for the node's name: send_name of the Erlang distribution protocol, and its answer.
GREET = """
import socket, struct, sys
name = b"greeter@laptop"
body = b"N" + struct.pack("!QIH", 0x0000000d07df7fbd, 1, len(name)) + name
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as node:
    node.sendall(struct.pack("!H", len(body)) + body)
    heard = b""
    while b"@" not in heard and (block := node.recv(1024)):
        heard += block
    print(heard)
"""
