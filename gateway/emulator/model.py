"""The operations as botocore's model of the service describes them: routes, reading, checking.

A client library checks neither the longest text nor a pattern, so the server has to; and what the
emulator answers is checked by the same shapes. Source: botocore's service model of medical-imaging
2023-07-19 (documented), protocol rest-json.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from starlette.datastructures import QueryParams

from gateway.emulator.errors import WireError, invalid

_ASCII = r"\p{ASCII}"  # of no meaning to Python
_PLACE = re.compile(r"\{(\w+)\}")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "timestamp": (int, float),
    "blob": (bytes,),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its method and path, and the shapes of what goes in and comes out."""

    name: str
    method: str
    path: re.Pattern[str]
    model: Any

    def parameters(
        self, path: Mapping[str, str], query: QueryParams, body: bytes
    ) -> dict[str, Any]:
        """The parameters of a request by their names in the model, checked.

        Raises: WireError, a ValidationException or SerializationException.
        """
        shape = self.model.input_shape
        members = {} if shape is None else shape.members
        given: dict[str, Any] = {}
        document: Any = None
        for name, member in members.items():
            match member.serialization.get("location"):
                case "uri":
                    given[name] = path[member.serialization["name"]]
                case "querystring":
                    key = member.serialization["name"]
                    if key in query:
                        given[name] = _of_text(member, query.getlist(key), name)
                case _:
                    document = _document(body) if document is None else document
                    is_payload = name == shape.serialization.get("payload")
                    value = document if is_payload else document.get(name)
                    if value is not None:
                        given[name] = _of_json(member, value)
        if shape is not None:
            check(shape, given, "the request")
        return given

    def answer(self, given: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """The body and headers of an answer. What is no answer of this operation is a bug.

        Raises: WireError.
        """
        shape = self.model.output_shape
        check(shape, dict(given), "the answer")
        headers = {"content-type": "application/json"}
        for name, member in shape.members.items():
            if member.serialization.get("location") == "header" and name in given:
                headers[member.serialization["name"].lower()] = given[name]
        payload = shape.serialization.get("payload")
        return (given[payload] if payload else orjson.dumps(given)), headers


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the service."""
    service = ServiceModel(Loader().load_service_model("medical-imaging", "service-2"))
    return tuple(_operation(service.operation_model(name)) for name in service.operation_names)


def _operation(model: OperationModel) -> Operation:
    # An ARN holds slashes; any other part of a path does not
    path = _PLACE.sub(
        lambda part: f"(?P<{part[1]}>{'.+' if part[1] == 'resourceArn' else '[^/]+'})",
        model.http["requestUri"],
    )
    return Operation(model.name, model.http["method"], re.compile(path), model)


def check(shape: Any, value: Any, name: str) -> None:
    """Check a value against a shape, all that is in it too.

    Raises: WireError, a ValidationException that names the member and the rule, never the value.
    """
    for rule in _broken(shape, value):
        raise invalid(f"{name} {rule}")
    match shape.type_name:
        case "structure":
            for key, member in shape.members.items():
                if value.get(key) is not None:
                    check(member, value[key], key)
        case "list":
            for item in value:
                check(shape.member, item, f"an item of {name}")
        case "map":
            for key, item in value.items():
                check(shape.key, key, f"a key of {name}")
                check(shape.value, item, f"a value of {name}")


def _broken(shape: Any, value: Any) -> Iterator[str]:
    kind = shape.type_name
    if not isinstance(value, _TYPES[kind]) or (kind != "boolean" and isinstance(value, bool)):
        yield f"must be a {kind}"
    else:
        yield from _out_of_bounds(shape, value)
        yield from _ill_formed(shape, value)


def _out_of_bounds(shape: Any, value: Any) -> Iterator[str]:
    size = len(value) if hasattr(value, "__len__") else value
    what = "length" if hasattr(value, "__len__") else "value"
    if size < shape.metadata.get("min", size):
        yield f"must have a {what} of {shape.metadata['min']} at least"
    if size > shape.metadata.get("max", size):
        yield f"must have a {what} of {shape.metadata['max']} at most"


def _ill_formed(shape: Any, value: Any) -> Iterator[str]:
    kind = shape.type_name
    if kind == "string":
        pattern = shape.metadata.get("pattern", "").replace(_ASCII, r"[\x00-\x7f]")
        if pattern and not re.fullmatch(pattern, value):
            yield "does not have the form that the service's model asks for"
        if shape.enum and value not in shape.enum:
            yield f"must be one of {', '.join(shape.enum)}"
    if kind == "structure":
        present = [key for key, member in value.items() if member is not None]
        missing = [key for key in shape.required_members if key not in present]
        if missing:
            yield f"must have {', '.join(missing)}"
        if shape.is_tagged_union and len(present) != 1:
            yield "must have exactly one of its members"


def _document(body: bytes) -> Any:
    try:
        document = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise WireError("SerializationException", 400, "the body must be JSON") from None
    if not isinstance(document, dict):
        raise invalid("the body must be a structure")
    return document


def _of_text(shape: Any, texts: list[str], name: str) -> Any:
    """A value of the query string."""
    text = texts[0]
    match shape.type_name:
        case "list":
            return texts
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "integer":
            if not re.fullmatch(r"[0-9]{1,9}", text):
                raise invalid(f"{name} must be a number")
            return int(text)
    return text


def _of_json(shape: Any, value: Any) -> Any:
    """A value of the body, with bytes for the texts that stand for them."""
    match shape.type_name, value:
        case "structure", dict():
            members = shape.members
            return {
                k: _of_json(members[k], v)
                for k, v in value.items()
                if k in members and v is not None
            }
        case "list", list():
            return [_of_json(shape.member, item) for item in value]
        case "blob", str():
            try:
                return base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                raise invalid("a blob must be base64") from None
    return value
