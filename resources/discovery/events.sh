# What engines tell of containers that come and go, one JSON object a line, as long as standard input is
# open: its end ends the engines' commands as well, so nothing outlives the connection. POSIX sh.
# The first argument is `host`, with the process numbers that are known, where BEAMs outside containers count
# as well; each other one is an engine's command: `docker`, `sudo -n docker`, `env DOCKER_HOST=unix://... docker`.
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
export PATH
exec 3<&0 4>&1 >/dev/null 2>/dev/null

hex='[0-9a-f]'
id8=$hex$hex$hex$hex$hex$hex$hex$hex
id64=$id8$id8$id8$id8$id8$id8$id8$id8
group() { # PID: a line of its control groups, which holds the id of the container that it is in
    line=
    read -r line <"/proc/$1/cgroup"
}

# No command is run for a look, but for `sleep` (and `ps` where there is no Linux).
beams() {
    found=
    if [ ! -r /proc/self/comm ]; then
        found=$(ps -A -o pid= -o comm= | while read -r pid name; do
            case ${name##*/} in beam | beam.*) echo "$pid" ;; esac
        done)
        return
    fi
    for dir in /proc/[0-9]*; do
        name=
        read -r name <"$dir/comm"
        case $name in beam | beam.*) ;; *) continue ;; esac
        group "${dir#/proc/}"
        case $line in *$id64*) [ "$inside" ] || continue ;; esac # its engine tells of that
        found="$found ${dir#/proc/}"
    done
}

watch() { # KNOWN ...
    trap 'kill "$nap"; exit' TERM
    inside= nap= known=$* more=yes
    group self
    case $line in *$id64*) inside=yes ;; esac
    while :; do
        beams
        news=$more # of those that were known at first some may be in containers
        [ "$found" = "$known" ] || news=${more:-die}
        for pid in $found; do
            case " $known " in *[!0-9]"$pid"[!0-9]*) ;; *) news=start ;; esac
        done
        case $news in start | die) printf '{"Type":"host","Action":"%s"}\n' "$news" ;; esac
        known=$found more=
        sleep 4 >/dev/null &
        nap=$!
        wait "$nap"
    done
}

all= watching=
case $1 in host*)
    watch ${1#host} </dev/null >&4 3<&- 4>&- &
    watching=$!
    ;;
esac
shift
set -f # since: what happened while the list was made
filters='--filter type=container --filter type=network'
for event in start die pause unpause rename connect disconnect; do
    filters="$filters --filter event=$event"
done
for engine; do
    case $engine in
        *docker) $engine events --since 3s --format '{{json .}}' $filters </dev/null >&4 3<&- & ;;
        *) $engine events --format '{{json .}}' </dev/null >&4 3<&- & ;;
    esac
    all="$all $!"
done
{
    while read -r _; do :; done
    kill $watching $all
} <&3 4>&- &
guard=$!
exec 3<&- 4>&-
wait ${all:-$watching}
kill "$guard" $watching
