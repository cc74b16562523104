# Spyglass looks for BEAM nodes. Read by `sh -s` from its standard input; POSIX sh, busybox too.
# It only reads: no file is written, nothing is started that outlives it.
# Three lines before this one set `mark` (begins every section, known to nobody else), `nosudo` (engines
# that sudo refused before) and `mode`:
# "host" asks the container engines as well, "inside" looks at one container from within.
LC_ALL=C
export LC_ALL
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"

# One JSON object a container. Of the environment only what discovery needs leaves the server:
# `split` with one part or more tells whether a name holds a word.
some='{{range .Config.Env}}{{$k := index (split . "=") 0}}'
some=$some'{{if or (gt (len (split $k "COOKIE")) 1) (gt (len (split $k "RELEASE_")) 1)'
some=$some' (gt (len (split $k "NODE")) 1) (eq $k "ERL_EPMD_PORT") (eq $k "HOME")}}{{json .}},{{end}}{{end}}'
first='{"Id":{{json .ID}},"Pid":{{json .State.Pid}},'
shape=$first'"Name":{{json .Name}},"Image":{{json .Config.Image}},"Paused":{{json .State.Paused}},'
shape=$shape'"Hostname":{{json .Config.Hostname}},"Labels":{{json .Config.Labels}},'
shape=$shape'"Mode":{{json .HostConfig.NetworkMode}},"Networks":{{json .NetworkSettings.Networks}},'
shape=$shape'"Ports":{{json .NetworkSettings.Ports}},"Env":['$some'null]}'

hex='[0-9a-f]'
id8=$hex$hex$hex$hex$hex$hex$hex$hex
id64=$id8$id8$id8$id8$id8$id8$id8$id8

part() { printf '\n%s %s\n' "$mark" "$*"; }

lines() { while IFS= read -r line; do printf '%s\n' "$line"; done; }

# A way to an engine is its command, alone or after some words (sudo, or env with a socket). `kind` says
# whether its containers' addresses can be reached from here (rootful) or lie in a network of its own.
engine() { # NAME KIND [WORD ...]: what it tells this way; $all is its list, or why there is none
    name=$1 kind=$2
    shift 2
    all=$($limit "$@" "$name" ps -q --no-trunc 2>&1) || return 1
    [ "$all" != "$known" ] || return 0 # the same engine once more
    ids=
    for id in $all; do # among words of warning
        case $id in $id64) ids="$ids $id" ;; esac
    done
    part engine "$name $kind $*"
    [ -n "$ids" ] || return 0
    found=$($limit "$@" "$name" inspect --format "$shape" $ids)
    pids=$found
    case $found in
        *'null]}') ;;
        *) # nerdctl does not know all of that
            found=$($limit "$@" "$name" inspect --format '{{json .}}' $ids)
            pids=$($limit "$@" "$name" inspect --format "$first" $ids)
            ;;
    esac
    printf '%s\n' "$found"
    part visible "$name"
    printf '%s\n' "$pids" | sed -n 's/^{"Id":"\([0-9a-f]*\)","Pid":\([0-9]*\),.*/\1 \2/p' |
        while read -r id pid; do ! seen "$id" "$pid" || echo "$id"; done
}

docker_engines() {
    command -v docker >/dev/null || return 0
    known=- own="/run/user/$uid/docker.sock"
    [ -S "$own" ] && engine docker rootless env "DOCKER_HOST=unix://$own" && known=$all
    if engine docker rootful; then
        # its configuration may mean the rootless one, where root's is open as well
        [ "$all" = "$known" ] && [ -w /var/run/docker.sock ] &&
            engine docker rootful env DOCKER_HOST=unix:///var/run/docker.sock
    else
        by_sudo docker "$all"
    fi
}

podman_engines() { # only where that starts nothing that stays: podman.sh, which comes before this
    command -v podman >/dev/null || return 0
    known=- all=
    if [ "$uid" = 0 ]; then
        ! podman_roots || engine podman rootful || refused podman "$all"
        return 0
    fi
    if podman_own; then
        engine podman rootless || refused podman "$all"
        known=$all
    fi
    podman_roots && with_sudo podman
}

