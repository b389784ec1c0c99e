"""Instances in the plainest form that DICOM JSON has, which one look tells to be sound.

What a regular expression matches here is JSON, and each of its attributes is one by
`gateway.wado.sound`, so that no object has to be made of it: a fourth of the work. It matches
no escapes, no white space and nothing unusual; what it does not match may be sound all the same.
"""

from __future__ import annotations

import re

from gateway.wado.sound import BYTE_VRS, NUMBER_VRS, TEXT_VRS

MAX_UID_LENGTH = 64

_NESTED = 3  # sequences within sequences that are looked into
# Possessive all over: nothing here can be matched in two ways, and no state is kept for a way back
_STRING = r'"[^"\\\x00-\x1f]*+"'
_NUMBER = r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?+[0-9]++)?+"
_GROUP = rf'"(?:Alphabetic|Ideographic|Phonetic)":{_STRING}'


def _enclosed(opening: str, one: str, closing: str) -> str:
    """One or more of `one` between the brackets, with commas between them."""
    return rf"{opening}(?:{one}(?:,(?!{closing})|(?={closing})))++{closing}"


def _list(one: str) -> str:
    return _enclosed(r"\[", one, r"\]")


def _object(one: str) -> str:
    return _enclosed(r"\{", one, r"\}")


def _any(vrs: frozenset[str]) -> str:
    """Any of them, with few ways to try: those that begin alike are one."""
    begun: dict[str, str] = {}
    for vr in sorted(vrs):
        begun[vr[0]] = begun.get(vr[0], "") + vr[1]
    return "(?:" + "|".join(f"{first}[{seconds}]" for first, seconds in begun.items()) + ")"


def _attribute(nested: int) -> str:
    """An attribute; of a sequence the items too, as far as they are `nested`."""
    number = rf"(?:{_NUMBER}|{_STRING})"  # it may stand as text
    values = {_any(TEXT_VRS): _STRING, _any(NUMBER_VRS): number, "PN": _object(_GROUP)}
    if nested:
        values["SQ"] = rf"(?:\{{\}}|{_object(_attribute(nested - 1))})"
    forms = [rf'{vr}"(?:,"Value":{_list(one)})?+' for vr, one in values.items()]
    forms.append(rf'{_any(BYTE_VRS)}"(?:,"(?:InlineBinary|BulkDataURI)":{_STRING})?+')
    return rf'"[0-9A-Fa-f]{{8}}":\{{"vr":"(?:{"|".join(forms)})\}}'


_UID = r'"00080018":\{"vr":"UI","Value":\["(?P<uid>[0-9]++(?:\.[0-9]++)*+)"\]\}'
_INSTANCE = re.compile(_object(f"(?:{_UID}|{_attribute(_NESTED)})"))


def plain_instance(text: str, start: int, end: int) -> tuple[int, str]:
    """Where the plain instance that begins at `start` ends, at `end` at most; its SOPInstanceUID.

    (0, "") where there is none, or it is not plain or not whole.
    """
    found = _INSTANCE.match(text, start, end)
    if found is None:
        return 0, ""
    uid = found["uid"]
    return (found.end(), uid) if uid and len(uid) <= MAX_UID_LENGTH else (0, "")
