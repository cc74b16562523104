%% A shell in this terminal that runs on a remote node: iex where the node has Elixir,
%% Erlang's own shell otherwise. Nothing of Elixir is needed here.
%%
%% Where to go comes through an inherited descriptor (`-spyglass_fd N': node, port and
%% cookie, one line each), so that it stands in no command line and no environment.
%%
%% Between the remote shell and our terminal stands a guard, the group leader of that
%% shell. In a remote shell `q().', `System.halt' or a terminal that hangs up would stop
%% the node, not the shell: the guard sees what is read and ends only us. It also sends
%% requests for completion back to where the code for it is.
-module(spyglass_shell).

-export([start/0, remote/2]).

-define(COMPLETION_LIMIT_MS, 3000).
-define(CALL_LIMIT_MS, 10000).
%% The first release in which the terminal is started by shell:start_interactive/1.
-define(INTERACTIVE, 26).

%% @doc The entry point (`-run spyglass_shell'), for a node started with -noinput.
start() ->
    spawn(fun run/0).

run() ->
    {Name, Port, Cookie} = told(),
    Node = list_to_atom(Name),
    spyglass_epmd:add_route(Name, Port),
    erlang:set_cookie(Node, Cookie),
    net_kernel:monitor_nodes(true, [{node_type, all}]),
    net_kernel:connect_node(Node) =:= true orelse leave(1, [Name, " did not let us join"]),
    terminal({?MODULE, remote, [Node, elixir(Node)]}),
    receive
        {nodedown, Node, _} -> leave(1, [Name, " is gone"])
    end.

told() ->
    {ok, [[Number]]} = init:get_argument(spyglass_fd),
    Descriptor = list_to_integer(Number),
    Lines = read(open_port({fd, Descriptor, Descriptor}, [in, binary, eof]), <<>>),
    [Name, Port, Cookie | _] = binary:split(Lines, <<"\n">>, [global]),
    {unicode:characters_to_list(Name), binary_to_integer(Port), binary_to_atom(Cookie, utf8)}.

read(Port, Before) ->
    receive
        {Port, {data, Data}} -> read(Port, <<Before/binary, Data/binary>>);
        {Port, eof} -> port_close(Port), Before
    end.

terminal(Shell) ->
    case list_to_integer(erlang:system_info(otp_release)) >= ?INTERACTIVE of
        true -> ok = shell:start_interactive(Shell);
        false -> user_drv:start(['tty_sl -c -e', Shell])
    end.

%% How to start iex there, or `none'. IEx.start/2 became iex:start/2 in newer versions.
elixir(Node) ->
    Starts = [{'Elixir.IEx', start, [[], {'Elixir.IEx', dont_display_result, []}]},
              {iex, start, [[], {elixir_utils, noop, []}]}],
    case [Start || Start <- Starts, exported(Node, Start)] of
        [Start | _] -> Start;
        [] -> none
    end.

exported(Node, {Module, Function, Args}) ->
    _ = rpc:call(Node, code, ensure_loaded, [Module], ?CALL_LIMIT_MS),
    true =:= rpc:call(Node, erlang, function_exported, [Module, Function, length(Args)], ?CALL_LIMIT_MS).

%% @doc Called by the terminal's group process, with itself as group leader: start the
%% shell on the node, with the guard as its group leader; return the shell.
remote(Node, Elixir) ->
    Terminal = group_leader(),
    Guard = spawn(fun() ->
        io:setopts(Terminal, [{expand_fun, completion(Node, fun edlin_expand:expand/1)}]),
        guard(Terminal, Node, #{})
    end),
    group_leader(Guard, self()),
    {Module, Function, Args} = shell(Elixir),
    rpc:call(Node, Module, Function, Args).

shell(none) -> {shell, start, []};
shell(Elixir) -> Elixir.

guard(Terminal, Node, Asked) ->
    receive
        {io_request, From, ReplyAs, Request} ->
            Id = make_ref(),
            Terminal ! {io_request, self(), Id, passed(Node, Request)},
            guard(Terminal, Node, Asked#{Id => {From, ReplyAs, Request}});
        {io_reply, Id, Reply} ->
            {{From, ReplyAs, Request}, Rest} = maps:take(Id, Asked),
            reads(Request) andalso leaving(Reply) andalso leave(0, ["Left; ", atom_to_list(Node), " goes on"]),
            From ! {io_reply, ReplyAs, Reply},
            guard(Terminal, Node, Rest);
        _ ->
            guard(Terminal, Node, Asked)
    end.

%% A function for completion comes from the node and runs there, as its code is only there.
passed(Node, {setopts, Options}) when is_list(Options) ->
    {setopts, [case Option of
                   {expand_fun, Expand} when is_function(Expand) -> {expand_fun, completion(Node, Expand)};
                   _ -> Option
               end || Option <- Options]};
passed(_Node, Request) -> Request.

completion(Node, Expand) ->
    fun(Before) ->
        case rpc:call(Node, erlang, apply, [Expand, [Before]], ?COMPLETION_LIMIT_MS) of
            {badrpc, _} -> {no, "", []};
            Completion -> Completion
        end
    end.

reads(Request) when is_tuple(Request) ->
    lists:member(element(1, Request), [get_line, get_until, get_chars]);
reads(_) -> false.

%% Whether what was read would end the node that runs the shell.
leaving(eof) -> true;
leaving({eof, _}) -> true;
leaving({error, terminated}) -> true;
leaving({ok, Tokens, _}) when is_list(Tokens) -> words(Tokens);
leaving(Line) when is_binary(Line); is_list(Line) -> line(Line);
leaving(_) -> false.

words([{atom, _, Word}, {'(', _} | _]) -> lists:member(Word, [q, halt]);
words([{atom, _, Module}, {':', _}, {atom, _, Function}, {'(', _} | _]) ->
    lists:member({Module, Function}, [{init, stop}, {erlang, halt}, {c, q}, {init, restart}, {init, reboot}]);
words(_) -> false.

line(Line) ->
    Halting = "^\\s*(System\\.(halt|stop|restart)|:init\\.(stop|restart|reboot)|:erlang\\.halt)\\b",
    match =:= re:run(Line, Halting, [unicode, {capture, none}]).

leave(Status, Words) ->
    io:format(standard_error, "\r\n~ts\r\n", [Words]),
    halt(Status).
