%% Where nodes are: a table of routes in the place of epmd.
%%
%% The kernel asks the module named by `-epmd_module' for the address of a node before it
%% dials. This one answers from a table, "hello@172.17.0.2 is at 127.0.0.1:41003", which
%% the control loop fills with the local ends of forwards. So there is no epmd daemon, no
%% DNS and no listening socket, and a node without a route cannot be dialled at all.
%%
%% A person's own node can be led the same way, by routes on its command line:
%% `-epmd_module spyglass_epmd -spyglass_route hello@172.17.0.2 41003'.
%%
%% Two rules keep the kernel alive (OTP 23 to 29):
%%  - start_link/0 runs before the file server exists (25 and older): nothing here uses files.
%%  - address_please/3 runs inside net_kernel (25 to 27): it must not wait for anybody.
%%
%% Callbacks: kernel's "How to Implement an Alternative Node Discovery for Erlang Distribution".
-module(spyglass_epmd).

-export([add_route/2, remove_route/1, has_route/1]).
-export([start_link/0, register_node/2, register_node/3, port_please/2, port_please/3]).
-export([address_please/3, listen_port_please/2, names/0, names/1]).
-export([init/1]).

-define(LOOPBACK, {127, 0, 0, 1}).
%% The version of the distribution protocol to speak: 25 and newer refuse to hear of 5.
-define(VERSION, 6).

%% @doc From now on, the node of this full name (a string) is at 127.0.0.1:Port.
add_route(Node, Port) when is_list(Node), is_integer(Port) ->
    true = ets:insert(?MODULE, {Node, Port}),
    ok.

remove_route(Node) ->
    true = ets:delete(?MODULE, Node),
    ok.

has_route(Node) ->
    ets:member(?MODULE, Node).

start_link() ->
    proc_lib:start_link(?MODULE, init, [self()]).

%% The process does nothing but own the table, with the routes of the command line in it.
init(Parent) ->
    ?MODULE = ets:new(?MODULE, [named_table, public, set, {read_concurrency, true}]),
    [add_route(Node, list_to_integer(Port)) || {spyglass_route, [Node, Port]} <- init:get_arguments()],
    proc_lib:init_ack(Parent, {ok, self()}),
    idle().

idle() ->
    receive
        _ -> idle()
    end.

%% The answer with the port in it is the only moment at which both name and host are known;
%% port_please/2 gets an address in the place of the host.
address_please(Name, Host, inet) ->
    case ets:lookup(?MODULE, text(Name) ++ "@" ++ text(Host)) of
        [{_, Port}] -> {ok, ?LOOPBACK, Port, ?VERSION};
        [] -> {error, nxdomain}
    end;
address_please(_Name, _Host, _Family) ->
    {error, nxdomain}.

port_please(_Name, _Host) -> noport.

port_please(_Name, _Host, _Timeout) -> noport.

%% Only a listening node registers, and ours does not listen; -1 lets the kernel choose.
register_node(_Name, _Port) -> {ok, -1}.

register_node(_Name, _Port, _Family) -> {ok, -1}.

listen_port_please(_Name, _Host) -> {ok, 0}.

%% Observer's Nodes menu asks for the nodes of this machine: none of them concerns us.
names() -> {error, address}.

names(_Host) -> {error, address}.

text(Name) when is_atom(Name) -> atom_to_list(Name);
text(Name) -> Name.
