#!/bin/bash
# Prepare this checkout: system packages, then .venv.  Usage: setup.sh run|demo|deb|test
# `setup.sh list` prints the packages that running Spyglass needs.
#
# Says what it installs before it does so. Done once, it only looks again (under 0.3 s).
set -euo pipefail
cd "$(dirname "$0")/.."

# What the program needs: a local Erlang with graphics, ssh, and Qt's libraries.
RUN="erlang-base erlang-crypto erlang-ssl erlang-observer erlang-runtime-tools erlang-wx
  openssh-client openssh-server
  libegl1 libgl1 libfontconfig1 libfreetype6 libglib2.0-0 libdbus-1-3 libx11-6 libx11-xcb1 libxcb1
  libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-render0
  libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 libxkbcommon0 libxkbcommon-x11-0"
# What the demo needs besides: a display that nobody has to look at, and a picture of it.
DEMO="$RUN xvfb xauth openbox xdotool imagemagick x11-utils dbus fonts-inter adwaita-icon-theme procps util-linux"
# What building and checking the Debian package needs besides.
DEB="binutils dpkg-dev desktop-file-utils appstream libxml2-utils lintian"
# What the tests need besides: nodes, containers and a network of their own.
TEST="$DEMO $DEB elixir docker.io iptables busybox-static iproute2 gnome-keyring xterm
  sudo socat polkitd pkexec debootstrap
  podman netavark aardvark-dns slirp4netns uidmap rootlesskit fuse-overlayfs"

say() { printf '%s\n' "$*" >&2; }

die() { say "$1"; say "$2"; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# The Python that .venv has, else the first that is new enough and can make virtual environments.
usable_python() {
  local each
  if .venv/bin/python -c '' 2>/dev/null; then echo .venv/bin/python; return; fi
  for each in python3.11 python3.12 python3.13 python3.14 python3 /usr/bin/python3; do
    if "$each" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$each"
      return
    fi
  done
  return 1
}

missing_packages() {
  local installed each
  installed=" $(dpkg-query -W -f '${db:Status-Status}=${Package} ' 2>/dev/null) "
  for each in "$@"; do  # Debian 13 calls some of the libraries name + t64
    case "$installed" in
      *" installed=$each "* | *" installed=${each}t64 "*) ;;
      *) echo "$each" ;;
    esac
  done
}

# Servers that come with a package must neither start now nor at the next boot: this is the person's machine.
install_packages() {
  local policy=/usr/sbin/policy-rc.d ours=
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "These packages are missing: $*" \
    "Install them as root (there is no sudo here), then run the same command again."
  say "To be installed with apt-get$([ "$(id -u)" = 0 ] || echo ' (sudo)'): $*"
  say "No server among them will be started or enabled."
  if [ ! -e $policy ]; then
    ours=yes
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  as_root apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 "$@" </dev/null >&2 ||
    die "apt-get could not install all of them" "See its words above; after that, run the same command again."
  keep_off "$@"
  if [ -n "$ours" ]; then as_root rm -f $policy; trap - EXIT; fi
}

keep_off() {
  local units=()
  [[ " $* " = *" openssh-server "* ]] && units+=(ssh.service ssh.socket)
  [[ " $* " = *" docker.io "* ]] && units+=(docker.service docker.socket containerd.service)
  [[ " $* " = *" podman "* ]] && units+=(podman.service podman.socket podman-auto-update.timer podman-restart.service)
  [[ " $* " = *" erlang-base "* ]] && units+=(epmd.service epmd.socket)
  if [ ${#units[@]} -gt 0 ] && command -v systemctl >/dev/null; then
    as_root systemctl disable --quiet "${units[@]}" 2>/dev/null || true
  fi
}

system_packages() {
  local missing
  if ! command -v apt-get >/dev/null; then
    say "There is no apt-get here; see README for what has to be installed by hand."
    return
  fi
  # shellcheck disable=SC2046,SC2086 # words on purpose
  missing=$(missing_packages $1 $(usable_python >/dev/null || echo python3 python3-venv))
  # shellcheck disable=SC2086
  [ -z "$missing" ] || install_packages $missing
}

environment() {
  local python stamp requirements=(-r packaging/requirements.txt)
  [ "$1" != test ] || requirements+=(-r packaging/requirements-dev.txt)
  python=$(usable_python) || die "There is no Python 3.11 or newer with venv here" "Install one (Debian: python3-venv)."
  stamp=$(
    { pwd; cat packaging/requirements.txt packaging/requirements-dev.txt pyproject.toml; } | sha256sum
  )
  if stamped "$1" "$stamp"; then return; fi
  say "Making .venv with $("$python" --version) ..."
  [ "$python" = .venv/bin/python ] || "$python" -m venv --clear .venv
  export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
  .venv/bin/python -m pip install --quiet --no-deps "${requirements[@]}" >&2
  .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . >&2
  .venv/bin/python -m pip check >&2
  unpack_qt
  printf '%s\n' "$stamp" >".venv/.stamp-$1"
}

# PySide6 carries its own Python modules zipped, and compiles them anew at each start unless they are
# unpacked (SBK_EMBED, its own switch for that): 15 ms of ours.
unpack_qt() {
  SBK_EMBED=0 .venv/bin/python -c 'import shiboken6' >&2
  .venv/bin/python -c 'import compileall, pathlib, shiboken6
compileall.compile_dir(pathlib.Path(shiboken6.__file__).with_name("files.dir"), quiet=1)' >&2
}

# Whether .venv has been made from the same files, for the same purpose or a larger one.
stamped() {
  local kind
  for kind in "$1" test; do
    if [ -x .venv/bin/spyglass ] && [ "$(cat ".venv/.stamp-$kind" 2>/dev/null)" = "$2" ]; then return 0; fi
  done
  return 1
}

case "${1:-}" in
  list) echo $RUN; exit ;;
  run) system_packages "$RUN" ;;
  demo) system_packages "$DEMO" ;;
  deb) system_packages "$DEB" ;;
  test) system_packages "$TEST" ;;
  *) die "Usage: $0 run|demo|deb|test|list" "" ;;
esac
environment "$1"
