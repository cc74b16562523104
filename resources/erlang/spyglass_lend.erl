%% Lending Observer's remote half to a node that has no runtime_tools.
%%
%% Observer needs two modules on the node that it shows: observer_backend and appmon_info.
%% Where a release left them out, they can be sent over the link: nothing is written to a
%% disk there, and they are removed at the end. Two things make sure of the removal: we do
%% it before leaving, and on the node a small process (of the interpreter that every node
%% has, as no code of ours may stay) waits for our end and removes them when the link is
%% cut or we are killed.
%%
%% Code of a newer OTP does not run on an older one: the loading fails noisily there, or
%% Observer would show its own node's processes under the other's name. So lending is
%% refused when the local OTP is newer than the remote one.
-module(spyglass_lend).

-export([init/0, check/1, can_lend/1, lend/1, withdraw/2, withdraw_all/0]).

-define(LIMIT_MS, 10000).

%% @doc Make the list of what is lent; it belongs to the calling process.
init() ->
    ?MODULE = ets:new(?MODULE, [named_table, public, set]),
    ok.

modules() -> [observer_backend, appmon_info].

%% @doc Which of the modules the node has, loading what lies on its disk (a release in
%% embedded mode does not load by itself): #{Module => boolean()}.
check(Node) ->
    maps:from_list([{Module, has(Node, Module)} || Module <- modules()]).

has(Node, Module) ->
    case rpc:call(Node, code, ensure_loaded, [Module], ?LIMIT_MS) of
        {module, Module} -> true;
        {error, embedded} -> rpc:call(Node, code, load_file, [Module], ?LIMIT_MS) =:= {module, Module};
        {error, _} -> false;
        {badrpc, Reason} -> throw({failed_there, Reason})
    end.

%% @doc Send what is missing; return the modules sent.
lend(Node) ->
    Missing = [Module || Module <- modules(), not has(Node, Module)],
    Missing =:= [] orelse can_lend(Node),
    lists:foreach(fun(Module) -> send(Node, Module) end, Missing),
    Missing.

%% @doc Whether lending can work: ok, or the reason why not is thrown.
can_lend(Node) ->
    Theirs = spyglass_remote:ask(Node, {erlang, system_info, [otp_release]}),
    Ours = erlang:system_info(otp_release),
    list_to_integer(Ours) =< list_to_integer(Theirs) orelse
        throw({too_new, iolist_to_binary([Ours, " ", Theirs])}),
    ok.

send(Node, Module) ->
    {Module, Binary, File} = object_code(Module),
    ets:insert(?MODULE, {{Node, Module}, leave_keeper(Node, Module)}),
    Loaded = spyglass_remote:ask(Node, code, load_binary, [Module, File, Binary], ?LIMIT_MS),
    Loaded =:= {module, Module} orelse throw({not_lent, {Module, Loaded}}).

object_code(Module) ->
    case code:get_object_code(Module) of
        error -> throw({no_local_module, Module});
        Found -> Found
    end.

%% @doc Remove lent modules from the node; those that were not lent by us are left alone.
withdraw(Node, Modules) ->
    Lent = [Module || Module <- Modules, ets:member(?MODULE, {Node, Module})],
    lists:foreach(fun(Module) -> take_back(Node, Module) end, Lent),
    Lent.

%% @doc Remove everything lent from everywhere, as far as links still stand.
withdraw_all() ->
    lists:foreach(fun({{Node, Module}, _}) -> take_back(Node, Module) end, ets:tab2list(?MODULE)).

take_back(Node, Module) ->
    [{_, Keeper}] = ets:take(?MODULE, {Node, Module}),
    rpc:call(Node, code, delete, [Module], ?LIMIT_MS),
    rpc:call(Node, code, purge, [Module], ?LIMIT_MS),
    Keeper ! done.

%% The process on the node that removes the module when we end without having done it.
leave_keeper(Node, Module) ->
    Source = "Monitor = erlang:monitor(process, Owner),"
             "receive done -> ok;"
             " {'DOWN', Monitor, process, _, _} -> code:delete(Module), code:purge(Module) end.",
    {ok, Tokens, _} = erl_scan:string(Source),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    Bindings = [{'Module', Module}, {'Owner', whereis(spyglass_ctl)}],
    spawn(Node, erl_eval, exprs, [Expressions, Bindings]).
