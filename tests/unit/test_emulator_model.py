"""The service's model: its operations, what their requests may hold, and what is read of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, ShapeResolver
from starlette.datastructures import QueryParams

from gateway.emulator.errors import WireError
from gateway.emulator.model import Operation, check, operations

SENTINEL = "SENTINEL"
STORE = "0" * 32
SET = "a" * 32
ARN = f"arn:aws:medical-imaging:us-east-1:123456789012:datastore/{STORE}"
JOB = {
    "dataAccessRoleArn": "arn:aws:iam::123456789012:role/import",
    "clientToken": "t",
    "inputS3Uri": "s3://studies/in",
    "outputS3Uri": "s3://studies/out",
}
TABLE = {one.name: one for one in operations()}


def read(operation: str, path: dict[str, str], query: str = "", body: Any = b"") -> dict[str, Any]:
    """The parameters of a request."""
    given = body if isinstance(body, bytes) else json.dumps(body).encode()
    return TABLE[operation].parameters(path, QueryParams(query), given)


IN_STORE = {"datastoreId": STORE}
OF_SET = {**IN_STORE, "imageSetId": SET}
BLOB = base64.b64encode(b"{}").decode()


# --- operations -----------------------------------------------------------------------------------


def test_all_operations() -> None:
    """The 18 of the service's model, each with a route of its own."""
    model = ServiceModel(Loader().load_service_model("medical-imaging", "service-2"))
    assert set(model.operation_names) == set(TABLE)
    assert 18 == len({(one.method, one.path.pattern) for one in TABLE.values()})


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param("POST", "/datastore", ["CreateDatastore"], id="data stores, made"),
        pytest.param("GET", "/datastore", ["ListDatastores"], id="data stores, listed"),
        pytest.param("GET", f"/datastore/{STORE}", ["GetDatastore"], id="one data store"),
        pytest.param("GET", f"/datastore/{STORE}/x", [], id="nothing of the kind"),
        pytest.param("POST", f"/datastore/{STORE}/imageSet/{SET}/getImageSet", ["GetImageSet"],
                     id="an image set"),
        pytest.param("GET", f"/tags/{ARN}/imageset/{SET}", ["ListTagsForResource"],
                     id="an ARN has slashes"),
        pytest.param("PUT", f"/tags/{ARN}", [], id="another method"),
    ],
)  # fmt: skip
def test_routes(method: str, path: str, expected: list[str]) -> None:
    """A method and a path lead to one operation at most."""
    found = [n for n, one in TABLE.items() if one.method == method and one.path.fullmatch(path)]
    assert expected == found


# --- check ----------------------------------------------------------------------------------------

SHAPES: dict[str, Any] = {
    "Text": {"type": "string", "min": 2, "max": 4},
    "Form": {"type": "string", "pattern": r"[a-z]+"},
    "Ascii": {"type": "string", "pattern": r"\p{ASCII}{1,8}"},
    "State": {"type": "string", "enum": ["ON", "OFF"]},
    "Number": {"type": "integer", "min": 1, "max": 9},
    "Truth": {"type": "boolean"},
    "Bytes": {"type": "blob", "min": 1, "max": 3},
    "Time": {"type": "timestamp"},
    "Several": {"type": "list", "member": {"shape": "Form"}, "min": 1, "max": 2},
    "Pairs": {"type": "map", "key": {"shape": "Form"}, "value": {"shape": "Number"}, "max": 2},
    "Either": {"type": "structure", "union": True,
               "members": {"one": {"shape": "Form"}, "other": {"shape": "Number"}}},
    "Whole": {"type": "structure", "required": ["must"],
              "members": {"must": {"shape": "Text"}, "may": {"shape": "Either"}}},
}  # fmt: skip
RESOLVER = ShapeResolver(SHAPES)


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("Text", "ab"),
        ("Text", "abcd"),
        ("Form", "abc"),
        ("Ascii", "a\tb~"),
        ("State", "OFF"),
        ("Number", 1),
        ("Number", 9),
        ("Truth", False),
        ("Bytes", b"abc"),
        ("Time", 1.5),
        ("Time", 3),
        ("Several", ["a", "b"]),
        ("Pairs", {"a": 1, "b": 9}),
        ("Pairs", {}),
        ("Either", {"one": "a"}),
        ("Either", {"one": None, "other": 2}),
        ("Whole", {"must": "ab"}),
        ("Whole", {"must": "ab", "may": {"one": "a"}, "unknown": 5}),
        ("Whole", {"must": "ab", "may": None}),
    ],
)
def test_what_a_shape_admits(shape: str, value: Any) -> None:
    """What keeps all rules passes."""
    check(RESOLVER.get_shape_by_name(shape), value, "the value")


