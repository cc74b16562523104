%% The distribution over TCP, without the question "long names or short names?".
%%
%% A node started with -name refuses to dial `app@web-1', one started with -sname refuses
%% `hello@172.17.0.2'; the check is on our side only, the peer never makes it. This carrier
%% (`-proto_dist spyglass') is the ordinary one with that check left out, so that one node
%% reaches both kinds. Everything else is passed on to inet_tcp_dist.
-module(spyglass_dist).

-export([listen/1, listen/2, accept/1, accept_connection/5, setup/5, close/1]).
-export([select/1, address/0, is_node_name/1, setopts/2, getopts/2]).

%% `any' is neither longnames nor shortnames, so the host part is taken as it is.
setup(Node, Type, MyNode, _LongOrShortNames, SetupTime) ->
    inet_tcp_dist:setup(Node, Type, MyNode, any, SetupTime).

%% Reachable is what has a route; asking more could block net_kernel, which calls this.
select(Node) -> spyglass_epmd:has_route(atom_to_list(Node)).

listen(Name) -> inet_tcp_dist:listen(Name).

listen(Name, Host) -> inet_tcp_dist:listen(Name, Host).

accept(Listen) -> inet_tcp_dist:accept(Listen).

accept_connection(AcceptPid, Socket, MyNode, Allowed, SetupTime) ->
    inet_tcp_dist:accept_connection(AcceptPid, Socket, MyNode, Allowed, SetupTime).

close(Socket) -> inet_tcp_dist:close(Socket).

address() -> inet_tcp_dist:address().

is_node_name(Node) -> inet_tcp_dist:is_node_name(Node).

setopts(Socket, Options) -> inet_tcp_dist:setopts(Socket, Options).

getopts(Socket, Options) -> inet_tcp_dist:getopts(Socket, Options).
