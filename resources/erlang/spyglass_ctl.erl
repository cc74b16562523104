%% The control loop: Spyglass owns our stdin and stdout, and through them this node.
%%
%%   in:   Id Command Arg ...        one line; every Arg in base64, "-" for an empty one
%%   out:  {"id": Id, "ok": Value}   or  {"id": Id, "error": Code, "text": Text}
%%         {"event": Name, ...}      one line of ASCII JSON each
%%
%% A command runs in a process of its own, so a slow one holds up nobody. The end of stdin
%% means that Spyglass is gone, however it went, and that we must be too: window closed,
%% lent code taken back, halt. A loop that dies halts as well; there are no orphans.
%%
%% Commands throw {Code, Text} for what they can explain. Neither replies nor log lines
%% ever hold arguments of `set_cookie'.
-module(spyglass_ctl).

-export([start/0, event/1]).

-define(LINE_LIMIT, 1000000).
-define(LEAVE_LIMIT_MS, 800).

%% @doc The entry point (`-run spyglass_ctl').
start() ->
    spawn(fun guarded/0).

%% @doc Tell Spyglass that something happened. From any process.
event(Event) ->
    ?MODULE ! {event, Event},
    ok.

guarded() ->
    try init()
    catch
        Class:Reason ->
            io:format(standard_error, "the control loop failed: ~0tp~n", [{Class, Reason}]),
            halt(4, [{flush, false}])
    end.

init() ->
    process_flag(trap_exit, true),
    keep_stdout_clean(),
    register(?MODULE, self()),
    {ok, _} = spyglass_observer:start_link(),
    spyglass_lend:init(),
    net_kernel:monitor_nodes(true, [{node_type, all}, nodedown_reason]),
    Port = open_port({fd, 0, 1}, [{line, ?LINE_LIMIT}, binary, eof]),
    write(Port, hello()),
    loop(Port).

