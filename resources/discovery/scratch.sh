# Starts an Erlang node for trying things out. Run as `sh -c TEXT sh SHORT PORT`; POSIX sh, busybox too.
# The cookie comes as the first line of standard input, then a byte now and then: at the end of
# input, or after 25 s without one, the node ends. It writes no file and starts no epmd.
short=$1 port=$2
more="$HOME/.asdf/shims:$HOME/.local/share/mise/shims:$HOME/.nix-profile/bin:/usr/local/bin:/usr/bin:/bin"
PATH="$PATH:$more:/usr/lib/erlang/bin:/usr/local/lib/erlang/bin:/opt/erlang/bin:/opt/homebrew/bin"
export PATH
# What a login shell would find comes first: version managers are often set up only there.
erl=$("${SHELL:-/bin/sh}" -lc 'command -v erl' </dev/null 2>/dev/null | tail -n 1)
case $erl in /*) ;; *) erl=$(command -v erl) ;; esac
for each in "$HOME"/.kerl/installs/*/bin/erl "$HOME"/.asdf/installs/erlang/*/bin/erl; do
    [ -n "$erl" ] || { [ -x "$each" ] && erl=$each; }
done
if [ -z "$erl" ]; then
    echo 'spyglass none'
    exit 1
fi
ERL_CRASH_DUMP_SECONDS=0 # a node that fails leaves no file behind
export ERL_CRASH_DUMP_SECONDS
# The cookie on the command line belongs to nobody: without one the VM would read or create a file.
# It is replaced before the node can be known to anyone.
exec "$erl" -boot no_dot_erlang -noinput -start_epmd false -erl_epmd_port "$port" \
    -setcookie "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" \
    -kernel inet_dist_listen_min "$port" inet_dist_listen_max "$port" \
    -eval '
In = open_port({fd, 0, 1}, [binary, stream, eof]),
First = fun(More, Had) ->
    case binary:split(Had, <<"\n">>) of
        [Cookie, _] -> Cookie;
        _ -> receive
                 {In, {data, Data}} -> More(More, <<Had/binary, Data/binary>>);
                 {In, eof} -> halt(1)
             after 25000 -> halt(1)
             end
    end
end,
Cookie = binary_to_atom(First(First, <<>>), latin1),
Elixir = fun(none) -> false;
            (Found) ->
                Real = case file:read_link_all(Found) of
                           {ok, Link} -> filename:absname(Link, filename:dirname(Found));
                           _ -> Found
                       end,
                Home = filename:dirname(filename:dirname(Real)),
                [code:add_pathz(Ebin) || Ebin <- filelib:wildcard(filename:join([Home, "lib", "*", "ebin"]))],
                element(1, application:ensure_all_started(elixir)) =:= ok
         end,
WithElixir = (catch Elixir(case os:find_executable("elixir") of false -> none; Path -> Path end)) =:= true,
{ok, _} = net_kernel:start([list_to_atom(hd(init:get_plain_arguments())), shortnames]),
true = erlang:set_cookie(node(), Cookie),
port_command(In, io_lib:format("spyglass ~s ~s ~s~n", [node(), erlang:system_info(otp_release), WithElixir])),
Stay = fun(Again) ->
    receive {In, {data, _}} -> Again(Again); {In, eof} -> halt(0)
    after 25000 -> halt(0)
    end
end,
Stay(Stay).' -extra "$short"
