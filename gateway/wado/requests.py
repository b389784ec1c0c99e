"""What a retrieve asks for, read from its path: UIDs, frame numbers, where bulk data lies.

Source: PS3.18 §10.4.1 (target resources) and §10.1.6 (frame lists).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from gateway.errors import QueryError
from gateway.qido.attributes import BY_KEYWORD
from gateway.qido.conditions import Exact
from gateway.qido.keyvalues import condition_of

MAX_FRAMES = 1_000
"""Frame numbers that one request may have."""

_KEYWORDS = {
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "instance": "SOPInstanceUID",
}
_NUMBER = re.compile(r"0*[1-9][0-9]{0,8}")  # the standard's IS has no more frames
_MAX_PATH = 1_024
# What RFC 3986 lets stand in a path; "." and ".." would lead elsewhere
_PATH = re.compile(
    r"(?!\.{1,2}(?:/|$))[\w.~!$&'()*+,;=:@-]+(?:/(?!\.{1,2}(?:/|$))"
    r"[\w.~!$&'()*+,;=:@-]+)*",
    re.ASCII,
)

_BULK_DATA = re.compile(r"(?:^|/)bulkdata/([^?#]*)")


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a study, a series of it, or an instance; "" for what it does not name."""

    study_uid: str = field(repr=False)
    series_uid: str = field(default="", repr=False)
    sop_instance_uid: str = field(default="", repr=False)


def target_of(path_params: Mapping[str, str]) -> Target:
    """The target of a path's `study`, `series` and `instance`, percent-decoded.

    Raises: QueryError where one of them is no UID.
    """
    return Target(*(_uid(path_params, name) for name in _KEYWORDS))


def frame_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a frame list such as "1,2,3", counted from 1, in its order.

    Raises: QueryError.
    """
    parts = text.split(",")
    if len(parts) > MAX_FRAMES:
        raise QueryError("frames", f"at most {MAX_FRAMES:,} numbers")
    if not all(_NUMBER.fullmatch(part) for part in parts):
        raise QueryError("frames", "must be a list of whole numbers from 1, parted by commas")
    numbers = tuple(int(part) for part in parts)
    if len(set(numbers)) < len(numbers):
        raise QueryError("frames", "must not name a frame twice")
    return numbers


def bulk_path(text: str) -> str:
    """The path behind a BulkDataURI, if it is one that can lead nowhere else.

    Raises: QueryError.
    """
    if len(text) > _MAX_PATH or not _PATH.fullmatch(text):
        raise QueryError("bulkdata", "must be a path as the metadata have it")
    return text


def bulk_path_in(uri: str) -> str:
    """The path behind a BulkDataURI, percent-decoded.

    Raises: QueryError where it names none.
    """
    found = _BULK_DATA.search(uri)
    return bulk_path(unquote(found[1]) if found else "")


def _uid(path_params: Mapping[str, str], name: str) -> str:
    text = path_params.get(name)
    if text is None:
        return ""
    keyword = _KEYWORDS[name]
    condition = condition_of(BY_KEYWORD[keyword], text, keyword)
    if not isinstance(condition, Exact) or "," in text or "\\" in text:
        raise QueryError(keyword, "the path must hold one UID")
    return str(condition.values[0])