nerdctl_engines() {
    command -v nerdctl >/dev/null || return 0
    known=- kind=rootful
    [ "$uid" = 0 ] || kind=rootless
    engine nerdctl $kind || by_sudo nerdctl "$all"
}

by_sudo() { # NAME WORDS: what it said without
    with_sudo "$1" || [ "$known" != - ] || refused "$1" "$2"
}

with_sudo() { # NAME: root's engine. A refusal stands in the server's log, so it is asked for only once
    [ "$uid" != 0 ] && command -v sudo >/dev/null || return 1
    case " $nosudo " in *" $1 "*) return 1 ;; esac
    engine "$1" rootful sudo -n && return 0
    case $all in sudo:*) part nosudo "$1" ;; esac
    return 1
}

refused() { # NAME WORDS
    part trouble "$1"
    printf '%s\n' "$2"
}

seen() { # ID PID: whether the container's first process stands in this /proc
    while read -r line; do
        case $line in *"$1"*) return 0 ;; esac
    done <"/proc/$2/cgroup"
    [ $kind = rootless ] || return 1 # without control groups (cgroup v1) its own process numbers tell
    while read -r word value; do
        case $word$value in NSpid:*[!0-9]1) return 0 ;; esac
    done <"/proc/$2/status"
    return 1
}

beams() {
    every=
    for dir in /proc/[0-9]*; do
        name=
        read -r name <"$dir/comm"
        case $name in beam | beam.*) every="$every ${dir#/proc/}"; beam "${dir#/proc/}" ;; esac
    done
    networks $every
}

networks() { # PID ...: what listens in their networks, and their local addresses
    tables= tries=
    for pid; do
        tables="$tables /proc/$pid/net/tcp /proc/$pid/net/tcp6"
        tries="$tries /proc/$pid/net/fib_trie"
    done
    part listening
    [ -z "$tables" ] || grep -H ' 0A ' $tables
    part tries
    grep -H -e '|-- [1-9]' -e 'host LOCAL' /proc/self/net/fib_trie $tries
}

# A command costs milliseconds and a server may run many nodes, so what can be is left to the
# shell itself, and to one filter for all: of an environment only what discovery needs leaves
# the server, and of open files only the sockets.
wanted() {
    sed -n -e "/^$mark environ /,/^$mark [^e]/{
/^$mark /!{
/^RELEASE_/p
/^ERL_[A-Z]*FLAGS=/p
/^ERL_EPMD_PORT=/p
/^[A-Za-z0-9_]*COOKIE[A-Za-z0-9_]*=/p
/^VMARGS_PATH=/p
/^HOME=/p
d
}
}" -e "/^$mark sockets /,/^$mark done /{
/^$mark /!{
s/.*socket:\[\([0-9]*\)\].*/\1/p
d
}
}" -e p
}

beam() { # PID
    part beam "$1"
    spaces=
    while read -r word value; do
        case $word in
            Uid:)
                printf '%s %s\n' "$word" "$value"
                owner=${value%%[!0-9]*}
                ;;
            PPid:) parent=$value ;;
            NSpid:) spaces=$value ;; # one number for each process namespace that it is in
        esac
    done <"/proc/$1/status"
    part cgroup "$1"
    group=
    while IFS= read -r line; do
        printf '%s\n' "$line"
        group="$group$line|"
    done <"/proc/$1/cgroup"
    case $group in *$id64*) ;; *)
        case $spaces in *[!0-9]*) part ancestors "$1"; ancestors "$1" "$parent" ;; esac ;;
    esac
    part uidmap "$1"
    lines <"/proc/$1/uid_map"
    part cmdline "$1"
    tr '\n\000' '\001\n' <"/proc/$1/cmdline"
    if here; then files "$1"; fi
    if [ -r "/proc/$1/environ" ]; then
        part environ "$1"
        tr '\n\000' '\001\n' <"/proc/$1/environ"
    fi
    if [ -r "/proc/$1/fd" ]; then
        part sockets "$1"
        ls -l "/proc/$1/fd"
    fi
    part done "$1"
}

