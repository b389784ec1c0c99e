"""Blobs of GetImageSetMetadata: each fault leaves what is beside it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from gateway.healthimaging.blob import read_blob
from gateway.healthimaging.gunzipping import PIECE_BYTES
from gateway.healthimaging.inflating import GZIP_MAGIC, BlobText
from gateway.search.metadata import Fault, Metadata

NAMES = frozenset(("Rows", "001910F9"))
SERIES = "1.2.3"


def instance(number: int, **dicom: Any) -> dict[str, Any]:
    """An instance as HealthImaging stores it."""
    found = {"SOPInstanceUID": f"1.2.3.{number}", "InstanceNumber": f"{number} ", "Rows": 4}
    return {
        "DICOM": {**found, "KVP": "120", **dicom},
        "DICOMVRs": {},
        "StoredTransferSyntaxUID": "1.2",
        "ImageFrames": [{"ID": "a"}],
    }


def document(**parts: Any) -> dict[str, Any]:
    """A document of two instances; `parts` take the place of its own."""
    own = {
        "patient": {"DICOM": {"PatientID": "P"}},
        "study_dicom": {"StudyID": "S"},
        "series_dicom": {"SeriesInstanceUID": SERIES, "SeriesDescription": "AX"},
        "instances": {"1.2.3.2": instance(2), "1.2.3.1": instance(1)},
    }
    own |= parts
    series = {"DICOM": own["series_dicom"], "Instances": own["instances"]}
    all_series = own.get("all_series", {SERIES: series})
    study = own.get("study", {"DICOM": own["study_dicom"], "Series": all_series})
    return {"SchemaVersion": "1.1", "Patient": own["patient"], "Study": study}


def read(
    stored: Any, names: frozenset[str] | None = NAMES, series: str = SERIES, **more: Any
) -> Metadata:
    """What is read of a document, or of bytes; with windows of its own the text comes in bits."""
    windows = "first_window" in more
    plain = stored if isinstance(stored, bytes) else json.dumps(stored).encode()
    body = plain if windows or isinstance(stored, bytes) else gzip.compress(plain)
    step = 16 if windows and not body.startswith(GZIP_MAGIC) else len(body) + 1
    chunks = [body[at : at + step] for at in range(0, len(body), step)]
    return read_blob(chunks, names, series, more.pop("max_bytes", 10**9), **more)


def nested(depth: int) -> dict[str, Any]:
    """The attributes of a series with so many objects and arrays within each other."""
    found: dict[str, Any] = {}
    for _ in range(depth // 2):
        found = {"RequestAttributesSequence": [found]}
    return {"SeriesInstanceUID": SERIES, **found}


def uids(metadata: Metadata) -> Sequence[str]:
    """The last components of its instances' UIDs."""
    return [one.sop_instance_uid.rpartition(".")[2] for one in metadata.instances]


def without(stored: dict[str, Any], *path: str) -> dict[str, Any]:
    """`stored` without the part at the end of `path`."""
    copy: dict[str, Any] = json.loads(json.dumps(stored))
    at = copy
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    return copy


def test_whole() -> None:
    """The levels are put together; instances stand by number, with what was asked for."""
    found = read(document())
    assert {
        "PatientID": "P",
        "StudyID": "S",
        "SeriesInstanceUID": SERIES,
        "SeriesDescription": "AX",
    } == found.levels
    assert (["1", "2"], True, ()) == (uids(found), found.whole, found.faults)
    kept = {"SOPInstanceUID": "1.2.3.1", "InstanceNumber": "1 ", "Rows": 4}
    expected = {"DICOM": kept, "DICOMVRs": {}, "StoredTransferSyntaxUID": "1.2"}
    assert expected == orjson.loads(found.instances[0].body)


GZIPPED = gzip.compress(json.dumps(document()).encode())
TEXT = json.dumps(document()).encode()
LAST = TEXT.index(b'"1.2.3.1": {')  # the second of the two
SERIES_PATH = ("Study", "Series", SERIES)
BOTH = ["1", "2"]


