"""The requests of viewers and tools for instances and for details of series, byte by byte."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.clients.reading import (
    described_series,
    read_attributes,
    read_instance,
    shown_description,
    shown_instance,
)
from tests.clients.sent import ADAPTER, JAVA, PYTHON, SESSION, WEASIS_SERIES, XHR
from tests.clients.viewed import (
    JOSE,
    MARY,
    MICHAEL,
    TARO,
    UNDATED,
    Instance,
    Series,
    Study,
    instances_where,
)
from tests.clients.wire import replay
from tests.e2e.running import Running

OF_MARY = f"/studies/{MARY.uid}/series"

# --- details of series ----------------------------------------------------------------------------

DETAILS_OF = {
    "Weasis, of a study": (
        MARY,
        (f"{OF_MARY}?includefield=0008103E,00080060,0020000E,00200011,00081190", JAVA),
    ),
    "Weasis, of an undated study": (
        UNDATED,
        (f"/studies/{UNDATED.uid}/series?includefield={WEASIS_SERIES},00080021,00080031", JAVA),
    ),
    "dicomweb-client, fields repeated": (
        MICHAEL,
        (
            f"/studies/{MICHAEL.uid}/series?includefield=SeriesDescription"
            "&includefield=00080021&includefield=SeriesTime",
            PYTHON,
        ),
    ),
    "Google's adapter, relational": (
        JOSE,
        (
            f"/series?limit=5000&0020000D={JOSE.uid}&includefield=0008103E&includefield=00080021&",
            ADAPTER,
        ),
    ),
    "any, includefield all": (
        MICHAEL,
        (f"/studies/{MICHAEL.uid}/series?includefield=all&includefield=00080060", XHR),
    ),
}


@pytest.mark.parametrize(("study", "request_"), DETAILS_OF.values(), ids=DETAILS_OF)
def test_series_details(gateway: Running, study: Study, request_: tuple[str, str]) -> None:
    """The description of each series is that of its instances, and its day where it is asked."""
    target, headers = request_
    answer = replay(gateway.url, target, headers)
    asked_day = "00080021" in target or "all" in target
    expected = [shown_description(one) for one in study.series]
    told = [described_series(one) for one in answer.json]
    assert [one["description"] for one in expected] == [one["description"] for one in told]
    assert [one["date"] if asked_day else "" for one in expected] == [one["date"] for one in told]


# --- instances ------------------------------------------------------------------------------------

_MR, _REPORT = MARY.series[0], MARY.series[2]
_OF_MR = f"{OF_MARY}/{_MR.uid}/instances"
_OF_JOSE = instances_where(lambda study, _, __: study is JOSE)
INSTANCES_OF: dict[str, tuple[str, str, Sequence[tuple[Study, Series, Instance]]]] = {
    "OHIF, first of a series": (
        f"{_OF_MR}?limit=1&includefield=00080018",
        XHR,
        instances_where(lambda _, series, __: series is _MR)[:1],
    ),
    "Weasis, of a series": (
        f"{_OF_MR}?includefield=00080018,00200013,00081190",
        JAVA,
        instances_where(lambda _, series, __: series is _MR),
    ),
    "Weasis, of a report": (
        f"{OF_MARY}/{_REPORT.uid}/instances?includefield=00080018,00200013,00081190",
        JAVA,
        instances_where(lambda _, series, __: series is _REPORT),
    ),
    "Weasis, one by its UID": (
        f"/instances?00080018={_MR.held[6].uid}",
        JAVA,
        instances_where(lambda _, __, one: one.uid == _MR.held[6].uid),
    ),
    "Weasis, several by their UIDs": (
        f"/instances?0020000D={MARY.uid}&00080018={_MR.held[9].uid},{_MR.held[2].uid}",
        JAVA,
        instances_where(lambda _, __, one: one.uid in (_MR.held[2].uid, _MR.held[9].uid)),
    ),
    "Slicer, of a series": (
        _OF_MR,
        PYTHON,
        instances_where(lambda _, series, __: series is _MR),
    ),
    "Google's adapter, of a study": (
        f"/instances?limit=50000&0020000D={JOSE.uid}&",
        ADAPTER,
        _OF_JOSE,
    ),
    "Google's adapter, of a series, a field each": (
        f"/instances?limit=50000&0020000D={MARY.uid}&0020000E={_MR.uid}"
        "&includefield=00080018&includefield=00200013&",
        ADAPTER,
        instances_where(lambda _, series, __: series is _MR),
    ),
    "Google's adapter, one": (
        f"/instances?limit=50000&0020000D={JOSE.uid}&0020000E={JOSE.series[0].uid}"
        f"&00080018={_OF_JOSE[150][2].uid}&",
        ADAPTER,
        _OF_JOSE[150:151],
    ),
    "dicomtrolley, of a study": (
        f"/studies/{TARO.uid}/instances",
        SESSION,
        instances_where(lambda study, _, __: study is TARO),
    ),
    "any, of another's series": (f"/studies/{JOSE.uid}/series/{_MR.uid}/instances", XHR, ()),
    "any, behind the end": (f"{_OF_MR}?offset=20", XHR, ()),
}


@pytest.mark.parametrize(("target", "headers", "found"), INSTANCES_OF.values(), ids=INSTANCES_OF)
def test_instances(
    gateway: Running,
    target: str,
    headers: str,
    found: Sequence[tuple[Study, Series, Instance]],
) -> None:
    """The instances that are meant, in their order, each with its number, class and size."""
    answer = replay(gateway.url, target, headers)
    expected = [shown_instance(*one) for one in found]
    assert (200, expected) == (answer.status, [read_instance(one) for one in answer.json])
    read_attributes(answer.json, {"00080016", "00080018", "00081190", "00200013"})


def test_retrieve_url_of_instances(gateway: Running) -> None:
    """Weasis takes the address of an instance from the answer: it ends with the three UIDs."""
    answer = replay(gateway.url, f"{_OF_MR}?includefield=00080018,00200013,00081190", JAVA)
    addresses = [f"{gateway.url}{_OF_MR}/{one.uid}" for one in _MR.held]
    assert addresses == [one["00081190"]["Value"][0] for one in answer.json]