ancestors() { # PID PARENT: a container without control groups is known by its first process
    echo "$1"
    up=$2
    while [ "${up:-0}" -gt 1 ]; do
        echo "$up"
        one=$up up=
        while read -r word value; do
            case $word in PPid:) up=$value; break ;; esac
        done <"/proc/$one/status"
    done
}

here() { # whether the process sees the same files as this script
    [ "$mode" = inside ] && return 0
    case $spaces in *[!0-9]*) return 1 ;; esac
    case $group in *$id64*) [ "$group" = "$ours" ] ;; esac
}

files() { # PID: where its cookie may lie
    {
        tr '\000' '\n' <"/proc/$1/cmdline"
        [ -r "/proc/$1/environ" ] && tr '\000' '\n' <"/proc/$1/environ"
    } | {
        root= boot= home= release= args= last=
        while IFS= read -r word; do
            case $last in
                -root) root=$word ;;
                -boot) boot=$word ;;
                -home) home=$word ;;
            esac
            case $word in
                RELEASE_ROOT=*) release=${word#*=} ;;
                RELEASE_VM_ARGS=* | VMARGS_PATH=*) args=${word#*=} ;;
            esac
            last=$word
        done
        cwd="/proc/$1/cwd"
        for path in "${release:-/nowhere}/releases/COOKIE" "${boot%/*/*}/COOKIE" "$root/releases/COOKIE"; do
            file COOKIE "$1" "$path" && break
        done
        for path in "$args" "${boot%/*}/vm.args" "$root"/releases/*/vm.args "$cwd/vm.args" "$root/etc/vm.args" \
            /vm.args /etc/vm.args /etc/*/vm.args /app/vm.args /opt/*/vm.args /opt/*/releases/*/vm.args "$home/vm.args"; do
            file vm.args "$1" "$path"
        done
        for path in "$home/.erlang.cookie" "$home/.config/erlang/.erlang.cookie"; do
            file .erlang.cookie "$1" "$path" && break
        done
    }
}

# Somebody else's process may name any path, and the script may run as root: only what the
# process's owner could read for themselves is read.
file() { # KIND PID PATH
    [ -f "$3" ] && [ -r "$3" ] || return 1
    if [ "$mode" = host ]; then
        set -- "$1" "$2" "$3" $(ls -lnL "$3")
        [ "$6" = "$owner" ] || case $4 in ???????r*) ;; *) return 1 ;; esac
    fi
    part file "$2 $1"
    case $1 in
        vm.args) sed -n -e '/^[[:blank:]]*-setcookie[[:blank:]]/p' "$3" ;;
        *) dd if="$3" bs=512 count=1 ;;
    esac
}

look() {
    part facts
    uname -n
    id -u
    id -un
    uname -s
    if [ -r /proc/1/comm ]; then echo proc; else echo hidden; fi
    if [ ! -r /proc/1/comm ] && [ -r "$HOME/.erlang.cookie" ]; then
        part beam - # no processes to be seen: as if one of our own account had told of its home
        part file '- .erlang.cookie'
        dd if="$HOME/.erlang.cookie" bs=512 count=1
    fi
    part ours
    ours=
    while IFS= read -r line; do
        printf '%s\n' "$line"
        ours="$ours$line|"
    done </proc/self/cgroup
    limit=
    if [ "$mode" = host ]; then
        timeout 1 true && limit='timeout 8'
        # side by side without a temporary file: what an engine says waits in its pipe
        uid=$(id -u)
        docker_engines | { podman_engines | { nerdctl_engines | { beams | wanted; lines; }; lines; }; lines; }
    else
        beams | wanted
    fi
    part end
}

look </dev/null 2>/dev/null