@pytest.mark.parametrize(
    ("shape", "value", "rule"),
    [
        pytest.param("Text", "S", "length of 2 at least", id="too short"),
        pytest.param("Text", SENTINEL, "length of 4 at most", id="too long"),
        pytest.param("Number", 0, "value of 1 at least", id="too small"),
        pytest.param("Number", 10, "value of 9 at most", id="too large"),
        pytest.param("Bytes", b"SENTINEL", "length of 3 at most", id="too many bytes"),
        pytest.param("Bytes", b"", "length of 1 at least", id="no byte"),
        pytest.param("Several", [], "length of 1 at least", id="too few items"),
        pytest.param("Several", ["a", "b", "c"], "length of 2 at most", id="too many items"),
        pytest.param("Pairs", {"a": 1, "b": 2, "c": 3}, "length of 2 at most", id="many pairs"),
        pytest.param("Form", SENTINEL, "does not have the form", id="another form"),
        pytest.param("Form", "abc\n", "does not have the form", id="a line feed at the end"),
        pytest.param("Ascii", "ä", "does not have the form", id="outside ASCII"),
        pytest.param("State", SENTINEL, "one of ON, OFF", id="not in the enumeration"),
        pytest.param("Whole", {}, "must have must", id="a member missing"),
        pytest.param("Whole", {"must": None}, "must have must", id="a member null"),
        pytest.param("Whole", {"must": "ab", "may": {}}, "may must have exactly one", id="none"),
        pytest.param("Either", {"one": "a", "other": 1}, "exactly one", id="two of a union"),
        pytest.param("Whole", {"must": "ab", "may": {"one": SENTINEL}}, "one does not",
                     id="a member of a member"),
        pytest.param("Several", ["a", SENTINEL], "an item of the value does not", id="an item"),
        pytest.param("Pairs", {SENTINEL: 1}, "a key of the value does not", id="a key"),
        pytest.param("Pairs", {"a": 10}, "a value of the value must", id="a value"),
        pytest.param("Text", 5, "must be a string", id="a number for a text"),
        pytest.param("Number", SENTINEL, "must be a integer", id="a text for a number"),
        pytest.param("Number", True, "must be a integer", id="a truth for a number"),
        pytest.param("Time", True, "must be a timestamp", id="a truth for a time"),
        pytest.param("Truth", 1, "must be a boolean", id="a number for a truth"),
        pytest.param("Bytes", SENTINEL, "must be a blob", id="a text for bytes"),
        pytest.param("Whole", [SENTINEL], "must be a structure", id="a list for a structure"),
        pytest.param("Several", {"a": 1}, "must be a list", id="a structure for a list"),
        pytest.param("Pairs", [SENTINEL], "must be a map", id="a list for a map"),
    ],
)  # fmt: skip
def test_what_a_shape_refuses(shape: str, value: Any, rule: str) -> None:
    """A ValidationException that names the rule, never the value."""
    with pytest.raises(WireError) as caught:
        check(RESOLVER.get_shape_by_name(shape), value, "the value")
    assert ("ValidationException", 400) == (caught.value.code, caught.value.status)
    assert rule in caught.value.message
    assert "SENTINEL" not in caught.value.message


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "path", "query", "body", "expected"),
    [
        pytest.param("GetDatastore", IN_STORE, "", b"", IN_STORE, id="of the path"),
        pytest.param("ListDatastores", {}, "maxResults=7&nextToken=a%2Bb", b"",
                     {"maxResults": 7, "nextToken": "a+b"}, id="of the query"),
        pytest.param("ListDatastores", {}, "unknown=1", b"", {}, id="an unknown one of the query"),
        pytest.param("UntagResource", {"resourceArn": ARN}, "tagKeys=a&tagKeys=b", b"",
                     {"resourceArn": ARN, "tagKeys": ["a", "b"]}, id="a list of the query"),
        pytest.param("TagResource", {"resourceArn": ARN}, "", {"tags": {"a": "b"}},
                     {"resourceArn": ARN, "tags": {"a": "b"}}, id="a map of the body"),
        pytest.param("CreateDatastore", {}, "", {"clientToken": "t", "tags": None, "x": 1},
                     {"clientToken": "t"}, id="null and unknown are not given"),
        pytest.param("GetImageFrame", OF_SET, "", {"imageFrameId": SET},
                     {**OF_SET, "imageFrameInformation": {"imageFrameId": SET}}, id="a payload"),
        pytest.param(
            "UpdateImageSetMetadata", OF_SET, "latestVersion=1&force=true",
            {"DICOMUpdates": {"updatableAttributes": BLOB}, "revertToVersionId": None},
            {**OF_SET, "latestVersionId": "1", "force": True,
             "updateImageSetMetadataUpdates": {"DICOMUpdates": {"updatableAttributes": b"{}"}}},
            id="a blob, a truth",
        ),
        pytest.param("UpdateImageSetMetadata", OF_SET, "latestVersion=1&force=false",
                     {"revertToVersionId": "1"},
                     {**OF_SET, "latestVersionId": "1", "force": False,
                      "updateImageSetMetadataUpdates": {"revertToVersionId": "1"}}, id="false"),
        pytest.param("StartDICOMImportJob", IN_STORE, "", JOB, {**IN_STORE, **JOB}, id="a body"),
    ],
)  # fmt: skip
def test_what_is_read(
    operation: str, path: dict[str, str], query: str, body: Any, expected: dict[str, Any]
) -> None:
    """Parameters by their names in the model, wherever they stand in the request."""
    assert expected == read(operation, path, query, body)


