%% Makes the copy of observer_wx that builds its window without showing it.
%%
%% observer_wx shows its frame in the middle of building it, on its own node, and there is
%% no option against that. So its code, as the user's own Erlang has it (the debug
%% information of the beam file), is compiled once more with the three calls that bring the
%% frame to the screen going to spyglass_observer:hold/1. The copy lies in our own
%% directory, which comes first in the code path of our node and of nobody else's.
%%
%% Its Nodes menu lists this node and all that are connected, or only those that are visible
%% (OTP 24 and older). In the copy it is spyglass_observer:members/0 that says who stands there.
%%
%% Beam files without debug information, or code that has no such call, are left alone:
%% then Observer starts the ordinary way.
-module(spyglass_prepare).

-export([observer/1]).

-define(CALLS, [show, raise, setFocus]).

%% @doc Write the copy into the directory; `done', or why there is none.
observer(Directory) ->
    try
        Forms = forms(code:which(observer_wx)),
        Changed = held(Forms),
        Changed =/= Forms orelse throw(nothing_to_hold),
        Options = [binary, return_errors, nowarn_deprecated_function],
        {ok, observer_wx, Binary} = compile:forms(marked(Changed), Options),
        ok = file:write_file(filename:join(Directory, "observer_wx.beam"), Binary),
        done
    catch
        throw:Why -> Why;
        _:Why -> Why
    end.

forms(File) when is_list(File) ->
    case beam_lib:chunks(File, [abstract_code]) of
        {ok, {_, [{abstract_code, {raw_abstract_v1, Forms}}]}} -> Forms;
        _ -> throw(no_debug_information)
    end;
forms(Which) -> throw(Which).

%% Replace `wxFrame:Call(Frame)' wherever it stands.
held({call, At, {remote, At2, {atom, At3, wxFrame}, {atom, At4, Call}}, [Frame]} = Form) ->
    case lists:member(Call, ?CALLS) of
        true -> {call, At, {remote, At2, {atom, At3, spyglass_observer}, {atom, At4, hold}}, [Frame]};
        false -> Form
    end;
held({cons, At, {call, _, {atom, _, node}, []}, {call, At2, {atom, _, nodes}, _}}) ->
    {call, At, {remote, At2, {atom, At2, spyglass_observer}, {atom, At2, members}}, []};
held(Tuple) when is_tuple(Tuple) -> list_to_tuple(held(tuple_to_list(Tuple)));
held([Head | Tail]) -> [held(Head) | held(Tail)];
held(Other) -> Other.

%% An attribute by which the copy is known.
marked(Forms) ->
    {Before, [Module | After]} = lists:splitwith(fun(Form) -> element(3, Form) =/= module end, Forms),
    Before ++ [Module, {attribute, element(2, Module), prepared_by, spyglass} | After].
