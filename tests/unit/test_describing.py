"""What a search needs of metadata, what it costs, and how it becomes results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from gateway.errors import UpstreamUnavailableError
from gateway.qido.attributes import Resource
from gateway.qido.query import Dialect, parse_query
from gateway.qido.result import Result
from gateway.search.describing import AT_ONCE
from gateway.search.imageset import ImageSet, Page
from gateway.search.metadata import Fault, Metadata, PackedInstance
from gateway.search.needs import needs_of
from gateway.search.pipeline import count, search
from gateway.search.plan import Equal, Plan, SearchOptions
from gateway.search.tally import Tally
from gateway.search.trail import Trail
from gateway.search.upstream import Names, Resume
from tests.unit.tables import named

STUDIES, STUDY_SERIES, ALL_SERIES = Resource.STUDIES, Resource.STUDY_SERIES, Resource.ALL_SERIES
INSTANCES = Resource.ALL_INSTANCES
FETCHED = Dialect(study_attributes=frozenset(("ReferringPhysicianName",)))
COUNT = "NumberOfSeriesRelatedInstances"


@pytest.mark.parametrize(
    ("resource", "asked", "study", "series", "counted", "waiting", "orders"),
    named({
        "nothing": (STUDIES, "", "", "", "never", "", False),
        "a known key": (STUDIES, "PatientID=A", "", "", "never", "", False),
        "a derived key": (STUDIES, "ModalitiesInStudy=CT", "", "", "never", "", False),
        "an attribute": (ALL_SERIES, "includefield=SeriesDate", "", "SeriesDate", "never", "",
            False),
        "an empty key": (ALL_SERIES, "SeriesDate=", "", "SeriesDate", "never", "", False),
        "a key": (ALL_SERIES, "SeriesDescription=A", "", "SeriesDescription", "never",
            "SeriesDescription", False),
        "an order": (ALL_SERIES, "orderby=SeriesDate", "", "SeriesDate", "never", "", True),
        "a known order": (ALL_SERIES, "orderby=SeriesNumber", "", "", "never", "", False),
        "a study's": (STUDIES, "ReferringPhysicianName=A", "ReferringPhysicianName", "", "never",
            "ReferringPhysicianName", False),
        "a study's, of series": (ALL_SERIES, "includefield=00080090", "ReferringPhysicianName", "",
            "never", "", False),
        "the number of instances": (ALL_SERIES, f"{COUNT}=2", "", "", "each", COUNT, False),
        "its order": (ALL_SERIES, f"orderby={COUNT}", "", "", "each", "", True),
        "the number, returned": (ALL_SERIES, f"includefield={COUNT}", "", "", "where open", "",
            False),
    }),
)  # fmt: skip
def test_needs(
    resource: Resource, asked: str, study: str, series: str, counted: str, waiting: str,
    orders: bool,
) -> None:  # fmt: skip
    """Studies and series need metadata only for what names an attribute that it alone has."""
    query = parse_query(resource, asked.encode(), dialect=FETCHED)
    needs = needs_of(query, SearchOptions())
    assert (study, series) == tuple(
        " ".join(a.keyword for a in found) for found in (needs.study, needs.series)
    )
    assert (counted, orders) == (needs.count, needs.orders)
    assert waiting == " ".join(c.attribute.keyword for c in needs.waiting)
    assert needs.anything == any((study, series, counted != "never"))
    assert needs.decides == bool(waiting or orders)


@pytest.mark.parametrize("asked", ["includefield=00080090", "includefield=all", "00080090=A*"])
@pytest.mark.parametrize("resource", [STUDIES, ALL_SERIES])
def test_what_the_operator_does_not_name_is_not_fetched(resource: Resource, asked: str) -> None:
    """OHIF asks for ReferringPhysicianName with every search; it is there without a value."""
    needs = needs_of(parse_query(resource, asked.encode()), SearchOptions(counts="image-set"))
    assert () == needs.study
    assert needs.anything == (resource is ALL_SERIES and "all" in asked)


@pytest.mark.parametrize(
    ("asked", "has", "lacks"),
    [
        ("", "SOPClassUID Rows ReferringPhysicianName", "PatientName SliceThickness"),
        ("SliceThickness=1", "SliceThickness Rows", "SeriesDescription"),
        ("includefield=SeriesDescription", "SeriesDescription Rows", "SliceThickness"),
        ("orderby=AcquisitionNumber", "AcquisitionNumber", "SliceThickness"),
    ],
)
def test_names_of_instances(asked: str, has: str, lacks: str) -> None:
    """Of each instance the default attributes are read, and those that the query names."""
    needs = needs_of(parse_query(INSTANCES, asked.encode()), SearchOptions())
    assert needs.names is not None
    assert set(has.split()) <= needs.names
    assert not set(lacks.split()) & needs.names


def test_everything_of_instances() -> None:
    """All is read where all is returned."""
    assert needs_of(parse_query(INSTANCES, b"includefield=all"), SearchOptions()).names is None


@pytest.mark.parametrize("keys", [f"{COUNT}=1", f"orderby={COUNT}", f"includefield={COUNT}"])
def test_a_sure_number_needs_no_metadata(keys: str) -> None:
    """With `counts = "image-set"` a summary's number is the series' own."""
    options = SearchOptions(counts="image-set")
    assert not needs_of(parse_query(ALL_SERIES, keys.encode()), options).anything


# --- an upstream in memory ------------------------------------------------------------------------


def image_set(study: int, series: int, part: int = 0, **tags: str | int) -> ImageSet:
    """An image set; a later part is an older one."""
    values: dict[str, str | int] = {
        "DICOMStudyInstanceUID": f"1.{study}",
        "DICOMSeriesInstanceUID": f"1.{study}.{series}",
        "DICOMSeriesNumber": series,
        "DICOMStudyDate": f"202001{20 - study:02}",
        **tags,
    }
    return ImageSet(f"{study}-{series}-{part}", values, 1, 0.0, 9.0 - part, True)


def packed(uid: str, number: int | None, **more: Any) -> PackedInstance:
    """An instance with these attributes."""
    dicom = {"SOPInstanceUID": uid, "InstanceNumber": number, **more}
    return PackedInstance(number, uid, orjson.dumps({"DICOM": dicom, "DICOMVRs": {}}))


def metadata_of(one: ImageSet, instances: int = 3) -> Metadata:
    """As many instances of a series, numbered from 1, with a description."""
    uid = one.tags["DICOMSeriesInstanceUID"]
    found = tuple(packed(f"{uid}.{n}", n) for n in range(1, instances + 1))
    return Metadata({"SeriesDescription": f"S{one.tags['DICOMSeriesNumber']}"}, {}, found)


@dataclass
class OneWalk:
    """A walk of one page, or as many as it takes."""

    plan: Plan
    pages: Sequence[Page]
    ended: bool = False
    given: int = 0
    trail: Trail = field(default_factory=Trail)
    place: object = None

    def leave(self, trail: Trail) -> None:
        """Nobody comes after."""

    def expect(self, pages: float) -> None:
        """All are there."""

    def __aiter__(self) -> AsyncIterator[Page]:
        return self

    async def __anext__(self) -> Page:
        if self.given == len(self.pages):
            raise StopAsyncIteration
        self.given += 1
        self.ended = self.given == len(self.pages)
        return self.pages[self.given - 1]


@dataclass
class Upstream:
    """Gives the same image sets to every plan, and metadata by image set."""

    image_sets: Sequence[ImageSet]
    page_size: int = 50
    metadata_by_id: dict[str, Metadata] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    fetched: list[str] = field(default_factory=list)
    names: list[Names] = field(default_factory=list)
    walks: list[OneWalk] = field(default_factory=list)
    most_at_once: int = 0
    refused: frozenset[str] = frozenset()
    _under_way: int = 0

    def expect(self, plans: Iterable[Plan]) -> None:
        """All are there."""

    def begin_anew(self) -> None:
        """No walk is lost."""
        raise AssertionError("no walk is lost")

    async def open(self, one: Plan, resume: Resume | None = None) -> OneWalk:
        """A walk over all of them."""
        if any(isinstance(f, Equal) and f.value in self.refused for f in one.filters):
            raise UpstreamUnavailableError("It fails.")
        size = self.page_size
        parts = range(0, len(self.image_sets), size)
        pages = [Page(tuple(self.image_sets[at : at + size])) for at in parts]
        self.walks.append(OneWalk(one, pages))
        return self.walks[-1]

    async def metadata(self, image_set: ImageSet, names: Names) -> Metadata:
        """That of the image set; the first that is asked for is the last to be there."""
        name = image_set.image_set_id
        self.fetched.append(name)
        self.names.append(names)
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        for _ in range(20 - min(19, len(self.fetched))):
            await asyncio.sleep(0)
        self._under_way -= 1
        if name in self.failing:
            raise UpstreamUnavailableError("It fails.")
        return self.metadata_by_id.get(name) or metadata_of(image_set)


SERIES = [image_set(study, series) for study in range(1, 6) for series in (1, 2)]


async def ask(
    upstream: Upstream,
    asked: str,
    resource: Resource = INSTANCES,
    limit: int = 1000,
    options: SearchOptions = SearchOptions(),  # noqa: B008 - frozen
) -> tuple[list[Result], Tally]:
    """The results of a search, and what it met."""
    tally = Tally()
    uids = {"study_uid": "1.1"} if resource is not INSTANCES and "{" in resource.value else {}
    query = parse_query(resource, asked.encode(), dialect=FETCHED, **uids)
    found = search(query, options, upstream, limit, tally)
    return [result async for result in found], tally


def uids_of(results: Sequence[Result], keyword: str = "SOPInstanceUID") -> list[Any]:
    """The UIDs of results."""
    return [result.values[keyword][0] for result in results]


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "asked", "limit", "calls", "results"),
    named({
        "nothing names one": (ALL_SERIES, "", 1000, 0, 10),
        "every series shown": (ALL_SERIES, "includefield=SeriesDescription", 1000, 10, 10),
        "those within the limit": (ALL_SERIES, "includefield=SeriesDescription", 3, 3, 3),
        "none before the offset": (ALL_SERIES, "includefield=SeriesDescription&offset=8", 1000, 2,
            2),
        "those between": (ALL_SERIES, "includefield=SeriesDescription&offset=4", 3, 3, 3),
        "none for a known key's others": (ALL_SERIES,
            "includefield=SeriesDescription&SeriesNumber=2", 1000, 5, 5),
        "each that other keys leave": (ALL_SERIES, "SeriesDescription=S1&SeriesNumber=1", 1000, 5,
            5),
        "a study, once": (STUDIES, "includefield=ReferringPhysicianName", 1000, 5, 5),
        "a study's beside a series'": (STUDY_SERIES,
            "includefield=ReferringPhysicianName,SeriesDescription&SeriesNumber=1", 1000, 1, 1),
        "instances of a series": (INSTANCES, "SeriesNumber=2", 1000, 5, 15),
        "one instance": (INSTANCES, "", 1, 1, 1),
        "behind an offset": (INSTANCES, "offset=29", 1000, 10, 1),
        "no result is asked for": (INSTANCES, "", 0, 0, 0),
    }),
)  # fmt: skip
async def test_calls(resource: Resource, asked: str, limit: int, calls: int, results: int) -> None:
    """Metadata is fetched for what is shown, or for what the known keys leave; once each."""
    upstream = Upstream(SERIES)
    found, _ = await ask(upstream, asked, resource, limit)
    assert (calls, results) == (len(upstream.fetched), len(found))
    assert len(upstream.fetched) == len(set(upstream.fetched))


@pytest.mark.parametrize(
    ("resource", "asked", "limit", "total"),
    named({
        "what summaries tell": (ALL_SERIES, "includefield=SeriesDescription", 1, 10),
        "what a key leaves open": (ALL_SERIES, "SeriesDescription=S1", 1, None),
        "a key, to the end": (ALL_SERIES, "SeriesDescription=S1", 1000, 5),
        "sorted": (ALL_SERIES, "SeriesDescription=S1&orderby=SeriesDate", 1, 5),
        "instances": (INSTANCES, "", 1, None),
        "instances, to the end": (INSTANCES, "", 1000, 30),
        "instances behind an offset": (INSTANCES, "offset=28", 1000, 30),
    }),
)  # fmt: skip
async def test_total(resource: Resource, asked: str, limit: int, total: int | None) -> None:
    """The number of all results is told where no further metadata decides it."""
    _, tally = await ask(Upstream(SERIES), asked, resource, limit)
    assert total == tally.total


async def test_several_at_once_in_order() -> None:
    """Several are fetched at the same time, and answered in the order of the answer."""
    upstream = Upstream(SERIES)
    found, _ = await ask(upstream, "")
    expected = [f"1.{st}.{se}.{n}" for st in range(1, 6) for se in (1, 2) for n in (1, 2, 3)]
    assert expected == uids_of(found)
    assert AT_ONCE == upstream.most_at_once


@pytest.mark.parametrize(
    ("asked", "at_once"),
    [("includefield=all", 2), ("00090010=ACME&00091001=A", 2), ("InstanceNumber=1", AT_ONCE)],
)
async def test_fewer_at_once_of_everything(asked: str, at_once: int) -> None:
    """Whole metadata may be large: less of it is held. To find a private block takes all of it."""
    upstream = Upstream(SERIES)
    await ask(upstream, asked)
    assert at_once == upstream.most_at_once
    assert {at_once == 2} == {names is None for names in upstream.names}


@pytest.mark.parametrize(("limit", "pages"), [(1, 2), (4, 2), (6, 2), (7, 3)])
async def test_no_page_is_fetched_ahead(limit: int, pages: int) -> None:
    """A study is sure with the page behind it; no further one is read to fetch ahead."""
    sets = [image_set(st, se, DICOMStudyTime="1200") for st in range(1, 6) for se in (1, 2)]
    upstream = Upstream(sets, page_size=2)
    found, _ = await ask(upstream, "", limit=limit)
    assert (limit, [pages]) == (len(found), [walk.given for walk in upstream.walks])


async def test_others_get_their_turn() -> None:
    """Instances that are only counted hold nobody up."""

    async def turns(instances: int) -> int:
        other, number = asyncio.Event(), 0

        async def take_turns() -> None:
            nonlocal number
            while not other.is_set():
                number += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(take_turns())
        many = {"1-1-0": metadata_of(SERIES[0], instances)}
        upstream = Upstream(SERIES[:1], metadata_by_id=many)
        query = parse_query(INSTANCES, b"")
        assert instances == await count(query, SearchOptions(), upstream, Tally())
        other.set()
        await task
        return number

    assert 10 == await turns(501) - await turns(1)


async def test_an_end_at_the_limit_leaves_nothing_under_way() -> None:
    """What was fetched ahead ends with the answer, its failure too."""
    upstream = Upstream(SERIES, failing=frozenset(("3-1-0",)))
    found, _ = await ask(upstream, "", limit=9)
    assert 9 == len(found)
    assert not [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]


async def test_a_failure_ends_the_answer() -> None:
    """A call that fails is no image set without instances."""
    upstream = Upstream(SERIES, failing=frozenset(("3-1-0",)))
    with pytest.raises(UpstreamUnavailableError):
        await ask(upstream, "")


@pytest.mark.parametrize(("limit", "fails"), [(3, False), (6, False), (7, True)])
async def test_a_failure_ahead_waits_for_its_turn(limit: int, fails: bool) -> None:
    """What stands before it may be all that is asked for."""
    upstream = Upstream(SERIES, refused=frozenset(("1.2",)))
    options = SearchOptions(image_sets="all")
    if fails:
        with pytest.raises(UpstreamUnavailableError):
            await ask(upstream, "", limit=limit, options=options)
    else:
        found, _ = await ask(upstream, "", limit=limit, options=options)
        assert limit == len(found)


@pytest.mark.parametrize(
    ("asked", "uids"),
    [
        ("SOPInstanceUID=1.9", ["1.9"]),
        ("SOPInstanceUID=1.9,1.7", ["1.7", "1.9"]),
        ("SOPInstanceUID=1.5", []),
        ("SOPInstanceUID=1.9&InstanceNumber=1", []),
    ],
)
async def test_only_the_instances_of_a_key_are_read(asked: str, uids: list[str]) -> None:
    """The others' values cost nothing, and what is wrong with them is nobody's concern."""
    broken = PackedInstance(2, "1.8", b"no JSON")
    parts = (packed("1.7", 1), broken, packed("1.9", 3))
    upstream = Upstream(SERIES[:1], metadata_by_id={"1-1-0": Metadata({}, {}, parts)})
    found, tally = await ask(upstream, asked)
    assert (uids, {}) == (uids_of(found), tally.faults)


@pytest.mark.parametrize(
    "asked", ["offset=4999", "InstanceNumber=9", "orderby=-Rows", "orderby=SliceLocation", ""]
)
async def test_others_are_served_between_results(asked: str) -> None:
    """However the results of one series are read, the event loop turns now and then."""
    upstream = Upstream(SERIES[:1], metadata_by_id={"1-1-0": metadata_of(SERIES[0], 5_000)})
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(other())
    await ask(upstream, asked, limit=5_000)
    others.cancel()
    assert turns >= 5_000 // 50


@pytest.mark.parametrize("number", [1, 999, 1_001, 1_002, 2_600])
@pytest.mark.parametrize(
    ("offset", "limit"), [(0, 1), (0, 3), (1, 2), (998, 4), (1_500, 9), (0, 9_000)]
)
async def test_the_first_in_order(number: int, offset: int, limit: int) -> None:
    """What is let go on the way to the last result is what lies behind the window."""
    group = 7  # so many have the same value, and stay as they stand
    instances = tuple(packed(f"1.{n:04}", n, Rows=n // group) for n in range(number))
    upstream = Upstream(SERIES[:1], metadata_by_id={"1-1-0": Metadata({}, {}, instances)})
    found, tally = await ask(upstream, f"orderby=-Rows&offset={offset}", limit=limit)
    expected = sorted(range(number), key=lambda n: -(n // group))[offset : offset + limit]
    assert [f"1.{n:04}" for n in expected] == uids_of(found)
    assert number == tally.total


@pytest.mark.parametrize(
    ("asked", "calls", "number"),
    [("", 10, 30), ("InstanceNumber=2", 10, 10), ("SeriesNumber=2&SOPInstanceUID=1.1.2.1", 5, 1)],
)
async def test_count(asked: str, calls: int, number: int) -> None:
    """Instances are counted in metadata."""
    upstream = Upstream(SERIES)
    query = parse_query(INSTANCES, asked.encode())
    assert number == await count(query, SearchOptions(), upstream, Tally())
    assert calls == len(upstream.fetched)


# --- what it says ---------------------------------------------------------------------------------


async def test_instances_of_a_split_series() -> None:
    """The parts of a series are one list by number; an instance in two of them is one result."""
    sets = [image_set(1, 1, part) for part in range(2)]
    newer = Metadata({}, {}, (packed("1.9", 2, Rows=1), packed("1.8", None)))
    older = Metadata({}, {}, (packed("1.7", 1), packed("1.9", 2, Rows=2), packed("1.6", None)))
    upstream = Upstream(sets, metadata_by_id={"1-1-0": newer, "1-1-1": older})
    found, _ = await ask(upstream, "")
    assert ["1.7", "1.9", "1.6", "1.8"] == uids_of(found)
    assert (1,) == found[1].values["Rows"]
    assert {(4,)} == {result.values[COUNT] for result in found}


async def test_what_is_not_shown_is_not_read() -> None:
    """Instances before the window are counted as they are; what is wrong with them is not met."""
    broken = PackedInstance(1, "1.8", b"no JSON")
    upstream = Upstream(
        [image_set(1, 1)], metadata_by_id={"1-1-0": Metadata({}, {}, (broken, packed("1.9", 2)))}
    )
    found, tally = await ask(upstream, "offset=1")
    assert (["1.9"], {}) == (uids_of(found), tally.faults)


async def test_who_speaks_for_the_study() -> None:
    """What summaries have comes from the study's winner, all else from the instance itself."""
    own = Metadata(
        {
            "PatientName": "ROE^ANN",
            "ReferringPhysicianName": "DOC^A",
            "AccessionNumber": None,
            "StudyID": "S2",
        },
        {},
        (packed("1.9", 1),),
    )
    upstream = Upstream(
        [image_set(1, 1, DICOMPatientName="DOE^JANE")], metadata_by_id={"1-1-0": own}
    )
    (found,), _ = await ask(upstream, "includefield=all")
    assert ("DOE^JANE",) == found.values["PatientName"]
    assert ("DOC^A",) == found.values["ReferringPhysicianName"]
    assert () == found.values["AccessionNumber"] == found.values["StudyID"]


