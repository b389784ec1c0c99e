"""One query put to either server; what comes back, in one form.

Debian's Orthanc does not decode a percent-encoded value, and one setting makes all of its QIDO-RS
heed case or none. So what holds other letters than these, and what asks for a name, goes to its
own /tools/find, which matches by the same code, the UIDs of the path among its keys; that answers
no attributes of the standard's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydicom.datadict import dictionary_VR, keyword_for_tag

from tests.differential.queries import Query
from tests.differential.servers import Server

Answer = dict[str, dict[str, tuple[Any, ...]]]
"""UID of a study, series or instance to its attributes: keyword to values without padding."""

_AS_IT_STANDS = re.compile(r"[A-Za-z0-9._*?^,-]*")
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_LEVELS = {
    "studies": ("Study", "StudyInstanceUID"),
    "series": ("Series", "SeriesInstanceUID"),
    "instances": ("Instance", "SOPInstanceUID"),
}


def ask_gateway(server: Server, query: Query) -> Answer:
    """What the gateway answers."""
    target = f"/dicom-web{query.resource}?{urlencode(query.parameters)}"
    return _by_uid(query, [_values(result) for result in server.get(target)])


def ask_orthanc(server: Server, query: Query) -> Answer:
    """What Orthanc answers; without attributes where it was asked by /tools/find."""
    texts = query.parameters.values()
    if _asks_for_name(query) or not all(map(_AS_IT_STANDS.fullmatch, texts)):
        return _find(server, query)
    encoded = "&".join(f"{name}={text}" for name, text in query.parameters.items())
    results = server.get(f"/dicom-web{query.resource}?{encoded}")
    return _by_uid(query, [_values(result) for result in results])


def metadata_of(server: Server, study_uid: str) -> Answer:
    """The whole data sets of a study's instances, as Orthanc's WADO-RS answers them."""
    query = Query("", f"/studies/{study_uid}/instances", {})
    results = server.get(f"/dicom-web/studies/{study_uid}/metadata")
    return _by_uid(query, [_values(result) for result in results])


def _find(server: Server, query: Query) -> Answer:
    body = {
        "Level": _LEVELS[query.level][0],
        "Query": {**query.path, **query.parameters},
        "CaseSensitive": not _asks_for_name(query),
        "Expand": True,
    }
    found = server.post("/tools/find", json.dumps(body).encode())
    return {result["MainDicomTags"][uid_keyword(query)]: {} for result in found}


def uid_keyword(query: Query) -> str:
    """The attribute that tells the query's results apart."""
    return _LEVELS[query.level][1]


def _asks_for_name(query: Query) -> bool:
    return any(name.endswith("Name") and dictionary_VR(name) == "PN" for name in query.parameters)


def _by_uid(query: Query, results: list[dict[str, tuple[Any, ...]]]) -> Answer:
    answer = {result[uid_keyword(query)][0]: result for result in results}
    assert len(answer) == len(results), f"{query.id}: a result comes twice"
    return answer


def _values(result: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {
        keyword_for_tag(tag): tuple(
            _value(attribute["vr"], value) for value in attribute.get("Value", [])
        )
        for tag, attribute in result.items()
    }


def _value(vr: str, value: Any) -> Any:
    match vr:
        case "SQ":
            return {keyword: texts for keyword, texts in _values(value).items() if texts}
        case "PN":
            return "=".join(value.get(group, "") for group in _GROUPS).rstrip("=")
        case "IS" | "US":
            return int(value)
        case "DS":
            return float(value)
        case _:
            return value.strip()
