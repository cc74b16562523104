# Whether asking Podman leaves nothing behind. Its command, whatever it is asked, makes some thirty files
# and starts a process that stays and holds the account's user namespace (the "pause process" of
# podman-system-migrate(1)). Both are there already where the account runs containers. POSIX sh, busybox too.
podman_own() { # whether this account, if it is not root, uses Podman now
    me=$(id -u)
    for run in "${XDG_RUNTIME_DIR:-/nowhere}" "/run/user/$me" "/tmp/podman-run-$me" "/tmp/storage-run-$me" \
        "/tmp/run-$me"; do
        # a container's monitor without that process: Podman starts it anew, as at its owner's next command
        for file in "$run/libpod/tmp/pause.pid" "$run/libpod/pause.pid" "$run"/containers/*-containers/*/userdata/conmon.pid; do
            holder=
            [ -r "$file" ] && read -r holder <"$file"
            case $holder in '' | *[!0-9]*) continue ;; esac
            read -r holder <"/proc/$holder/comm" || continue
            case $holder in podman* | catatonit* | conmon*) return 0 ;; esac
        done
    done
    return 1
}

podman_roots() { [ -d /var/lib/containers/storage ] || [ -d /run/containers/storage ]; }