@pytest.mark.parametrize(("resource", "results"), [(STUDIES, 1), (STUDY_SERIES, 2)])
async def test_a_studys_details_are_its_winners(resource: Resource, results: int) -> None:
    """Metadata of the newest image set speaks for the study, at its series too."""
    sets = [image_set(1, 1, 1), image_set(1, 2, 0)]
    levels = {"1-1-1": "DOC^OLD", "1-2-0": "DOC^NEW"}
    upstream = Upstream(
        sets,
        metadata_by_id={k: Metadata({"ReferringPhysicianName": v}) for k, v in levels.items()},
    )
    found, _ = await ask(upstream, "includefield=ReferringPhysicianName", resource)
    expected = [("DOC^NEW",)] * results
    assert expected == [result.values["ReferringPhysicianName"] for result in found]
    assert {"1-2-0"} == set(upstream.fetched)


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("", 1),
        ("offset=1", 0),
        ("emptyvaluematching=true&NumberOfStudyRelatedInstances=%22%22", 1),
        ("NumberOfStudyRelatedInstances=9", 0),
    ],
)
async def test_a_stored_number_is_not_the_studys(asked: str, number: int) -> None:
    """What a file says of the size of its study was true where it came from, if ever."""
    own = Metadata({"NumberOfStudyRelatedInstances": 9, "ModalitiesInStudy": ["PT"]}, {},
        (packed("1.9", 1),))  # fmt: skip
    upstream = Upstream([image_set(1, 1)], metadata_by_id={"1-1-0": own})
    found, _ = await ask(upstream, f"includefield=all&{asked}")
    assert number == len(found)
    for one in found:
        assert not one.values.get("NumberOfStudyRelatedInstances")
        assert not one.values.get("ModalitiesInStudy")


