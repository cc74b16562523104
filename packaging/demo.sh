#!/bin/bash
# Show Observer on a node behind a server of our own; called by `make demo` after the set-up.
#
# With a display: Spyglass's window opens. Without one: a display that nobody sees, and a picture of the
# Observer window; status 0 only if that window was on the screen with the node's name in its title.
set -euo pipefail
cd "$(dirname "$0")/.."

picture=build/demo-observer.png
limit=120  # seconds

on_hidden_display() {  # the window manager's log goes with it
  local display
  mkdir -p build
  rm -f "$picture"
  coproc X { exec Xvfb -displayfd 1 -screen 0 1600x1000x24 -nolisten tcp -noreset 2>/dev/null; }
  scrap=$(mktemp -d)
  trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$scrap"' EXIT
  read -r -t 20 display <&"${X[0]}" || { echo "Xvfb did not start." >&2; return 1; }
  export DISPLAY=":$display" GDK_BACKEND=x11 XDG_SESSION_TYPE=x11 NO_AT_BRIDGE=1
  unset WAYLAND_DISPLAY
  XDG_CACHE_HOME="$scrap" openbox --sm-disable >/dev/null 2>&1 &
  timeout --signal=INT "$limit" .venv/bin/spyglass demo --no-window --screenshot "$picture" >&2
  is_png "$picture" || { echo "No picture was made." >&2; return 1; }
  echo "$PWD/$picture"
}

is_png() { [ "$(head -c 8 "$1" 2>/dev/null | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ]; }

if [ "${1:-}" = --on-hidden-display ]; then
  on_hidden_display
elif [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  exec .venv/bin/spyglass demo "$@"
else
  exec dbus-run-session -- "$0" --on-hidden-display
fi
