# Spyglass asks Rancher's metadata service. Read by `sh -s` from its standard input; POSIX sh, busybox too.
# One line before this one sets `url`, which is ours. What is not there says nothing.
PATH="$PATH:/usr/local/bin:/usr/bin:/bin"

fetch() {
    if command -v curl; then
        exec >&3
        curl -sf -m 4 -H 'Accept: application/json' "$url"
    elif command -v wget; then
        exec >&3
        wget -q -T 4 -O - --header 'Accept: application/json' "$url"
    fi
}

fetch 3>&1 >/dev/null 2>/dev/null </dev/null