@pytest.mark.parametrize(
    ("stored", "served", "whole", "faults"),
    [
        pytest.param(TEXT, BOTH, True, (), id="not gzipped"),
        pytest.param(b"\xef\xbb\xbf" + TEXT, BOTH, True, (), id="a byte order mark"),
        pytest.param(GZIPPED + b"\0" * 9, BOTH, True, (), id="padding behind"),
        pytest.param(gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:]), BOTH, True, (),
                     id="several members of gzip"),
        pytest.param(b"", [], False, (Fault.NOT_GZIP,), id="nothing"),
        pytest.param(b"<html>", [], False, (Fault.NOT_GZIP,), id="something else"),
        pytest.param(b"\x1f\x8bxxxxxxxx", [], False, (Fault.NOT_GZIP,), id="gzip in name only"),
        pytest.param(gzip.compress(b"<html>"), [], False, (Fault.NOT_JSON,), id="gzip of no JSON"),
        pytest.param(gzip.compress(b""), [], False, (Fault.NOT_JSON,), id="gzip of nothing"),
        pytest.param(b"[1]", [], False, (Fault.INCOMPLETE,), id="a list"),
        pytest.param(b"null", [], False, (Fault.INCOMPLETE,), id="null"),
        pytest.param(TEXT[: LAST + 40], ["2"], False, (Fault.NOT_JSON,), id="text breaks off"),
        pytest.param(GZIPPED[:-4], BOTH, False, (Fault.NOT_JSON,), id="gzip breaks off"),
        pytest.param(GZIPPED[:-8] + b"xxxxxxxx", [], False, (Fault.NOT_GZIP,), id="a checksum"),
        pytest.param(GZIPPED + b"xx", BOTH, False, (Fault.NOT_JSON,), id="rubbish behind gzip"),
        pytest.param(TEXT + b"}", BOTH, False, (Fault.NOT_JSON,), id="rubbish behind the text"),
        pytest.param(TEXT[:LAST] + b"?" + TEXT[LAST:], ["2"], False, (Fault.NOT_JSON,), id="typo"),
        pytest.param(document(instances={"1.2.3.1": instance(1), "1.2.3.2": None}), BOTH, True,
                     (Fault.INCOMPLETE,), id="an instance is null"),
        pytest.param(document(instances={"1.2.3.1": instance(1), "1.2.3.2": {"DICOM": []}}), BOTH,
                     True, (Fault.INCOMPLETE,), id="an instance's DICOM is a list"),
        pytest.param(document(instances={"1.2.3.1": instance(1), "": {}}), ["1"], False,
                     (Fault.INCOMPLETE,), id="an instance without any UID"),
        pytest.param(document(instances={"1.2.3.7": instance(1, SOPInstanceUID=None)}), ["7"],
                     True, (), id="the key stands for a missing UID"),
        pytest.param(document(instances={"1.2.3.7": instance(1, SOPInstanceUID=["1"])}), ["7"],
                     True, (), id="and for one that is no text"),
        pytest.param(document(instances={"x": instance(1, SOPInstanceUID="1.2.3.1\0")}), ["1"],
                     True, (), id="a padded UID"),
        pytest.param(document(instances={"a": instance(1), "b": instance(1, Rows=5)}), ["1"], True,
                     (), id="an instance twice"),
        pytest.param(document(series_dicom=nested(300)), [], False, (Fault.NOT_JSON,),
                     id="deep nesting of the series' attributes"),
        pytest.param(document(instances={}), [], True, (), id="no instances"),
        pytest.param(document(instances=None), [], False, (Fault.INCOMPLETE,), id="Instances null"),
        pytest.param(document(instances=[1]), [], False, (Fault.INCOMPLETE,), id="Instances list"),
        pytest.param(document(patient=None), BOTH, True, (Fault.INCOMPLETE,), id="Patient null"),
        pytest.param(document(patient={"DICOM": 1}), BOTH, True, (Fault.INCOMPLETE,),
                     id="Patient's DICOM a number"),
        pytest.param(document(study_dicom=None), BOTH, True, (Fault.INCOMPLETE,),
                     id="Study's DICOM null"),
        pytest.param(document(series_dicom="x"), BOTH, True, (Fault.INCOMPLETE,),
                     id="Series' DICOM a text"),
        pytest.param(document(study=[]), [], False, (Fault.INCOMPLETE,), id="Study a list"),
        pytest.param(document(all_series=None), [], False, (Fault.INCOMPLETE,), id="Series null"),
        pytest.param(document(all_series={}), [], False, (Fault.INCOMPLETE,), id="no series"),
        pytest.param(document(all_series={SERIES: None}), [], False, (Fault.INCOMPLETE,),
                     id="the series is null"),
        pytest.param(without(document(), "Patient"), BOTH, True, (Fault.INCOMPLETE,),
                     id="no Patient"),
        pytest.param(without(document(), "Study"), [], False, (Fault.INCOMPLETE,), id="no Study"),
        pytest.param(without(document(), "Study", "Series"), [], False, (Fault.INCOMPLETE,),
                     id="no Series"),
        pytest.param(without(document(), "Study", "DICOM"), BOTH, True, (Fault.INCOMPLETE,),
                     id="no DICOM of the study"),
        pytest.param(without(document(), *SERIES_PATH, "Instances"), [], False,
                     (Fault.INCOMPLETE,), id="no Instances"),
        pytest.param(without(document(), *SERIES_PATH, "DICOM"), BOTH, True, (Fault.INCOMPLETE,),
                     id="no DICOM of the series"),
        pytest.param(b"[" * 100_000, [], False, (Fault.NOT_GZIP,), id="deep nesting, at once"),
        pytest.param(TEXT[:LAST] + b'"x": ' + b"[" * 100_000, ["2"], False, (Fault.NOT_JSON,),
                     id="deep nesting, later"),
    ],
)  # fmt: skip
def test_faults(stored: Any, served: Sequence[str], whole: bool, faults: tuple[Fault, ...]) -> None:
    """What can be read is served, and what is wrong is said, in windows of any size."""
    for first, most in ((1, 32), (16, 64), (10**5, 10**6)):
        found = read(stored, first_window=first, most_window=most)
        assert (served, whole, faults) == (uids(found), found.whole, found.faults)


