# Spyglass asks where a name is. Read by `sh -s` from its standard input; POSIX sh, busybox too.
# Two lines before this one set `mark` (begins every section, known to nobody else) and `name`,
# which holds letters, digits, dots, hyphens and underscores only. The first tool that is there is asked.
LC_ALL=C
export LC_ALL
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/lib/erlang/bin:/usr/lib/erlang/bin"

part() { printf '\n%s %s\n' "$mark" "$*"; }

have() { command -v "$1" >/dev/null; }

resolve() {
    limit=
    timeout 1 true && limit='timeout 4'
    if have getent; then
        part getent
        $limit getent ahosts "$name"
    elif have nslookup; then
        part nslookup
        $limit nslookup "$name"
    elif have host; then
        part host
        $limit host "$name"
    elif have dig; then
        part dig
        $limit dig +short +search "$name" A "$name" AAAA
    elif have erl; then
        part erl
        $limit erl -noinput -boot no_dot_erlang -eval "
            [io:format(\"~s~n\", [inet:ntoa(A)]) || F <- [inet, inet6],
             {ok, L} <- [inet:getaddrs(\"$name\", F)], A <- L], halt()."
    else
        part none
    fi
    part config
    while read -r word value; do
        case $word in nameserver | search | domain) printf '%s %s\n' "$word" "$value" ;; esac
    done </etc/resolv.conf
    part end
}

resolve </dev/null 2>/dev/null
