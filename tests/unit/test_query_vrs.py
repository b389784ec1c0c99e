"""Values of keys by the VRs that only instances have: accepted, and beside it refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.qido.attributes import BINARY_VRS, Attribute, Resource, attribute_named
from gateway.qido.conditions import (
    AllOf,
    Exact,
    Matching,
    Range,
    Wildcard,
    matching_of,
)
from tests.unit.parsing import DAY_US, HOUR_US, REFUSED, no, outcome
from tests.unit.tables import named

ALL = Resource.ALL_INSTANCES


def asked(keyword: str, value: str, expected: Any) -> None:
    """Assert what a key of that value is at instances."""
    wanted = no(keyword) if expected is REFUSED else expected
    assert wanted == outcome(f"{keyword}={value}", keyword, ALL)


@pytest.mark.parametrize(
    ("value", "expected"),
    named({
        "a digit": ("7", Exact((7,))), "leading zeros": ("007", Exact((7,))),
        "a plus": ("%2B7", Exact((7,))), "a minus": ("-7", Exact((-7,))),
        "spaces around": ("+7+", Exact((7,))), "zero": ("0", Exact((0,))),
        "20 digits": ("18446744073709551615", Exact((2**64 - 1,))),
        "zero length": ("", None), "spaces only": ("++", None),
        "a star": ("*", REFUSED), "a wild card": ("7?", REFUSED), "a range": ("1-3", REFUSED),
        "a list": ("1,2", REFUSED), "two values": ("1%5C2", REFUSED),
        "a fraction": ("7.0", REFUSED), "an exponent": ("1e3", REFUSED),
        "a word": ("seven", REFUSED), "a sign": ("-", REFUSED),
        "two signs": ("--7", REFUSED), "hexadecimal": ("0x10", REFUSED),
        "other digits": ("%D9%A7", REFUSED), "an underscore": ("1_0", REFUSED),
        "21 digits": ("1" * 21, REFUSED), "quotation marks": ('""', REFUSED),
    }),
)  # fmt: skip
@pytest.mark.parametrize(
    "keyword",
    ["Rows", "ReferencePixelX0", "SimpleFrameList", "SelectorSSValue", "SelectorSVValue",
     "SelectorUVValue", "SmallestImagePixelValue", "LUTDescriptor"],
)  # fmt: skip
def test_integers(keyword: str, value: str, expected: Any) -> None:
    """US, SL, UL, SS, SV, UV and the choices between them are integers."""
    asked(keyword, value, expected)


@pytest.mark.parametrize(
    ("value", "decimal", "single"),
    named({
        "a digit": ("2", Decimal(2), 2.0),
        "a fraction": ("0.5", Decimal("0.5"), 0.5),
        "zeros behind": ("0.50", Decimal("0.5"), 0.5),
        "no zero before the dot": (".5", Decimal("0.5"), 0.5),
        "no digit behind the dot": ("5.", Decimal(5), 5.0),
        "a tenth": ("0.1", Decimal("0.1"), 0.10000000149011612),
        "an exponent": ("25e-1", Decimal("2.5"), 2.5),
        "a capital E": ("1.5E3", Decimal(1500), 1500.0),
        "a plus": ("%2B1.5", Decimal("1.5"), 1.5),
        "a minus": ("-1.5", Decimal("-1.5"), -1.5),
        "minus zero": ("-0", Decimal(0), 0.0),
        "spaces around": ("+1.5+", Decimal("1.5"), 1.5),
        "zero length": ("", None, None),
        "past 64 bits": ("1e400", Decimal("1e400"), REFUSED),
        "past 32 bits": ("1e39", Decimal("1e39"), REFUSED),
        "infinity": ("inf", REFUSED, REFUSED), "minus infinity": ("-Infinity", REFUSED, REFUSED),
        "no number": ("nan", REFUSED, REFUSED), "a word": ("half", REFUSED, REFUSED),
        "a comma": ("0,5", REFUSED, REFUSED), "two values": ("1%5C2", REFUSED, REFUSED),
        "a star": ("*", REFUSED, REFUSED), "a wild card": ("0.?", REFUSED, REFUSED),
        "a range": ("1-2", REFUSED, REFUSED), "a dot": (".", REFUSED, REFUSED),
        "an exponent alone": ("e5", REFUSED, REFUSED), "two dots": ("1.2.3", REFUSED, REFUSED),
        "an exponent of five digits": ("1e99999", REFUSED, REFUSED),
        "65 digits": ("1" * 65, REFUSED, REFUSED), "an underscore": ("1_0", REFUSED, REFUSED),
        "other digits": ("%D9%A7", REFUSED, REFUSED), "hexadecimal": ("0x1p1", REFUSED, REFUSED),
    }),
)  # fmt: skip
def test_numbers(value: str, decimal: Any, single: Any) -> None:
    """DS keys are decimal, FL what 32 bits hold; neither has infinity."""

    def exact(number: Any) -> Any:
        return number if number is None or number is REFUSED else Exact((number,))

    asked("SliceThickness", value, exact(decimal))
    asked("RecommendedDisplayFrameRateInFloat", value, exact(single))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.1", Exact((0.1,))), ("1e39", Exact((1e39,))), ("1e400", REFUSED), ("x", REFUSED)],
)
def test_doubles(value: str, expected: Any) -> None:
    """FD keys are 64 bits."""
    asked("RealWorldValueSlope", value, expected)


YEAR, MONTH, DAY, HOUR, MINUTE, SECOND = (
    1_577_836_800_000_000,
    31 * DAY_US,
    DAY_US,
    HOUR_US,
    *(
        60_000_000,
        1_000_000,
    ),
)
NOON = YEAR + 12 * HOUR
YEAR_500 = (date(500, 1, 1) - date(1970, 1, 1)).days * DAY


@pytest.mark.parametrize(
    ("value", "expected"),
    named({
        "a year": ("2020", Range(YEAR, YEAR + 366 * DAY - 1)),
        "a month": ("202001", Range(YEAR, YEAR + MONTH - 1)),
        "a leap February": ("202002", Range(YEAR + MONTH, YEAR + MONTH + 29 * DAY - 1)),
        "a day": ("20200101", Range(YEAR, YEAR + DAY - 1)),
        "an hour": ("2020010112", Range(NOON, NOON + HOUR - 1)),
        "a minute": ("202001011200", Range(NOON, NOON + MINUTE - 1)),
        "a second": ("20200101120000", Range(NOON, NOON + SECOND - 1)),
        "a tenth": ("20200101120000.5", Range(NOON + 500_000, NOON + 599_999)),
        "a microsecond": ("20200101120000.000001", Range(NOON + 1, NOON + 1)),
        "ahead of UTC": ("20200101130000%2B0100", Range(NOON, NOON + SECOND - 1)),
        "ahead of UTC, its plus a space": ("20200101130000+0100", Range(NOON, NOON + SECOND - 1)),
        "behind UTC": ("20200101070000-0500", Range(NOON, NOON + SECOND - 1)),
        "a year behind UTC": ("2020-0500", Range(YEAR + 5 * HOUR, YEAR + 366 * DAY + 5 * HOUR - 1)),
        "two years": ("2020-2021", Range(YEAR, YEAR + 731 * DAY - 1)),
        "two years, spaces between": ("2020+-+2021", Range(YEAR, YEAR + 731 * DAY - 1)),
        "from": ("20200101-", Range(YEAR, None)),
        "until": ("-20200101", Range(None, YEAR + DAY - 1)),
        "from a year": ("2020-", Range(YEAR, None)),
        "until a year": ("-2020", Range(None, YEAR + 366 * DAY - 1)),
        "until the year 500": ("-0500", Range(None, YEAR_500 + 365 * DAY - 1)),
        "from, behind UTC": ("20200101070000-0500-", Range(NOON, None)),
        "until, behind UTC": ("-20200101070000-0500", Range(None, NOON + SECOND - 1)),
        "both behind UTC": ("20200101070000-0500-20200101080000-0500",
            Range(NOON, NOON + HOUR + SECOND - 1)),
        "the first ahead of UTC": ("20200101130000+0100-20200101",
            Range(NOON, YEAR + DAY - 1)),
        "the greatest offset": ("2020010112-1459",
            Range(NOON + 14 * HOUR + 59 * MINUTE, NOON + 15 * HOUR + 59 * MINUTE - 1)),
        "zero length": ("", None), "spaces only": ("++", None),
        "a lone dash": ("-", REFUSED), "a star": ("*", REFUSED), "a wild card": ("2020*", REFUSED),
        "month 13": ("202013", REFUSED), "month 0": ("202000", REFUSED),
        "30 February": ("20200230", REFUSED), "hour 24": ("2020010124", REFUSED),
        "year 0": ("0000", REFUSED), "three digits": ("202", REFUSED),
        "five digits": ("20201", REFUSED), "a fraction of a minute": ("202001011200.5", REFUSED),
        "seven decimals": ("20200101120000.1234567", REFUSED),
        "an offset of an hour": ("20200101+01", REFUSED),
        "an offset of 15 hours": ("20200101+1500", REFUSED),
        "an offset of 60 minutes": ("20200101+0160", REFUSED),
        "three ends": ("2020-2021-2022", REFUSED), "backwards": ("2021-2020", REFUSED),
        "ISO": ("2020-01-01", REFUSED), "ISO with a time": ("2020-01-01T12:00", REFUSED),
        "a list": ("2020,2021", REFUSED), "a word": ("today", REFUSED),
        "other digits": ("%EF%BC%92020", REFUSED),
    }),
)  # fmt: skip
def test_moments(value: str, expected: Any) -> None:
    """DT keys cover what they leave open; four digits that can be an offset are one."""
    asked("AcquisitionDateTime", value, expected)


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    named({
        "an age": ("PatientAge", "050Y", Exact(("050Y",))),
        "an age in days": ("PatientAge", "003D", Exact(("003D",))),
        "an age of two digits": ("PatientAge", "50Y", REFUSED),
        "an age in lower case": ("PatientAge", "050y", REFUSED),
        "an age with a star": ("PatientAge", "05*", REFUSED),
        "an age, star alone": ("PatientAge", "*", REFUSED),
        "an age, zero length": ("PatientAge", "", None),
        "a tag": ("FrameIncrementPointer", "00181063", Exact(("00181063",))),
        "a tag in lower case": ("FrameIncrementPointer", "0018106a", Exact(("0018106A",))),
        "a tag padded": ("FrameIncrementPointer", "00181063+", Exact(("00181063",))),
        "a tag, zero length": ("FrameIncrementPointer", "", None),
        "a tag of seven digits": ("FrameIncrementPointer", "0018106", REFUSED),
        "a tag with a comma": ("FrameIncrementPointer", "0018,1063", REFUSED),
        "a tag in parentheses": ("FrameIncrementPointer", "(0018,1063)", REFUSED),
        "a tag by its keyword": ("FrameIncrementPointer", "FrameTime", REFUSED),
        "a tag with a star": ("FrameIncrementPointer", "0018*", REFUSED),
        "AE": ("StationAETitle", "A*", Wildcard(("A*",))),
        "CS": ("ImageType", "AXIAL", Exact(("AXIAL",))),
        "LT": ("ImageComments", "*a?", Wildcard(("*a?",))),
        "LT, leading spaces are a part of it": ("ImageComments", "++a", Exact(("  a",))),
        "ST": ("InstitutionAddress", "a,b", Exact(("a,b",))),
        "UC": ("LongCodeValue", "a*", Wildcard(("a*",))),
        "UR": ("PixelDataProviderURL", "http:*", Wildcard(("http:*",))),
        "UT": ("TextValue", "a", Exact(("a",))),
        "UT, star alone": ("TextValue", "*", None),
        "UI": ("SOPClassUID", "1.2,1.3", Exact(("1.2", "1.3"))),
        "UI with a star": ("SOPClassUID", "1.2.*", REFUSED),
        "SQ": ("ReferencedImageSequence", "1", REFUSED),
        "SQ, zero length": ("ReferencedImageSequence", "", None),
    }),
)  # fmt: skip
def test_text(keyword: str, value: str, expected: Any) -> None:
    """Text has wild cards where PS3.4 has them; AS and AT have one form; SQ has no value."""
    asked(keyword, value, expected)


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    named({
        "ages": ("PatientAge", "050Y%5C051Y", AllOf((Exact(("050Y",)), Exact(("051Y",))))),
        "tags": ("FrameIncrementPointer", "00181063%5C0018106a",
            AllOf((Exact(("00181063",)), Exact(("0018106A",))))),
        "one of them is none": ("FrameIncrementPointer", "00181063%5Cx", REFUSED),
        "ages with a wild card": ("PatientAge", "050Y%5C05*", REFUSED),
        "types": ("ImageType", "ORIGINAL%5CAXIAL",
            AllOf((Exact(("ORIGINAL",)), Exact(("AXIAL",))))),
        "a text of one value": ("TextValue", "a%5Cb", Exact(("a\\b",))),
        "numbers": ("Rows", "1%5C2", REFUSED),
    }),
)  # fmt: skip
def test_several_values(keyword: str, value: str, expected: Any) -> None:
    """Multiple Value Matching is for the VRs that PS3.4 §C.2.2.2.8 has."""
    wanted = no(keyword) if expected is REFUSED else expected
    text = f"multiplevaluematching=true&{keyword}={value}"
    assert wanted == outcome(text, keyword, ALL)


def _attribute(name: str) -> Attribute:
    found = attribute_named(name)
    assert found is not None, name
    return found


PLAIN = (Matching.SINGLE, Matching.EMPTY)
TEXT = (Matching.SINGLE, Matching.WILD_CARD, Matching.EMPTY)
TEXTS = (Matching.SINGLE, Matching.WILD_CARD, Matching.MULTIPLE, Matching.EMPTY)


@pytest.mark.parametrize(
    ("name", "kinds"),
    named({
        "US": ("Rows", PLAIN), "DS": ("SliceThickness", PLAIN),
        "FD": ("RealWorldValueSlope", PLAIN), "US or SS": ("SmallestImagePixelValue", PLAIN),
        "AS": ("PatientAge", (Matching.SINGLE, Matching.MULTIPLE, Matching.EMPTY)),
        "AT": ("FrameIncrementPointer", (Matching.SINGLE, Matching.MULTIPLE, Matching.EMPTY)),
        "UI": ("SOPClassUID", (Matching.SINGLE, Matching.UID_LIST, Matching.EMPTY)),
        "DT": ("AcquisitionDateTime", (Matching.SINGLE, Matching.RANGE, Matching.EMPTY)),
        "DA, joined": ("SeriesDate",
            (Matching.SINGLE, Matching.RANGE, Matching.COMBINED, Matching.EMPTY)),
        "DA, alone": ("PatientBirthDate", (Matching.SINGLE, Matching.RANGE, Matching.EMPTY)),
        "LT": ("ImageComments", TEXT), "UR": ("PixelDataProviderURL", TEXT),
        "LO": ("SeriesDescription", TEXTS), "private": ("00091001", TEXT),
        "a private creator": ("00090010", PLAIN),
        "SQ": ("ReferencedImageSequence", (Matching.SEQUENCE,)),
        "OW": ("PixelData", ()), "never matched": ("SpecificCharacterSet", ()),
        "in answers alone": ("InstanceAvailability", ()),
    }),
)  # fmt: skip
def test_kinds_of_matching(name: str, kinds: tuple[Matching, ...]) -> None:
    """Each VR has its kinds of matching; what is no criterion has none."""
    assert kinds == matching_of(_attribute(name))


@pytest.mark.parametrize("vr", sorted(BINARY_VRS))
def test_bytes_have_no_kind(vr: str) -> None:
    """Bytes are not matched."""
    plain = _attribute("Rows")
    assert () == matching_of(
        Attribute(plain.keyword, plain.tag, vr, plain.level, plain.origin, by_default=False)
    )