def test_too_large() -> None:
    """Past the bound nothing is read; what came before is kept. A blob of the bound is whole."""
    size = len(TEXT)
    for stored in (TEXT, gzip.compress(TEXT)):
        whole = read(stored, max_bytes=size)
        assert (BOTH, True, ()) == (uids(whole), whole.whole, whole.faults)
        cut = read(stored, max_bytes=size - 1, first_window=16)
        assert (False, (Fault.TOO_LARGE,)) == (cut.whole, cut.faults)
    many = document(instances={f"1.{n}": instance(n) for n in range(2_000)})
    found = read(many, max_bytes=200_000)
    assert (False, (Fault.TOO_LARGE,)) == (found.whole, found.faults)
    assert 100 < len(found.instances) < 2_000
    noise = bytes((7 * n * n) % 251 for n in range(100_000))
    assert (Fault.TOO_LARGE,) == read(gzip.compress(noise, 0), max_bytes=70_000).faults
    assert (Fault.TOO_LARGE,) == read(gzip.compress(b"") * 1_000, max_bytes=1_000).faults


def test_no_step_inflates_much() -> None:
    """A small chunk that holds much is inflated piece by piece."""
    pieces = list(BlobText([gzip.compress(b" " * 10**6)], 10**7))
    assert 10**6 == sum(map(len, pieces))
    assert max(map(len, pieces)) <= PIECE_BYTES


def of(*keys: str, key_of_dicom: str = "") -> dict[str, Any]:
    """A document of so many series, each with an instance that has its key's number."""
    return document(
        all_series={
            key: {
                "DICOM": {"SeriesInstanceUID": key_of_dicom or key},
                "Instances": {f"9.{key}": instance(1, SOPInstanceUID=f"9.{key}")},
            }
            for key in keys
        }
    )


@pytest.mark.parametrize(
    ("stored", "series", "served"),
    [
        pytest.param(of("5"), "5", ["5"], id="its key"),
        pytest.param(of("5 "), " 5", ["5"], id="trimmed"),
        pytest.param(of("x", key_of_dicom="5\0"), "5", ["x"], id="its attribute"),
        pytest.param(of("5"), "6", ["5"], id="the only one"),
        pytest.param(of("5"), "", ["5"], id="the only one, and none named"),
        pytest.param(of("5", "6"), "5", ["5"], id="the first"),
        pytest.param(of("5", "6", "7"), "7", ["7"], id="the last"),
        pytest.param(of("5", "6"), "7", None, id="none of several"),
        pytest.param(of("5", "6"), "", None, id="none named of several"),
        pytest.param(of("5", "6", key_of_dicom=" "), "", None, id="nor of several without UIDs"),
    ],
)
def test_series(stored: Any, series: str, served: Sequence[str] | None) -> None:
    """The summary's series is taken, or the only one; where none fits, that is said."""
    found = read(stored, series=series)
    if served is None:
        assert ([], False, (Fault.INCOMPLETE,)) == (uids(found), found.whole, found.faults)
    else:
        assert (served, True, ()) == (uids(found), found.whole, found.faults)


