"""Rows of matching for the VRs that only instances have, and how they are asked.

What is stored stands as metadata are read: numbers as numbers, or as text where a number would
change them; sequences as items.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from gateway.qido.attributes import Resource
from gateway.qido.conditions import Criterion
from gateway.qido.query import parse_query
from gateway.qido.result import Item, Value

Row = tuple[Any, str, bool]
"""What is stored: None for nothing, a tuple for several values; the key; whether they match."""


def values_of(stored: Mapping[str, Any]) -> dict[str, tuple[Value, ...]]:
    """Values of keywords; None is not there."""
    return {
        keyword: value if isinstance(value, tuple) else (value,)
        for keyword, value in stored.items()
        if value is not None
    }


def item(**stored: Any) -> Item:
    """An item of a sequence."""
    return Item(values_of(stored))


def criteria(asked: Mapping[str, str]) -> tuple[Criterion, ...]:
    """The criteria of keys at instances."""
    return parse_query(Resource.ALL_INSTANCES, urlencode(asked).encode()).criteria


INTEGER: dict[str, Row] = {
    "the same": (7, "7", True),
    "zeros before": (7, "007", True),
    "a sign": (7, "+7", True),
    "negative": (-7, "-7", True),
    "zero": (0, "-0", True),
    "one of several": ((1, 7), "7", True),
    "stored as text": ("7", "7", True),
    "stored as text with zeros": ("007", "7", True),
    "stored as text, padded": ("7 ", "7", True),
    "stored as a whole double": (7.0, "7", True),
    "another": (8, "7", False),
    "the beginning of it": (71, "7", False),
    "the sign": (-7, "7", False),
    "a fraction": (7.5, "7", False),
    "infinity": (math.inf, "7", False),
    "no number": (math.nan, "7", False),
    "text": ("seven", "7", False),
    "no value": ((), "7", False),
    "an empty one": (("", 8), "7", False),
    "not stored": (None, "0", False),
    "an item": (Item({}), "0", False),
}

DECIMAL: dict[str, Row] = {
    "the same": (0.5, "0.5", True),
    "zeros behind the key": (0.5, "0.50", True),
    "zeros behind the stored one": ("0.50", "0.5", True),
    "an integer": (2, "2.0", True),
    "an integer stored as text": ("2.", "2", True),
    "an exponent": (1500, "1.5e3", True),
    "an exponent stored": ("15E2", "1500", True),
    "a tenth": (0.1, "0.1", True),
    "16 digits, as text": ("0.12345678901234", "0.12345678901234", True),
    "past what a double tells apart": ("0.10000000000000001", "0.10000000000000001", True),
    "a sign": (-2.5, "-2.50", True),
    "minus zero": (0.0, "-0", True),
    "padded": (" 1.5 ", "1.5", True),
    "one of several": ((0.5, 0.25), "0.25", True),
    "another": (0.5, "0.51", False),
    "the last digit of 17": ("0.10000000000000001", "0.1", False),
    "the beginning of it": (0.55, "0.5", False),
    "the sign": (2.5, "-2.5", False),
    "infinity": (math.inf, "1e999", False),
    "no number": (math.nan, "0", False),
    "text": ("half", "0.5", False),
    "a comma": ("0,5", "0.5", False),
    "no value": ((), "0", False),
    "not stored": (None, "0", False),
    "an item": (Item({}), "0", False),
}

SINGLE: dict[str, Row] = {
    "the same": (0.5, "0.5", True),
    "a tenth, as its digits": (0.1, "0.1", True),
    "a tenth, as its 32 bits in 64": (0.10000000149011612, "0.1", True),
    "the 64 bits asked": (0.1, "0.10000000149011612", True),
    "digits that 32 bits do not hold": (0.1, "0.1000000001", True),
    "a third": (0.3333333432674408, "0.33333334", True),
    "an integer": (16777216, "16777216", True),
    "an integer between two": (16777216, "16777217", True),
    "as text": ("0.1", "0.1", True),
    "negative": (-0.1, "-0.1", True),
    "minus zero": (-0.0, "0", True),
    "an exponent": (1e10, "1e10", True),
    "one of several": ((1.5, 0.1), "0.1", True),
    "another": (0.2, "0.1", False),
    "the next of 32 bits": (0.10000000894069672, "0.1", False),
    "the sign": (0.1, "-0.1", False),
    "past 32 bits": (1e39, "1", False),
    "past 64 bits": (10**400, "1", False),
    "infinity": (math.inf, "1", False),
    "no number": (math.nan, "1", False),
    "text": ("x", "1", False),
    "not stored": (None, "0", False),
    "an item": (Item({}), "0", False),
}

DOUBLE: dict[str, Row] = {
    "the same": (0.1, "0.1", True),
    "zeros behind": (0.5, "0.500", True),
    "an exponent": (1e300, "1E300", True),
    "an integer": (3, "3.0", True),
    "as text": ("2.5", "2.5", True),
    "digits past 64 bits": (0.1, "0.10000000000000000001", True),
    "negative": (-2.5, "-2.5", True),
    "minus zero": (0.0, "-0", True),
    "one of several": ((1.0, 2.5), "2.5", True),
    "the 32 bits of it": (0.10000000149011612, "0.1", False),
    "the next of 64 bits": (0.10000000000000002, "0.1", False),
    "another": (0.2, "0.1", False),
    "past 64 bits": (10**400, "1", False),
    "infinity": (math.inf, "1", False),
    "no number": (math.nan, "0", False),
    "text": ("x", "1", False),
    "not stored": (None, "0", False),
}

AGE: dict[str, Row] = {
    "the same": ("050Y", "050Y", True),
    "in days": ("003D", "003D", True),
    "in weeks": ("012W", "012W", True),
    "in months": ("018M", "018M", True),
    "one of several": (("050Y", "051Y"), "051Y", True),
    "padding in the key": ("050Y", "050Y ", True),
    "newborn": ("000D", "000D", True),
    "another": ("051Y", "050Y", False),
    "another unit": ("050M", "050Y", False),
    "the same age in months": ("012M", "001Y", False),
    "fewer digits stored": ("50Y", "050Y", False),
    "lower case stored": ("050y", "050Y", False),
    "more than it": ("1050Y", "050Y", False),
    "stored empty": ("", "050Y", False),
    "no value": ((), "050Y", False),
    "not stored": (None, "050Y", False),
}

TAG: dict[str, Row] = {
    "the same": ("00181063", "00181063", True),
    "letters": ("0018106A", "0018106A", True),
    "the key in lower case": ("0018106A", "0018106a", True),
    "stored in lower case": ("0018106a", "0018106A", True),
    "both in lower case": ("0018106a", "0018106a", True),
    "one of several": (("00181063", "0018106A"), "0018106a", True),
    "padding in the key": ("00181063", "00181063 ", True),
    "another": ("00181064", "00181063", False),
    "another group": ("00201063", "00181063", False),
    "the halves changed": ("10630018", "00181063", False),
    "stored with a comma": ("0018,1063", "00181063", False),
    "stored in parentheses": ("(0018,1063)", "00181063", False),
    "its keyword": ("FrameTime", "00181063", False),
    "stored as a number": (1576035, "00181063", False),
    "no value": ((), "00181063", False),
    "not stored": (None, "00181063", False),
}

TEXT: dict[str, Row] = {
    "the same": ("An image", "An image", True),
    "a backslash": ("a\\b", "a\\b", True),
    "a comma": ("a,b", "a,b", True),
    "padding in the key": ("a", "a  ", True),
    "leading spaces": ("  a", "  a", True),
    "lines": ("a\r\nb", "a\r\nb", True),
    "a star behind": ("An image", "An*", True),
    "a star before": ("An image", "*image", True),
    "a star over lines": ("a\r\nb", "a*b", True),
    "a question mark": ("An image", "A? image", True),
    "another": ("An image", "An images", False),
    "another case": ("An image", "an image", False),
    "an accent": ("Bild", "Bíld", False),
    "no leading spaces": ("  a", "a", False),
    "a part of it": ("a\\b", "b", False),
    "a wild card of another length": ("An image", "A?image", False),
    "no value": ((), "?*", False),
    "not stored": (None, "?*", False),
}

UID: dict[str, Row] = {
    "the same": ("1.2.3", "1.2.3", True),
    "the first of a list": ("1.2.3", "1.2.3,1.2.4", True),
    "the last of a list": ("1.2.4", "1.2.3,1.2.4", True),
    "by a backslash": ("1.2.4", "1.2.3\\1.2.4", True),
    "by two": ("1.2.4", "1.2.3\\\\1.2.4", True),
    "spaces in the list": ("1.2.4", "1.2.3, 1.2.4", True),
    "one of several": (("1.2.3", "1.2.5"), "1.2.5", True),
    "of several, of a list": (("1.2.3", "1.2.5"), "1.2.4,1.2.5", True),
    "a leading zero": ("1.02", "1.02", True),
    "another": ("1.2.3", "1.2.4", False),
    "the beginning": ("1.2.3", "1.2", False),
    "more than it": ("1.2.3", "1.2.3.0", False),
    "none of the list": ("1.2.5", "1.2.3,1.2.4", False),
    "a leading zero is another": ("1.2", "1.02", False),
    "no value": ((), "1.2", False),
    "not stored": (None, "1.2", False),
}

MOMENT: dict[str, Row] = {
    "the same": ("20200131101530", "20200131101530", True),
    "its minute": ("20200131101530", "202001311015", True),
    "its day": ("20200131101530", "20200131", True),
    "its month": ("20200131101530", "202001", True),
    "its year": ("20200131101530", "2020", True),
    "the last microsecond of its year": ("20201231235959.999999", "2020", True),
    "zeros behind": ("20200131101530", "20200131101530.000000", True),
    "the same moment elsewhere": ("20200131101530+0100", "20200131091530", True),
    "asked from elsewhere": ("20200131091530", "20200131041530-0500", True),
    "another day elsewhere": ("20200131233000-0500", "20200201", True),
    "a day stored, a moment of it asked": ("20200131", "20200131101530", True),
    "a year stored, a day of it asked": ("2020", "20200615", True),
    "one of several": (("2019", "20200131"), "20200131", True),
    "the second after": ("20200131101531", "20200131101530", False),
    "the day after": ("20200201", "20200131", False),
    "the year before": ("20191231235959.999999", "2020", False),
    "the same digits elsewhere": ("20200131101530+0100", "20200131101530", False),
    "the same day elsewhere": ("20200131233000-0500", "20200131", False),
    "a word": ("today", "2020", False),
    "ISO": ("2020-01-31", "20200131", False),
    "an offset of 15 hours": ("20200131101530+1500", "2020", False),
    "month 13": ("202013", "2020", False),
    "stored empty": ("", "2020", False),
    "no value": ((), "2020", False),
    "not stored": (None, "2020", False),
    "an item": (Item({}), "2020", False),
}

MOMENTS: dict[str, Row] = {
    "the lower end": ("20200101", "20200101-20200131", True),
    "the upper end": ("20200131235959.999999", "20200101-20200131", True),
    "within": ("20200115", "20200101-20200131", True),
    "years": ("20201231", "2020-2021", True),
    "the upper year to its end": ("20211231235959", "2020-2021", True),
    "from": ("20990101", "2020-", True),
    "until": ("19000101", "-2020", True),
    "until the end of a year": ("20201231235959", "-2020", True),
    "a month that begins before": ("202001", "20200115-20200301", True),
    "a year that ends after": ("2020", "20200615-20200616", True),
    "from elsewhere": ("20200101050000", "20200101000000-0500-", True),
    "an arrival is a number": (0, "19700101-", True),
    "just before": ("20191231235959.999999", "20200101-20200131", False),
    "just after": ("20200201", "20200101-20200131", False),
    "before an open range": ("20191231", "2020-", False),
    "past an open range": ("20210101", "-2020", False),
    "before it, elsewhere": ("20200101045959", "20200101000000-0500-", False),
    "in it by its digits alone": ("20200101003000+0100", "2020-", False),
    "an arrival before": (-1, "19700101-", False),
    "a word": ("today", "0001-9999", False),
    "no value": ((), "0001-", False),
    "not stored": (None, "-9999", False),
}

PRIVATE: dict[str, Row] = {
    "the same": ("X1", "X1", True),
    "a wild card": ("X1", "X*", True),
    "a question mark": ("X1", "?1", True),
    "one of several": (("X1", "X2"), "X2", True),
    "an integer": (7, "7", True),
    "a number": (0.5, "0.5", True),
    "a wild card on a number": (0.5, "0.*", True),
    "beside an item": ((Item({}), "X1"), "X1", True),
    "padding in the key": ("X1", "X1 ", True),
    "another": ("X2", "X1", False),
    "another case": ("x1", "X1", False),
    "zeros behind": (0.5, "0.50", False),
    "a range is text": ("20200115", "20200101-20200131", False),
    "several values are one text": (("X1", "X2"), "X1\\X2", False),
    "an item": (Item({}), "?*", False),
    "an item and a text": (Item({"PatientID": ("X1",)}), "X1", False),
    "no value": ((), "?*", False),
    "not stored": (None, "?*", False),
}

TABLES: dict[str, dict[str, Row]] = {
    **{f"{keyword}: {vr}": INTEGER for keyword, vr in {
        "Rows": "US", "SelectorSSValue": "SS", "ReferencePixelX0": "SL", "SimpleFrameList": "UL",
        "SelectorSVValue": "SV", "SelectorUVValue": "UV", "InstanceNumber": "IS",
        "SmallestImagePixelValue": "US or SS", "LUTDescriptor": "US or SS, first of a table",
        "LUTData": "US or OW"}.items()},
    "SliceThickness: DS": DECIMAL,
    "PatientWeight: DS": DECIMAL,
    "RecommendedDisplayFrameRateInFloat: FL": SINGLE,
    "RealWorldValueSlope: FD": DOUBLE,
    "PatientAge: AS": AGE,
    "FrameIncrementPointer: AT": TAG,
    **{f"{keyword}: {vr}": TEXT for keyword, vr in {
        "ImageComments": "LT", "InstitutionAddress": "ST", "TextValue": "UT",
        "LongCodeValue": "UC", "PixelDataProviderURL": "UR"}.items()},
    "SOPClassUID: UI": UID,
    "SOPInstanceUID: UI": UID,
    "AcquisitionDateTime: DT": MOMENT,
    "FrameReferenceDateTime: DT, range": MOMENTS,
    "00091001: private": PRIVATE,
}  # fmt: skip
"""Rows by the attribute that is asked, its VR behind."""