async def test_the_vr_of_what_is_not_its_own() -> None:
    """A summary's value is not written by the VR that the blob has for its own."""
    own = Metadata({"00100010": "AAAA"}, {"00100010": "OB"}, (packed("1.9", 1),))
    upstream = Upstream(
        [image_set(1, 1, DICOMPatientName="DOE^JANE")], metadata_by_id={"1-1-0": own}
    )
    (found,), _ = await ask(upstream, "includefield=all")
    assert (("DOE^JANE",), None) == (found.values["PatientName"], found.vrs.get("PatientName"))


@pytest.mark.parametrize(
    ("asked", "mode", "expected"),
    named({
        "the summary's": ("", "auto", (7,)),
        "counted, since a key asks": (f"{COUNT}=3", "auto", (3,)),
        "counted, since it was read": ("includefield=SeriesDate", "auto", (3,)),
        "the summary's, though it is asked for": (f"includefield={COUNT}", "auto", (7,)),
        "the summary's, which is sure": ("includefield=SeriesDate", "image-set", (7,)),
        "none, since it is the study's": ("", "study", None),
        "counted, since it is open": (f"includefield={COUNT}", "study", (3,)),
    }),
)  # fmt: skip
async def test_the_number_of_instances(asked: str, mode: Any, expected: Any) -> None:
    """Where metadata is read the instances are counted, but where the summary's number is sure."""
    upstream = Upstream([image_set(1, 1, DICOMNumberOfStudyRelatedInstances=7)])
    (found,), _ = await ask(upstream, asked, STUDY_SERIES, options=SearchOptions(counts=mode))
    assert expected == found.values.get(COUNT)