def test_the_series_behind_a_break() -> None:
    """Another series than the summary's is not taken where the right one may be behind a break."""
    broken = json.dumps(of("5", "6")).encode()
    broken = broken[: broken.index(b'"6"')]
    assert [] == uids(read(broken, series="6"))
    assert ["5"] == uids(read(broken, series="5"))


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("NaN", None), ("-Infinity", None), ("1e999", None), ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", "18446744073709551616"), (r'"\ud800x"', "\ufffdx"),
        (r'"\ud83d\ude00"', "\U0001f600"), ('"a\nb"', "a\nb"), (r'["\udc00"]', ["\ufffd"]),
        (r'{"\udc00": 1}', {"\ufffd": 1}), ("-1.5e+3", -1500.0), ("[]", []), ("{}", {}),
        ('"caf\u00e9"', "caf\u00e9"), ("true", True), ("null", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("window", [24, 50, 10**5])
def test_odd_values(raw: str, kept: Any, window: int) -> None:
    """What Python reads and JSON does not have is made good, in an instance and in a level."""
    text = json.dumps(document()).replace('"Rows": 4', f'"Rows": {raw}').replace('"AX"', raw)
    found = read(text.encode(), first_window=window, most_window=window)
    assert (True, BOTH) == (found.whole, uids(found))
    for one in found.instances:
        assert kept == orjson.loads(one.body)["DICOM"]["Rows"]
    assert kept == found.levels["SeriesDescription"]


def test_bytes_that_are_no_utf_8() -> None:
    """They are replaced, and nothing else is lost."""
    found = read(TEXT.replace(b'"AX"', b'"A\xff"'))
    assert ("A\ufffd", BOTH) == (found.levels["SeriesDescription"], uids(found))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("7", 7), (" 7 ", 7), ("-2", -2), ("+3\0", 3), (7, 7), (["7 "], 7),
        ("", None), (None, None), ("x", None), ("1.5", None), (1.5, None), (True, None),
        (["1", "2"], None), ({}, None), ("9" * 13, None), ("١", None),
    ],
)  # fmt: skip
def test_instance_number(number: Any, expected: int | None) -> None:
    """An InstanceNumber is what can be read as an integer."""
    (one,) = read(document(instances={"1": instance(1, InstanceNumber=number)})).instances
    assert expected == one.number


def test_the_first_of_an_instance_counts() -> None:
    """One that stands there twice is one result."""
    twice = {"1.2.3.1": instance(1), "x": instance(1, Rows=5)}
    (one,) = read(document(instances=twice)).instances
    assert 4 == orjson.loads(one.body)["DICOM"]["Rows"]


def test_order() -> None:
    """By number, those without one last, then by UID."""
    numbers = {"4": "10", "1": None, "3": "9", "2": "9", "0": None}
    stored = {
        key: instance(1, SOPInstanceUID=f"1.{key}", InstanceNumber=number)
        for key, number in numbers.items()
    }
    assert ["2", "3", "4", "0", "1"] == uids(read(document(instances=stored)))


@pytest.mark.parametrize("window", [24, 10**5])
def test_vrs(window: int) -> None:
    """VRs go with what is kept; those of other levels with the levels."""
    private = {"001910F9": "97", "001910FA": "1", "00190010": "ACME"}
    one = {**instance(1, **private), "DICOMVRs": {"001910F9": "DS", "001910FA": "LO", "x": 1}}
    nested = {**one, "DICOM": {**one["DICOM"], "SOPInstanceUID": "2", "Rows": [{"001910FA": "1"}]}}
    mistyped = {**instance(3), "DICOMVRs": []}
    stored = document(instances={"1": one, "2": nested, "3": mistyped})
    stored["DICOMVRs"] = {"00090001": "LO"}
    stored["Patient"]["DICOMVRs"] = {"00090002": "SH"}
    stored["Study"]["DICOMVRs"] = {"00090003": "UI"}
    stored["Study"]["Series"][SERIES]["DICOMVRs"] = {"00090004": "UT"}
    found = read(stored, first_window=window, most_window=window)
    levels = {"00090001": "LO", "00090002": "SH", "00090003": "UI", "00090004": "UT"}
    assert levels == found.vrs
    bodies = {
        uid: orjson.loads(i.body) for uid, i in zip(uids(found), found.instances, strict=True)
    }
    assert {"001910F9": "DS"} == bodies["1"]["DICOMVRs"]
    assert {"001910F9": "DS", "001910FA": "LO"} == bodies["2"]["DICOMVRs"]
    assert {} == bodies["3"]["DICOMVRs"]
    assert "ACME" == bodies["1"]["DICOM"]["00190010"]  # the creator of what was asked for
    assert "001910FA" not in bodies["1"]["DICOM"]


