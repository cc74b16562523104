%% Terms to JSON (RFC 8259), in ASCII only, so that no encoding of a pipe can hurt it.
%%
%% Maps become objects, lists arrays, binaries and atoms strings; `undefined' is null. Any
%% other term is written as text in Erlang's own notation. (OTP has a `json' module from 27
%% on; ours runs on 23.)
-module(spyglass_json).

-export([encode/1, text/1]).

%% @doc One line of JSON, as iodata.
encode(Map) when is_map(Map) ->
    Members = [[string(key(K)), $:, encode(V)] || {K, V} <- maps:to_list(Map)],
    [${, lists:join($,, Members), $}];
encode(List) when is_list(List) -> [$[, lists:join($,, [encode(X) || X <- List]), $]];
encode(Binary) when is_binary(Binary) -> string(Binary);
encode(true) -> "true";
encode(false) -> "false";
encode(null) -> "null";
encode(undefined) -> "null";
encode(Atom) when is_atom(Atom) -> string(atom_to_binary(Atom, utf8));
encode(Integer) when is_integer(Integer) -> integer_to_list(Integer);
encode(Float) when is_float(Float) -> io_lib:format("~.6g", [Float]);
encode(Term) -> string(text(Term)).

%% @doc Any term as a UTF-8 binary on one line; binaries stay what they are.
text(Binary) when is_binary(Binary) -> Binary;
text(Term) -> unicode:characters_to_binary(io_lib:format("~0tp", [Term])).

key(Key) when is_atom(Key) -> atom_to_binary(Key, utf8);
key(Key) when is_binary(Key) -> Key.

string(Binary) ->
    [$", [escape(C) || C <- characters(Binary)], $"].

%% What is not UTF-8 is read as Latin-1: wrong letters are better than no message.
characters(Binary) ->
    case unicode:characters_to_list(Binary) of
        List when is_list(List) -> List;
        _ -> binary_to_list(Binary)
    end.

escape($") -> "\\\"";
escape($\\) -> "\\\\";
escape(C) when C >= 32, C < 127 -> C;
escape(C) when C > 16#FFFF ->
    Rest = C - 16#10000,
    [hex(16#D800 + (Rest bsr 10)), hex(16#DC00 + (Rest band 16#3FF))];
escape(C) -> hex(C).

hex(Unit) -> io_lib:format("\\u~4.16.0b", [Unit]).
