%% The Observer window: opened on the remote node, closed the moment that node is gone.
%%
%% Observer is made to start on its own node and be switched by its Nodes menu. Here the
%% window is built out of sight (see spyglass_prepare), pointed at the node, and only then
%% shown, so it never shows anything of this node. Built ahead of time, it appears at once.
%% Where it cannot be built out of sight it is started the ordinary way and pointed at once.
%%
%% Observer does not notice when a hidden node goes down (it watches visible ones), would
%% then put up modal boxes and go on with its own node. So this server closes it by itself
%% on nodedown, and ends the whole node if boxes keep it from closing.
%%
%% One window a node: Observer registers a name. Opening and closing run in processes of
%% their own, so that a nodedown is never kept waiting by either.
-module(spyglass_observer).
-behaviour(gen_server).

-export([start_link/0, preload/0, open/1, close/0, tab/1, nodeup/1, nodedown/1, hold/1, members/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-define(OPEN_LIMIT_MS, 15000).
-define(CLOSE_LIMIT_MS, 1500).
-define(FALL_LIMIT_MS, 1000).
-define(LOOK_MS, 250).
-define(ANSWER_LIMIT_MS, 5000).
%% Positions in observer_wx's #state{} and the number of its first node menu entry, OTP 21 to 25.
-define(ACTIVE_NODE, 10).
-define(MENU_NODES, 11).
-define(FIRST_NODE_ID, 1001).

%% `node' is shown in the window that `window' monitors; `target' is being opened by `opening'.
%% Requests that come meanwhile are `waiting'.
-record(state, {node, target, opening, caller, window, waiting = []}).

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

%% @doc Load Observer and, if possible, build its window out of sight.
preload() -> in_turn(preload).

%% @doc Show Observer on the node, which must be joined and must have the backend.
open(Node) ->
    {shown, _} = in_turn({open, Node}),
    shown.

%% @doc Close the window; `not_open' if there is none.
close() ->
    case whereis(observer) of
        undefined -> not_open;
        Window -> shut(Window, ?CLOSE_LIMIT_MS)
    end.

%% @doc Turn to the tab of this position, from 0; return its title.
tab(Index) ->
    Notebook = notebook(),
    wxNotebook:setSelection(Notebook, Index),
    unicode:characters_to_binary(wxNotebook:getPageText(Notebook, Index)).

%% @doc A node has been joined: the Nodes menu shall have it. Does not wait.
nodeup(_Node) -> gen_server:cast(?MODULE, members).

%% @doc The node is gone: close its window now, or take it from the menu. Does not wait.
nodedown(Node) -> gen_server:cast(?MODULE, {nodedown, Node}).

%% @doc Takes the place of wxFrame:show/1 and the like in the prepared observer_wx.
hold(_Frame) -> true.

%% @doc What stands in the Nodes menu of the prepared observer_wx: who was joined, and never this node.
members() -> nodes(connected).

in_turn(Request) -> % one may be at work already: a preload, most likely
    case gen_server:call(?MODULE, Request, 2 * ?OPEN_LIMIT_MS + ?ANSWER_LIMIT_MS) of
        {ok, Value} -> Value;
        {throw, Reason} -> throw(Reason)
    end.

init([]) -> {ok, #state{}}.

handle_call(Request, From, State) ->
    {noreply, next(State#state{waiting = State#state.waiting ++ [{Request, From}]})}.

handle_cast({nodedown, Node}, #state{node = Shown, target = Target} = State)
  when Node =:= Shown; Node =:= Target ->
    whereis(observer) =:= undefined orelse spawn(fun() -> shut(whereis(observer), ?FALL_LIMIT_MS) end),
    {noreply, next(give_up(State))};
handle_cast({nodedown, _}, State) ->
    handle_cast(members, State);
handle_cast(members, State) ->
    renew_menu(State),
    {noreply, State};
%% A person has turned the window to another node by the menu.
handle_cast({turned, Node}, #state{node = Shown, window = Window} = State)
  when Node =/= Shown, Window =/= undefined ->
    spyglass_ctl:event(#{event => observer_turned, node => Node}),
    {noreply, State#state{node = Node}};
handle_cast(_, State) ->
    {noreply, State}.

%% Observer builds its menu anew at a nodeup, whichever; not while it is being pointed at a node by that
%% menu (press_menu), which ends with a nodeup of its own.
renew_menu(#state{window = undefined}) -> ok;
renew_menu(#state{opening = Pid}) when is_pid(Pid) -> ok;
renew_menu(_) ->
    case whereis(observer) of
        undefined -> ok;
        Window -> Window ! {nodeup, node()}, ok
    end.

handle_info({'DOWN', _, process, Pid, Result}, #state{opening = Pid, caller = From} = State) ->
    gen_server:reply(From, outcome(Result)),
    {noreply, next(settled(outcome(Result), State#state{opening = undefined, caller = undefined}))};
handle_info({'DOWN', Window, process, _, _}, #state{window = Window} = State) ->
    spyglass_ctl:event(#{event => observer_closed, node => State#state.node}),
    {noreply, State#state{window = undefined, node = undefined}};
handle_info({too_long, Pid}, #state{opening = Pid} = State) ->
    spawn(fun close/0),
    {noreply, next(give_up(State))};
handle_info(_, State) ->
    {noreply, State}.

next(#state{opening = undefined, waiting = [{Request, From} | Rest]} = State) ->
    begin_work(Request, From, State#state{waiting = Rest});
next(State) -> State.

begin_work(preload, From, State) ->
    begin_work(fun build/0, From, State);
begin_work({open, Node}, From, State) ->
    begin_work(fun() -> show_on(Node) end, From, State#state{target = Node});
begin_work(Work, From, State) ->
    {Pid, _} = spawn_monitor(fun() -> exit(result(Work)) end),
    erlang:send_after(?OPEN_LIMIT_MS, self(), {too_long, Pid}),
    State#state{opening = Pid, caller = From}.

result(Work) ->
    try {done, {ok, Work()}}
    catch
        throw:Reason -> {done, {throw, Reason}};
        _:Reason -> {done, {throw, {observer_failed, spyglass_json:text(Reason)}}}
    end.

outcome({done, Result}) -> Result;
outcome(Reason) -> {throw, {observer_failed, spyglass_json:text(Reason)}}.

give_up(#state{opening = undefined} = State) -> State;
give_up(#state{opening = Pid, caller = From} = State) ->
    exit(Pid, kill),
    gen_server:reply(From, {throw, {nodedown, <<"gone while Observer was opening">>}}),
    State#state{opening = undefined, caller = undefined, target = undefined}.

%% Once shown, the end of the window is noticed, whoever closes it.
settled({ok, {shown, Pid}}, #state{window = undefined} = State) ->
    settled({ok, {shown, Pid}}, State#state{window = monitor(process, Pid)});
settled({ok, {shown, _}}, #state{target = Node} = State) ->
    spyglass_ctl:event(#{event => observer_open, node => Node}),
    State#state{node = Node, target = undefined};
settled(_, State) ->
    State#state{target = undefined}.

%% --- opening, in a process of its own ---

build() ->
    _ = application:load(observer),
    {ok, Modules} = application:get_key(observer, modules),
    ok = code:ensure_modules_loaded([wx, wxe_server, wx_object | Modules]),
    prepared() andalso whereis(observer) =:= undefined andalso start(),
    ok.

prepared() ->
    lists:member({prepared_by, [spyglass]}, observer_wx:module_info(attributes)).

start() ->
    case observer:start() of
        ok -> ok;
        {error, Reason} -> throw(why_not(Reason))
    end.

%% What wx says without a display differs between releases; all of it starts here.
why_not({{error, {load, _}}, _}) -> {no_display, <<"wx cannot open the display">>};
why_not({einval, "Could not initiate graphics" ++ _}) -> {no_display, <<"wx cannot open the display">>};
why_not(Reason) -> {observer_failed, spyglass_json:text(Reason)}.

show_on(Node) ->
    lists:member(Node, nodes(connected)) orelse throw({nodedown, atom_to_binary(Node, utf8)}),
    {module, _} = code:ensure_loaded(observer_wx),
    whereis(observer) =/= undefined orelse start(),
    turned_to(Node) orelse misled(),
    Frame = frame(),
    wxWindow:show(Frame),
    wxWindow:raise(Frame),
    {Window, Env} = {whereis(observer), wx:get_env()},
    spawn(fun() -> wx:set_env(Env), watch_title(monitor(process, Window), Window, Frame) end),
    {shown, Window}.

%% Observer goes back to its own node when a call to the other one fails, and puts a box on
%% top. Its title tells, and wx gives it even while a box keeps Observer from answering.
watch_title(Monitor, Window, Frame) ->
    receive
        {'DOWN', Monitor, process, _, _} -> ok
    after ?LOOK_MS ->
        Title = title(Frame),
        case string:find(Title, atom_to_list(node())) of
            nomatch -> tell_turned(Title), watch_title(Monitor, Window, Frame);
            _ -> shut(Window, ?FALL_LIMIT_MS)
        end
    end.

tell_turned(Title) ->
    case [Node || Node <- nodes(connected), lists:suffix([$\s | atom_to_list(Node)], Title)] of
        [Node] -> gen_server:cast(?MODULE, {turned, Node});
        _ -> ok
    end.

title(Frame) ->
    try wxTopLevelWindow:getTitle(Frame)
    catch _:_ -> ""
    end.

frame() ->
    wx:typeCast(wxWindow:getParent(wxWindow:getParent(notebook())), wxFrame).

turned_to(Node) ->
    try
        point_at(Node),
        Node =:= wx_object:call(observer, get_active_node, ?ANSWER_LIMIT_MS)
    catch
        _:_ -> false
    end.

misled() ->
    close(),
    throw({observer_failed, <<"Observer did not turn to the node">>}).

point_at(Node) ->
    case erlang:function_exported(observer_wx, set_node, 1) of
        true -> observer_wx:set_node(Node);
        false -> press_menu(Node)
    end.

%% OTP 25 and older can be switched only by the Nodes menu, so its event is what we send.
%% The list behind the menu lacks hidden nodes on 24 and older; for the one event it is
%% replaced by a list of our node alone, and nodeup makes Observer build it anew.
press_menu(Node) ->
    Point = fun([Parent, State | Rest]) when is_list(element(?MENU_NODES, State)) ->
        [Parent, setelement(?MENU_NODES, State, [Node]) | Rest]
    end,
    [_, State | _] = sys:get_state(observer, ?ANSWER_LIMIT_MS),
    true = is_atom(element(?ACTIVE_NODE, State)),
    sys:replace_state(observer, Point, ?ANSWER_LIMIT_MS),
    Pressed = {wxCommand, command_menu_selected, [], 0, 0},
    observer ! {wx, ?FIRST_NODE_ID, {wx_ref, 0, wxFrame, []}, [], Pressed},
    observer ! {nodeup, Node}.

%% The notebook of the window; as a side effect this process may talk to wx afterwards.
notebook() ->
    whereis(observer) =/= undefined orelse throw({not_open, <<"no Observer window is open">>}),
    observer ! {get_debug_info, self()},
    receive
        {observer_debug, Env, Notebook, _} -> wx:set_env(Env), Notebook
    after ?ANSWER_LIMIT_MS -> throw({observer_failed, <<"Observer does not answer">>})
    end.

%% Modal boxes keep Observer from stopping (and so does a tab that is just being opened: it
%% and the window then wait for each other), and killing it would leave dead windows behind:
%% then this node has to go as a whole. Spyglass sees it end and starts another one.
shut(Window, LimitMs) ->
    Monitor = monitor(process, Window),
    spawn(fun() -> observer:stop() end),
    receive
        {'DOWN', Monitor, process, _, _} -> closed
    after LimitMs -> halt(5, [{flush, false}])
    end.
