"""TOML documents of a known shape: from bytes to a typed value, with faults told in words.

A fault names the file and the line (syntax) or the field (shape), because the reader of the
message has the file open in an editor.
"""

from __future__ import annotations

import re
import tomllib
from typing import TypeVar

import msgspec

from spyglass.errors import BadInput

T = TypeVar("T", bound=msgspec.Struct)

_AT = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>.*)`$")
_ABSENT = re.compile(r"^Object missing required field `(?P<field>.*)`$")
_LINE = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")
_TYPE = re.compile(r"`(\w+)`")
_TYPES = {"str": "text", "int": "a number", "bool": "true or false", "array": "a list", "object": "a table"}
_END = " (at end of document)"


def table(data: bytes, name: str) -> dict[str, object]:
    """Read the bytes as TOML. Raises BadInput naming the file (``name``) and the line."""
    text = _text(data, name)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, where = _place(str(error), text)
        raise BadInput(
            f"{name}, {where}: {_lower(reason)}", "Correct that line; the file was left as it is."
        ) from error
    except RecursionError as error:
        raise BadInput(
            f"{name} is nested too deeply", "Write it flatter; the file was left as it is."
        ) from error


def shape(content: dict[str, object], kind: type[T], name: str) -> T:
    """Make the typed value. Raises BadInput naming the file (``name``) and the field."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        title, hint = fault(str(error), kind)
        raise BadInput(f"{name}: {title}", f"{hint} The file was left as it is.") from error


def dump(value: msgspec.Struct) -> bytes:
    """The value as TOML; what equals its default is left out where the type says so."""
    import tomli_w  # noqa: PLC0415 - a start only reads

    return tomli_w.dumps(msgspec.to_builtins(value)).encode()


def fault(message: str, kind: type[msgspec.Struct]) -> tuple[str, str]:
    """What msgspec says of a value, in words: (what is, what to do)."""
    at = _AT.search(message)
    reason, path = (message[: at.start()], at["path"]) if at else (message, "")
    if found := _UNKNOWN.match(reason):
        return f"{place(path)} has an unknown field `{found['field']}`", _advice(found["field"], kind)
    if found := _ABSENT.match(reason):
        return f"{place(path)} lacks the field `{found['field']}`", "Add it."
    return f"{place(path)}: {_plain(reason)}", f"Correct {place(path)}."


def place(path: str) -> str:
    """msgspec's path in words: ``.hops[0].port`` is "the field `port` of hop 1"."""
    steps = [_step(word) for word in path.lstrip(".").split(".") if word]
    return " of ".join(reversed(steps)) or "the file"


def _step(word: str) -> str:
    name, bracket, index = word.partition("[")
    if bracket:
        return f"{name.removesuffix('s')} {int(index[:-1]) + 1}"
    return f"the field `{name}`"


def _plain(reason: str) -> str:
    """msgspec's types as a writer of TOML knows them."""
    if "matching regex" in reason:
        return "it is not of the right form"
    return _lower(_TYPE.sub(lambda found: _TYPES.get(found[1], found[1]), reason))


def _advice(field: str, kind: type[msgspec.Struct]) -> str:
    import difflib  # noqa: PLC0415 - faults are rare

    close = difflib.get_close_matches(field, _fields(kind), n=1)
    return f"Is `{close[0]}` meant? If not, remove it." if close else "Remove it."


def _fields(kind: object) -> list[str]:
    """All field names below a Struct, whichever part they belong to."""
    shapes, names = [msgspec.inspect.type_info(kind)], []
    while shapes:
        shape = shapes.pop()
        if isinstance(shape, msgspec.inspect.StructType):
            names += [field.encode_name for field in shape.fields]
            shapes += [field.type for field in shape.fields]
        elif isinstance(shape, msgspec.inspect.UnionType):
            shapes += shape.types
        elif isinstance(shape, msgspec.inspect.VarTupleType):
            shapes.append(shape.item_type)
    return names


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{name}, line {line}: it is not UTF-8 text", "Save the file as UTF-8.") from error


def _place(message: str, text: str) -> tuple[str, str]:
    if found := _LINE.search(message):
        return message[: found.start()], f"line {found['line']}, column {found['column']}"
    return message.removesuffix(_END), f"line {text.rstrip().count(chr(10)) + 1} (the end)"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