UPDATE = ("UpdateImageSetMetadata", OF_SET)


@pytest.mark.parametrize(
    ("operation", "path", "query", "body", "code"),
    [
        pytest.param("GetDatastore", {"datastoreId": SENTINEL}, "", b"", "Validation", id="an id"),
        pytest.param("ListDatastores", {}, "maxResults=SENTINEL", b"", "Validation",
                     id="no number"),
        pytest.param("ListDatastores", {}, "maxResults=-1", b"", "Validation", id="a sign"),
        pytest.param("ListDatastores", {}, f"maxResults={'9' * 5000}", b"", "Validation",
                     id="a number of 5,000 digits"),
        pytest.param("ListDatastores", {}, "maxResults=0", b"", "Validation", id="zero results"),
        pytest.param("ListDatastores", {}, "nextToken=", b"", "Validation", id="an empty token"),
        pytest.param(*UPDATE, "latestVersion=1&force=SENTINEL", {"revertToVersionId": "1"},
                     "Validation", id="neither true nor false"),
        pytest.param(*UPDATE, "", {"revertToVersionId": "1"}, "Validation", id="no version"),
        pytest.param(*UPDATE, "latestVersion=1", b"", "Validation", id="no body"),
        pytest.param(*UPDATE, "latestVersion=1",
                     {"revertToVersionId": "1", "DICOMUpdates": {"updatableAttributes": BLOB}},
                     "Validation", id="both of a union"),
        pytest.param(*UPDATE, "latestVersion=1",
                     {"DICOMUpdates": {"updatableAttributes": SENTINEL + "!"}}, "Validation",
                     id="no base64"),
        pytest.param(*UPDATE, "latestVersion=1",
                     {"DICOMUpdates": {"updatableAttributes": "SENTINÄL"}}, "Validation",
                     id="no ASCII"),
        pytest.param(*UPDATE, "latestVersion=1", {"DICOMUpdates": {"updatableAttributes": 5}},
                     "Validation", id="a number for a blob"),
        pytest.param(*UPDATE, "latestVersion=1", {"DICOMUpdates": SENTINEL}, "Validation",
                     id="a text for a structure"),
        pytest.param("TagResource", {"resourceArn": ARN}, "", {"tags": [SENTINEL]}, "Validation",
                     id="a list for a map"),
        pytest.param("TagResource", {"resourceArn": ARN}, "", {"tags": {"a": 5}}, "Validation",
                     id="a number for a tag"),
        pytest.param("TagResource", {"resourceArn": ARN}, "", {}, "Validation", id="no tags"),
        pytest.param("UntagResource", {"resourceArn": ARN}, "", b"", "Validation", id="no keys"),
        pytest.param("CreateDatastore", {}, "", b"[]", "Validation", id="a list for a body"),
        pytest.param("CreateDatastore", {}, "", b"null", "Validation", id="null for a body"),
        pytest.param("CreateDatastore", {}, "", b"{SENTINEL", "Serialization", id="no JSON"),
        pytest.param("CreateDatastore", {}, "", b"\xff", "Serialization", id="no UTF-8"),
    ],
)  # fmt: skip
def test_what_is_not_read(
    operation: str, path: dict[str, str], query: str, body: Any, code: str
) -> None:
    """An error of 400 that names the rule, never the value."""
    with pytest.raises(WireError) as caught:
        read(operation, path, query, body)
    assert (f"{code}Exception", 400) == (caught.value.code, caught.value.status)
    assert "SENTIN" not in caught.value.message


