%% The node of `spyglass demo`: a small shop, so that every tab of Observer has something to show.
%%
%% An application with a tree of supervisors, a table of orders that changes, and workers whose load
%% rises and falls. Compiled at start (nothing is written to the disk); ends when standard input does,
%% so that it never outlives the Spyglass that started it.
-module(spyglass_demo).
-behaviour(application).
-behaviour(supervisor).
-export([main/0, start/2, stop/1, init/1]).
-export([desk/0, worker/1, clock/0]).

-define(TABLE, demo_orders).
-define(ORDERS, 500).

%% Arguments after -extra: the address for the node's name ("" for the first one of this machine that is
%% not loopback, as in a container), and the port of the name server of its own.
main() ->
    [Address, Port] = tl(init:get_plain_arguments()),
    Owner = open_port({fd, 0, 1}, [eof, binary]),
    start_epmd(Port),
    named(if Address =:= "" -> own_address(); true -> Address end, 100),
    ok = application:load({application, ?MODULE, [{description, "The shop of the demo"}, {vsn, "1"},
        {registered, []}, {modules, [?MODULE]}, {applications, [kernel, stdlib]}, {mod, {?MODULE, []}}]}),
    ok = application:start(?MODULE),
    port_command(Owner, ["ready ", atom_to_list(node()), "\n"]),
    receive {Owner, eof} -> halt(0, [{flush, false}]) end.

%% epmd (the name server) as a child that ends with this node: its shell waits for the end of the pipe
%% from here. On loopback only, where the demo has no container around it.
start_epmd(Port) ->
    Epmd = filename:join([code:root_dir(), "erts-" ++ erlang:system_info(version), "bin", "epmd"]),
    Script = "\"$@\" & cat >/dev/null; kill $!",
    open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Script, "epmd", Epmd, "-port", Port | only()]}]).

only() ->
    case application:get_env(kernel, inet_dist_use_interface) of
        {ok, Address} -> ["-address", inet:ntoa(Address)];
        undefined -> []
    end.

%% The name server takes a moment; each try asks it anew.
named(Address, Tries) ->
    case net_kernel:start([list_to_atom("demo@" ++ Address), longnames]) of
        {ok, _} -> ok;
        {error, _} when Tries > 0 -> timer:sleep(20), named(Address, Tries - 1)
    end.

own_address() ->
    {ok, Interfaces} = inet:getifaddrs(),
    hd([inet:ntoa(A) || {_, Facts} <- Interfaces, {addr, {_, _, _, _} = A} <- Facts, element(1, A) =/= 127]).

%% -- the shop ----------------------------------------------------------------------------------------

start(_Type, _Args) ->
    supervisor:start_link({local, demo_shop}, ?MODULE, shop).

stop(_State) -> ok.

init(shop) ->
    {ok, {#{strategy => one_for_one}, [child(desk, desk, []), child(clock, clock, []),
        #{id => workers, type => supervisor,
          start => {supervisor, start_link, [{local, demo_workers}, ?MODULE, workers]}}]}};
init(workers) ->
    {ok, {#{strategy => one_for_one}, [child(N, worker, [N]) || N <- lists:seq(1, 12)]}}.

child(Id, Function, Args) ->
    #{id => Id, start => {proc_lib, start_link, [?MODULE, Function, Args]}, shutdown => brutal_kill}.

%% The desk owns the table and enters orders; workers tell it what is done.
desk() ->
    register(demo_desk, self()),
    ?TABLE = ets:new(?TABLE, [named_table, public]),
    ets:insert(?TABLE, [{N, open, 0} || N <- lists:seq(1, ?ORDERS)]),
    proc_lib:init_ack({ok, self()}),
    desk(0).

desk(Done) ->
    receive
        {done, Order} -> ets:insert(?TABLE, {Order, done, erlang:system_time(second)}), desk(Done + 1)
    end.

%% A worker counts; how much, follows the clock: the lines of Observer's load charts move.
worker(N) ->
    register(list_to_atom("demo_worker_" ++ integer_to_list(N)), self()),
    proc_lib:init_ack({ok, self()}),
    work(N).

work(N) ->
    [{load, Load}] = ets:lookup(demo_load, load),
    _ = lists:sum([X * X || X <- lists:seq(1, 200 * N * Load)]),
    demo_desk ! {done, rand:uniform(?ORDERS)},
    timer:sleep(200 + rand:uniform(300)),
    work(N).

%% The clock lets the load rise and fall, 0 to 10, once a minute.
clock() ->
    register(demo_clock, self()),
    demo_load = ets:new(demo_load, [named_table]),
    tick(),
    proc_lib:init_ack({ok, self()}),
    tock().

tock() ->
    timer:sleep(1000),
    tick(),
    tock().

tick() ->
    Second = erlang:system_time(second) rem 60,
    ets:insert(demo_load, {load, round(5 - 5 * math:cos(Second / 60 * 2 * math:pi()))}).
