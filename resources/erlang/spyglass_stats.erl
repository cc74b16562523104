%% Figures of a remote node, in one round trip, with nothing loaded there.
%%
%% Plain BIFs are applied on the other side; the list of the largest processes is worked
%% out there as well, by the interpreter that every node has (erl_eval), so that ten lines
%% come back and not one for each process.
-module(spyglass_stats).

-export([take/1, figures/1]).

-define(TOP, 10).
-define(MOST_PROCESSES, 20000).
-define(BEAT_MS, 1500).

%% @doc A map of figures: bytes, milliseconds and counts, as documented in LocalNode.stats.
take(Node) ->
    Keys = [process_count, process_limit, port_count, port_limit, atom_count, atom_limit, ets_count,
            schedulers, schedulers_online, logical_processors_available],
    Answers = spyglass_remote:all(Node, [{erlang, system_info, [Key]} || Key <- Keys] ++ calls()),
    {Counts, Rest} = lists:split(length(Keys), Answers),
    maps:merge(maps:from_list(lists:zip(Keys, [number(C) || C <- Counts])), figures(Node, Rest)).

%% @doc The few figures worth asking for again and again, of many nodes at the same time; one
%% round trip each. A node that does not answer within ?BEAT_MS is left out.
figures(Nodes) ->
    Asked = [element(2, spawn_monitor(fun() -> exit({told, brief(Node)}) end)) || Node <- Nodes],
    lists:append([told(Monitor) || Monitor <- Asked]).

told(Monitor) ->
    receive
        {'DOWN', Monitor, process, _, {told, Figures}} -> Figures;
        {'DOWN', Monitor, process, _, _} -> []
    end.

brief(Node) ->
    Calls = [{erlang, memory, [total]}, {erlang, system_info, [process_count]},
             {erlang, statistics, [total_run_queue_lengths]}, {erlang, system_info, [schedulers_online]},
             {erlang, statistics, [wall_clock]}, {erlang, statistics, [runtime]},
             {erlang, system_info, [otp_release]}],
    {Modules, Functions, Args} = lists:unzip3(Calls),
    Each = [fun erlang:apply/3, Modules, Functions, Args],
    case rpc:call(Node, lists, zipwith3, Each, ?BEAT_MS) of
        [Memory, Processes, Queued, Schedulers, {Up, _}, {Cpu, _}, Otp] ->
            [#{node => Node, memory => Memory, processes => Processes, run_queue => Queued,
               schedulers => Schedulers, uptime_ms => Up, cpu_ms => Cpu, otp => list_to_binary(Otp)}];
        {badrpc, _} ->
            []
    end.

calls() ->
    [{erlang, system_info, [otp_release]}, {erlang, system_info, [version]},
     {erlang, system_info, [system_architecture]}, {inet, gethostname, []}, {os, getpid, []},
     {erlang, memory, []}, {erlang, statistics, [total_run_queue_lengths]},
     {erlang, statistics, [run_queue_lengths]}, {erlang, statistics, [wall_clock]},
     {erlang, statistics, [runtime]}, {erlang, statistics, [io]}, {erlang, statistics, [reductions]},
     {erlang, nodes, [visible]}, {erlang, nodes, [hidden]}, {erl_eval, exprs, [top(), []]}].

figures(Node, [Otp, Erts, Arch, {ok, Host}, Pid, Memory, Queued, Queues, {Up, _}, {Cpu, _},
               {{_, In}, {_, Out}}, {Reductions, _}, Visible, Hidden, {value, Top, _}]) ->
    #{node => Node, otp => list_to_binary(Otp), erts => list_to_binary(Erts),
      architecture => list_to_binary(Arch), hostname => list_to_binary(Host),
      os_pid => list_to_binary(Pid), memory => maps:from_list(Memory), run_queue => Queued,
      run_queues => Queues, uptime_ms => Up, cpu_ms => Cpu, io_in => In, io_out => Out,
      reductions => Reductions, visible => Visible, hidden => Hidden -- [node()],
      top => [process(Line) || Line <- Top]}.

number(N) when is_integer(N) -> N;
number(_) -> undefined.

process({Memory, Pid, Info}) ->
    #{pid => spyglass_json:text(Pid), memory => Memory, name => name(Info),
      reductions => proplists:get_value(reductions, Info),
      queue => proplists:get_value(message_queue_len, Info)}.

name(Info) ->
    case proplists:get_value(registered_name, Info) of
        [] -> spyglass_json:text(proplists:get_value(initial_call, Info));
        Name -> atom_to_binary(Name, utf8)
    end.

%% The largest processes by memory, as parsed expressions for erl_eval.
top() ->
    Source = io_lib:format(
        "Keys = [memory, registered_name, initial_call, reductions, message_queue_len],"
        "Pids = lists:sublist(erlang:processes(), ~b),"
        "Lines = [{element(2, hd(I)), P, I} || P <- Pids, I <- [erlang:process_info(P, Keys)], is_list(I)],"
        "lists:sublist(lists:reverse(lists:sort(Lines)), ~b).",
        [?MOST_PROCESSES, ?TOP]),
    {ok, Tokens, _} = erl_scan:string(lists:flatten(Source)),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    Expressions.
