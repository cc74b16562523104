# What engines tell of containers that come and go, one JSON object a line, as long as standard input is
# open: its end ends the engines' commands as well, so nothing outlives the connection. POSIX sh.
# Each argument is an engine's command: `docker`, `sudo -n docker`, `env DOCKER_HOST=unix://... docker`.
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
export PATH
set -f
exec 3<&0 4>&1 >/dev/null 2>/dev/null

filters='--filter type=container --filter type=network'
for event in start die pause unpause rename connect disconnect; do
    filters="$filters --filter event=$event"
done
all=
for engine; do
    case $engine in
        *docker) $engine events --format '{{json .}}' $filters </dev/null >&4 3<&- & ;;
        *) $engine events --format '{{json .}}' </dev/null >&4 3<&- & ;;
    esac
    all="$all $!"
done
{
    while read -r _; do :; done
    kill $all
} <&3 4>&- &
guard=$!
exec 3<&- 4>&-
wait $all
kill "$guard"