%% Whatever is printed by anybody goes to stderr. A process can have one name only, hence
%% the go-between with the name `user'.
keep_stdout_clean() ->
    Stderr = whereis(standard_error),
    group_leader(Stderr, self()),
    case whereis(user) of
        undefined -> ok;
        _ -> unregister(user)
    end,
    register(user, spawn_link(fun() -> pass_on(Stderr) end)).

pass_on(Stderr) ->
    receive
        {io_request, From, ReplyAs, Request} -> Stderr ! {io_request, From, ReplyAs, Request};
        _ -> ok
    end,
    pass_on(Stderr).

hello() ->
    #{event => ready, node => node(), otp => list_to_binary(erlang:system_info(otp_release))}.

loop(Port) ->
    receive
        {Port, {data, {eol, Line}}} -> request(Line);
        {Port, {data, {noeol, _}}} -> halt(3);
        {Port, eof} -> leave();
        {'EXIT', Port, _} -> leave();
        {reply, Reply} -> write(Port, Reply);
        {event, Event} -> write(Port, Event);
        {nodeup, Node, _} ->
            spyglass_observer:nodeup(Node),
            write(Port, #{event => nodeup, node => Node});
        {nodedown, Node, Info} -> nodedown(Port, Node, Info);
        {'EXIT', _, Reason} when Reason =/= normal -> exit(Reason);
        _ -> ok
    end,
    loop(Port).

nodedown(Port, Node, Info) ->
    spyglass_observer:nodedown(Node),
    Reason = spyglass_json:text(proplists:get_value(nodedown_reason, Info)),
    write(Port, #{event => nodedown, node => Node, reason => Reason}).

write(Port, Message) ->
    port_command(Port, [spyglass_json:encode(Message), $\n]).

request(Line) ->
    case binary:split(Line, <<" ">>, [global, trim_all]) of
        [Id, Command | Args] -> spawn(fun() -> serve(Id, Command, Args) end);
        _ -> ok
    end.

serve(Id, Command, Args) ->
    Reply = try
        #{ok => command(Command, [decoded(Arg) || Arg <- Args])}
    catch
        throw:{Code, Text} -> #{error => Code, text => spyglass_json:text(Text)};
        _:Reason -> #{error => crashed, text => told(Command, Reason)}
    end,
    ?MODULE ! {reply, Reply#{id => Id}}.

told(<<"set_cookie">>, _Reason) -> <<"the cookie was not taken">>;
told(_Command, Reason) -> spyglass_json:text(Reason).

decoded(<<"-">>) -> "";
decoded(Arg) -> unicode:characters_to_list(base64:decode(Arg)).

command(<<"ping">>, []) -> pong;
command(<<"add_route">>, [Node, Port]) -> spyglass_epmd:add_route(Node, list_to_integer(Port));
command(<<"remove_route">>, [Node]) -> spyglass_epmd:remove_route(Node);
command(<<"set_cookie">>, [Node, Cookie]) ->
    erlang:set_cookie(list_to_atom(Node), list_to_atom(Cookie));
command(<<"connect">>, [Node]) -> spyglass_remote:connect(list_to_atom(Node));
command(<<"disconnect">>, [Node]) -> erlang:disconnect_node(list_to_atom(Node));
command(<<"watch">>, [Node]) -> spyglass_remote:watch(list_to_atom(Node));
command(<<"facts">>, [Node]) -> spyglass_remote:facts(list_to_atom(Node));
command(<<"call">>, [Node, Limit, Module, Function | Args]) ->
    spyglass_remote:call(list_to_atom(Node), list_to_integer(Limit), Module, Function, Args);
command(<<"stats">>, [Node]) -> spyglass_stats:take(list_to_atom(Node));
command(<<"figures">>, Nodes) -> spyglass_stats:figures([list_to_atom(Node) || Node <- Nodes]);
command(<<"check_backend">>, [Node]) -> spyglass_lend:check(list_to_atom(Node));
command(<<"can_lend">>, [Node]) -> spyglass_lend:can_lend(list_to_atom(Node));
command(<<"lend">>, [Node]) -> spyglass_lend:lend(list_to_atom(Node));
command(<<"withdraw">>, [Node | Modules]) ->
    spyglass_lend:withdraw(list_to_atom(Node), [list_to_atom(M) || M <- Modules]);
command(<<"preload">>, []) -> spyglass_observer:preload();
command(<<"observe">>, [Node]) -> spyglass_observer:open(list_to_atom(Node));
command(<<"tab">>, [Index]) -> spyglass_observer:tab(list_to_integer(Index));
command(<<"close_observer">>, []) -> spyglass_observer:close();
command(Command, _) -> throw({unknown_command, Command}).

%% The window first: a halt while the Applications tab is open makes the remote log an error.
leave() ->
    {Leaver, Monitor} = spawn_monitor(fun() ->
        Halves = [monitor(process, Half) || Half <- remote_halves()],
        spyglass_observer:close() =:= closed andalso settle(Halves),
        spyglass_lend:withdraw_all()
    end),
    receive
        {'DOWN', Monitor, process, Leaver, _} -> ok
    after ?LEAVE_LIMIT_MS -> ok
    end,
    halt(0, [{flush, false}]).

%% What runs elsewhere for Observer is linked to what it runs for, and ends by itself when the
%% window has gone.
remote_halves() ->
    Links = [Links || Pid <- processes(), {links, Links} <- [process_info(Pid, links)]],
    lists:usort([Pid || Pid <- lists:append(Links), is_pid(Pid), node(Pid) =/= node()]).

%% If our link were cut in the middle of that, the node would try to dial us back, and log that
%% it cannot. The question at the end follows whatever else is on its way.
settle(Halves) ->
    [receive {'DOWN', Half, process, _, _} -> ok end || Half <- Halves],
    [rpc:call(Node, erlang, node, [], ?LEAVE_LIMIT_MS) || Node <- nodes(connected)].