def test_a_list_of_structures() -> None:
    """Blobs are read wherever they are in a list."""
    shapes: dict[str, Any] = {
        "Bytes": {"type": "blob"},
        "One": {"type": "structure", "members": {"b": {"shape": "Bytes"}}},
        "All": {"type": "list", "member": {"shape": "One"}},
        "Input": {"type": "structure", "members": {"all": {"shape": "All"}}},
    }
    shape = ShapeResolver(shapes).get_shape_by_name("Input")

    class Model:
        """An operation that takes such a list."""

        input_shape = shape

    operation = Operation("Any", "POST", TABLE["GetDatastore"].path, Model())
    body = json.dumps({"all": [{"b": BLOB}, {"b": None}]}).encode()
    assert {"all": [{"b": b"{}"}, {}]} == operation.parameters({}, QueryParams(""), body)


def test_an_operation_without_parameters() -> None:
    """What has no input shape has no parameters, whatever is sent."""

    class Model:
        """An operation that takes nothing."""

        input_shape = None

    operation = Operation("Any", "POST", TABLE["GetDatastore"].path, Model())
    assert {} == operation.parameters({}, QueryParams("a=b"), b"{")


# --- answers --------------------------------------------------------------------------------------


def test_an_answer() -> None:
    """A payload is the body; what belongs in a header is one."""
    given = {"imageFrameBlob": b"ab", "contentType": "application/octet-stream"}
    body, headers = TABLE["GetImageFrame"].answer(given)
    assert (b"ab", {"content-type": "application/octet-stream"}) == (body, headers)
    body, headers = TABLE["ListTagsForResource"].answer({"tags": {"a": "b"}})
    assert ({"tags": {"a": "b"}}, {"content-type": "application/json"}) == (
        json.loads(body),
        headers,
    )


def test_no_answer_of_the_operation() -> None:
    """What an operation never answers is not sent."""
    with pytest.raises(WireError, match="the answer must have tags"):
        TABLE["ListTagsForResource"].answer({})