async def test_the_number_of_a_split_series_takes_all_parts() -> None:
    """The first part alone is read for a description; it does not count the others'."""
    sets = [image_set(1, 1, part, DICOMNumberOfStudyRelatedInstances=3 + part) for part in (0, 1)]
    upstream = Upstream(sets)
    (found,), _ = await ask(upstream, "includefield=SeriesDescription", STUDY_SERIES)
    assert (["1-1-0"], (7,)) == (upstream.fetched, found.values[COUNT])


@pytest.mark.parametrize("whole", [True, False])
async def test_faults_are_counted(whole: bool) -> None:
    """By image set, those of the document and those of a value; and what may be missing."""
    damaged = Metadata({"SeriesDate": {}}, {}, (packed("1.9", 1),), whole, (Fault.NOT_JSON,))
    upstream = Upstream([image_set(1, 1), image_set(1, 2)], metadata_by_id={"1-1-0": damaged})
    found, tally = await ask(upstream, "includefield=SeriesDate")
    assert 4 == len(found)
    assert {Fault.NOT_JSON: {"1-1-0"}, Fault.VALUE: {"1-1-0"}} == tally.faults
    assert (set() if whole else {"1-1-0"}) == tally.partial
    assert (COUNT in found[0].values) == whole


async def test_the_vr_of_a_series_detail() -> None:
    """A value that is stored with another VR than PS3.6's is sent with it."""
    told = Metadata({"0008103E": "AAE="}, {"0008103E": "UN"})
    upstream = Upstream(SERIES[:1], metadata_by_id={"1-1-0": told})
    (found,), _ = await ask(upstream, "includefield=SeriesDescription", STUDY_SERIES)
    assert (("AAE=",), "UN") == (
        found.values["SeriesDescription"],
        found.vrs["SeriesDescription"],
    )


