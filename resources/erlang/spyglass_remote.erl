%% Joining a remote node, asking it things, and noticing when it does not answer any more.
%%
%% All of it needs nothing on the other side but kernel and stdlib.
-module(spyglass_remote).

-export([connect/1, watch/1, facts/1, call/5, ask/2, ask/5, all/2]).

-define(BEAT_MS, 3000).
-define(MISSES, 2).
-define(ANSWER_LIMIT_MS, 5000).

%% @doc Join the node; its route and cookie must be known. Erlang tells no reason for a no.
connect(Node) ->
    case net_kernel:connect_node(Node) of
        true -> connected;
        _ -> throw({not_connected, atom_to_binary(Node, utf8)})
    end.

%% @doc Notice within 9 s when a joined node stops answering, whatever its net_ticktime
%% (60 s by default) and ours: say `unresponsive', then cut the link. Ends with the link.
watch(Node) ->
    spawn(fun() -> beat(Node, 0) end),
    ok.

beat(Node, ?MISSES) ->
    spyglass_ctl:event(#{event => unresponsive, node => Node}),
    erlang:disconnect_node(Node);
beat(Node, Missed) ->
    case lists:member(Node, nodes(connected)) andalso rpc:call(Node, erlang, node, [], ?BEAT_MS) of
        false -> ok;
        Node -> timer:sleep(?BEAT_MS), beat(Node, 0);
        _ -> beat(Node, Missed + 1)
    end.

%% @doc What has to be known of a node before it is shown or used, in one round trip.
facts(Node) ->
    [Otp, IEx, Backend] = all(Node, [
        {erlang, system_info, [otp_release]},
        {code, which, ['Elixir.IEx']},
        {code, which, [observer_backend]}
    ]),
    #{otp => list_to_binary(Otp), elixir => IEx =/= non_existing, runtime_tools => Backend =/= non_existing}.

%% @doc Call a function with arguments given as text, one term each; the result as text.
call(Node, LimitMs, Module, Function, Texts) ->
    Args = [term(Text) || Text <- Texts],
    Result = ask(Node, list_to_atom(Module), list_to_atom(Function), Args, LimitMs),
    unicode:characters_to_binary(io_lib:format("~tp", [Result])).

term(Text) ->
    case erl_scan:string(Text ++ " .") of
        {ok, Tokens, _} -> parsed(Text, erl_parse:parse_term(Tokens));
        {error, {_, Module, What}, _} -> unreadable(Text, Module:format_error(What))
    end.

parsed(_Text, {ok, Term}) -> Term;
parsed(Text, {error, {_, Module, What}}) -> unreadable(Text, Module:format_error(What)).

unreadable(Text, Why) ->
    throw({bad_term, unicode:characters_to_binary([Text, ": ", Why])}).

%% @doc The answers of many {M, F, A} on the node, in one round trip.
all(Node, Calls) ->
    {Ms, Fs, As} = lists:unzip3(Calls),
    ask(Node, {lists, zipwith3, [fun erlang:apply/3, Ms, Fs, As]}).

ask(Node, {Module, Function, Args}) ->
    ask(Node, Module, Function, Args, ?ANSWER_LIMIT_MS).

%% @doc rpc:call, with what went wrong thrown as {Code, Text}.
ask(Node, Module, Function, Args, LimitMs) ->
    case rpc:call(Node, Module, Function, Args, LimitMs) of
        {badrpc, nodedown} -> throw({nodedown, atom_to_binary(Node, utf8)});
        {badrpc, timeout} -> throw({timeout, atom_to_binary(Node, utf8)});
        {badrpc, {'EXIT', Reason}} -> throw({failed_there, spyglass_json:text(Reason)});
        {badrpc, Reason} -> throw({failed_there, spyglass_json:text(Reason)});
        Result -> Result
    end.