@pytest.mark.parametrize("window", [24, 10**5])
@pytest.mark.parametrize(
    ("names", "kept"),
    [
        pytest.param(frozenset({"KVP"}), {"KVP"}, id="one"),
        pytest.param(frozenset({"00180060"}), {"KVP"}, id="by its tag"),
        pytest.param(frozenset({"x"}), set(), id="none that there is"),
        pytest.param(frozenset(), set(), id="none"),
        pytest.param(None, {"KVP", "Rows", "SliceThickness"}, id="all"),
    ],
)
def test_names(names: frozenset[str] | None, kept: set[str], window: int) -> None:
    """What was asked for is kept, and what every instance needs."""
    stored = document(instances={"1": instance(1, SliceThickness="1", PixelRepresentation=1)})
    (one,) = read(stored, names, first_window=window, most_window=window).instances
    always = {"SOPInstanceUID", "InstanceNumber", "PixelRepresentation"}
    assert always | kept == set(orjson.loads(one.body)["DICOM"])


@pytest.mark.parametrize("window", [24, 100])
def test_a_large_instance(window: int) -> None:
    """It is read in parts, and is the same as if it were read at once."""
    large = {"Rows": list(range(99)), "KVP": "\U0001f600" * 99, "Code": [{"A": ["x" * 99, {}]}]}
    stored = document(instances={"1": instance(1, **large), "2": instance(2)})
    for names in (None, NAMES):
        parts = read(stored, names, first_window=window, most_window=window)
        assert (True, ()) == (parts.whole, parts.faults)
        at_once = read(stored, names).instances
        assert [orjson.loads(one.body) for one in at_once] == [
            orjson.loads(one.body) for one in parts.instances
        ]


def test_a_keyword_newer_than_the_blobs() -> None:
    """An attribute that HealthImaging did not know by keyword stands by its tag."""
    stored = document(instances={"1": instance(1, **{"00180060": "90"})})
    (one,) = read(stored, frozenset({"KVP"})).instances
    assert "90" == orjson.loads(one.body)["DICOM"]["00180060"]


def test_nothing_of_a_patient_is_shown() -> None:
    """The repr of metadata holds no value."""
    found = read(document(patient={"DICOM": {"PatientName": "DOE^JANE"}}))
    assert "DOE" not in repr(found)


# --- frames ---------------------------------------------------------------------------------------

FRAMES = [{"ID": "a", "FrameSizeInBytes": 4}, {"ID": "b"}]


@pytest.mark.parametrize(
    ("stored", "names", "kept"),
    [
        pytest.param(FRAMES, frozenset(("ImageFrames",)), ["a", "b"], id="asked for"),
        pytest.param(FRAMES, None, ["a", "b"], id="everything asked for"),
        pytest.param(FRAMES, NAMES, None, id="not asked for"),
        pytest.param([], None, None, id="none"),
        pytest.param("a", None, None, id="no list"),
        pytest.param([{"ID": "a"}, 1], None, None, id="one that is none"),
        pytest.param([{"ID": "a"}, {}], None, None, id="one without an ID"),
        pytest.param([{"ID": "a"}, {"ID": 1}], None, None, id="an ID that is no text"),
    ],
)
@pytest.mark.parametrize("large", [False, True], ids=["", "large"])
def test_frames(
    stored: Any, names: frozenset[str] | None, kept: list[str] | None, large: bool
) -> None:
    """The IDs of frames are kept in their order where they are asked for; all, or none."""
    one = {**instance(1), "ImageFrames": stored}
    windows: dict[str, Any] = {"first_window": 16, "most_window": 32} if large else {}
    found = read(document(instances={"1.2.3.1": one}), names, **windows)
    assert kept == orjson.loads(found.instances[0].body).get("ImageFrames")