async def test_the_one_that_is_damaged_is_counted() -> None:
    """A part of a series by itself, and a study's winner once for all of the study's series."""
    sound, damaged = (Metadata({}, {}, (packed(f"1.{n}", n, Rows=n or {}),)) for n in (1, 0))
    upstream = Upstream(
        [image_set(1, 1, part) for part in range(2)],
        metadata_by_id={"1-1-0": sound, "1-1-1": damaged},
    )
    _, tally = await ask(upstream, "")
    assert {Fault.VALUE: {"1-1-1"}} == tally.faults
    wrong = replace(metadata_of(SERIES[0]), levels={"ReferringPhysicianName": [[]]})
    upstream = Upstream(SERIES[:2], metadata_by_id={"1-1-0": wrong, "1-2-0": wrong})
    _, tally = await ask(upstream, "includefield=ReferringPhysicianName", ALL_SERIES)
    assert 1 == len(tally.faults[Fault.VALUE])


async def test_a_damaged_series_is_one() -> None:
    """A fault in a series' own details is counted, and the series served without them."""
    damaged = replace(metadata_of(SERIES[0]), levels={"SeriesDescription": [[]]})
    upstream = Upstream(SERIES[:1], metadata_by_id={"1-1-0": damaged})
    (found,), tally = await ask(upstream, "includefield=SeriesDescription", STUDY_SERIES)
    assert not found.values.get("SeriesDescription")
    assert {Fault.VALUE: {"1-1-0"}} == tally.faults
