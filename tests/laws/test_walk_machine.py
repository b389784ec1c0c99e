"""The law of shared walks: whoever reads along gets an answer that was right at one moment.

A machine lets readers begin, read on, stop and leave, while image sets come, pages are dropped,
next tokens expire and time passes.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.emulator.variants import Variants
from gateway.errors import StudyWindowError, WalkLostError
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.metered import MeteredCalls
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.walks import WalkLimits
from gateway.qido.query import Dialect
from gateway.search.plan import SearchOptions
from gateway.server.searches import SearchService
from tests.building import walks_over
from tests.laws.harness import MANY_CALLS, query_of, store_of
from tests.laws.oracle import Question, Summary
from tests.laws.sharing import Asked, Judge, SlowCalls, is_possible, is_right, uids_of
from tests.virtualtime import VirtualTimeLoop

EXAMPLES = settings(
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
MANY_S = 1e5
DAYS = 28
LIMITS = st.builds(
    WalkLimits,
    ttl_s=st.sampled_from((0.0, 5.0)),
    continue_s=st.sampled_from((0.0, 60.0, 60.0)),
    cache_bytes=st.sampled_from((0, 3_000, 10**8)),
    scan_concurrency=st.sampled_from((1, 2, 8)),
)
JANUARY: Any = ("StudyDate", "days", "20240101", "20240131")
QUESTIONS = (
    Question(),
    Question(criteria=(JANUARY,)),
    Question(criteria=(("StudyDate", "days", "20240105", "20240120"),)),
    Question(criteria=(("StudyDate", "days", "20240105", None),)),
    Question(criteria=(("PatientID", "is", "PAT1"),)),
    Question(criteria=(("PatientID", "is", "PAT1"), JANUARY)),
    Question(criteria=(JANUARY, ("ModalitiesInStudy", "any-of", ("MR",)))),
    Question("series"),
    Question("series", (JANUARY,)),
    Question("study-series", study_uid="1.2.3"),
    Question(criteria=(("StudyInstanceUID", "uids", ("1.2.1", "1.2.3", "1.2.5")),)),
)


def _is_closed(question: Question) -> bool:
    return any(c[0] == "StudyDate" and c[3] is not None for c in question.criteria)


def _image_set(study: int, series: int) -> Summary:
    """A series of a study, whose date and time its number tells; PAT1 has a third of them."""
    own = study * 100 + series
    return {
        "imageSetId": f"{own:032x}",
        "version": 1,
        "createdAt": 1.6e9 + own,
        "updatedAt": 1.7e9 + own,
        "isPrimary": True,
        "DICOMTags": {
            "DICOMStudyInstanceUID": f"1.2.{study}",
            "DICOMSeriesInstanceUID": f"1.2.{study}.{series}",
            "DICOMStudyDate": f"202401{1 + study * 11 % DAYS:02}",
            "DICOMStudyTime": ("080000", "083000", "120000", "120000", "235959")[study % 5],
            "DICOMPatientId": f"PAT{study % 3}",
            "DICOMSeriesModality": ("CT", "MR")[(study // 3 + series) % 2],
            "DICOMSeriesNumber": series,
            "DICOMNumberOfStudyRelatedSeries": 1,
            "DICOMNumberOfStudyRelatedInstances": 1,
        },
    }


def _whole(_: str) -> Any:
    return ""


def _day_of(study_uid: str) -> Any:
    return int(study_uid.split(".")[2]) * 11 % DAYS


def _short(text: str) -> str:
    tags = ("00080020", "0020000D", "0020000E", "00201206")
    return " ".join(str(json.loads(text).get(tag, {}).get("Value")) for tag in tags)


class WalkMachine(RuleBasedStateMachine):
    """One gateway, its readers, and what happens to its store meanwhile."""

    def __init__(self, tokens: Any, met: Counter[str]) -> None:
        super().__init__()
        self.tokens, self.met = tokens, met
        self.asked: list[Asked] = []
        self.series: Counter[int] = Counter()
        self.expired_at: list[float] = []
        self.behind: Counter[Question] = Counter()

    @initialize(
        limits=LIMITS,
        page_size=st.integers(1, 4),
        studies=st.integers(1, 40),
        pages=st.sampled_from(("full", "full", "short")),
        questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3),
    )
    def begin(
        self,
        limits: WalkLimits,
        page_size: int,
        studies: int,
        pages: Any,
        questions: list[Question],
    ) -> None:
        """A gateway in front of some studies, each on a day of its own mostly."""
        self.loop = VirtualTimeLoop()
        asyncio.set_event_loop(self.loop)
        self.store = store_of((), Variants(tokens=self.tokens, pages=pages))
        self.judge, self.questions = Judge(self.store), questions
        self.calls, self.limits = SlowCalls(self.store, page_size), limits
        meters = Meters()
        calls = MeteredCalls(self.calls, meters)
        self.walks = walks_over(calls, limits, self.loop.time, page_size, meters)
        self.service = SearchService(
            self.walks,
            MetadataStore(calls),
            SearchOptions(),
            MANY_CALLS,
            Dialect(),
            meters,
            self.loop.time,
        )
        self._bring([(number, 1 + number % 2) for number in range(1, studies + 1)])

    def _bring(self, studies: list[tuple[int, int]]) -> None:
        brought = []
        for study, series in studies:
            for _ in range(series):
                self.series[study] += 1
                brought.append(_image_set(study, self.series[study]))
        self.judge.bring(brought, self.loop.time())

    def _run(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    @rule(
        which=st.integers(0, 2),
        offset=st.none() | st.just(0) | st.integers(0, 30),
        limit=st.none() | st.integers(1, 8),
        read=st.integers(1, 9),
        seconds=st.sampled_from((0.0, 0.03, 1.0)),
        is_count=st.sampled_from((False, False, False, True)),
    )
    def ask(
        self,
        which: int,
        offset: int | None,
        limit: int | None,
        read: int,
        seconds: float,
        is_count: bool,
    ) -> None:
        """Somebody begins to read, at the beginning or behind what was answered lately."""
        question = self.questions[which % len(self.questions)]
        if offset is None:
            offset = self.behind[question]
        more = [("offset", str(offset))] if offset else []
        more += [("limit", str(limit))] if limit else []
        running = self.service.start(query_of(question, [] if is_count else more))
        self.asked.append(Asked(running, question, self.loop.time, self.loop, is_count=is_count))
        self.read(len(self.asked) - 1, read, seconds)

    @precondition(lambda self: self.asked)
    @rule(
        which=st.integers(0, 9), read=st.integers(1, 9), seconds=st.sampled_from((0.0, 0.03, 1.0))
    )
    def read(self, which: int, read: int, seconds: float) -> None:
        """Somebody reads on."""
        one = self.asked[which % len(self.asked)]
        for _ in range(read):
            one.leave.release()
        self._run(seconds)
        for one in [one for one in self.asked if one.task.done()]:
            self.asked.remove(one)
            self._judge(one)

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 9))
    def finish(self, which: int) -> None:
        """Somebody reads all that is left."""
        self._finish(self.asked.pop(which % len(self.asked)))

    def _finish(self, one: Asked) -> None:
        for _ in range(1_000):
            one.leave.release()
        self.loop.run_until_complete(one.task)
        self._judge(one)

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 9))
    def disconnect(self, which: int) -> None:
        """Somebody leaves in the middle."""
        self._leave(self.asked.pop(which % len(self.asked)))

    def _leave(self, one: Asked) -> None:
        one.task.cancel()
        self.loop.run_until_complete(asyncio.wait([one.task]))

    @rule(
        studies=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 2)), min_size=1, max_size=4)
    )
    def bring(self, studies: list[tuple[int, int]]) -> None:
        """Image sets come: of new studies, or more series of known ones."""
        self._bring(studies)

    @rule(cache_bytes=st.sampled_from((0, 2_000)))
    def evict(self, cache_bytes: int) -> None:
        """Pages that nobody reads just now go."""
        self.walks.limits = replace(self.limits, cache_bytes=cache_bytes)
        for one in self.walks._walks.values():
            self.walks.settle(one.first)
        self.walks.limits = self.limits

    @rule(seconds=st.sampled_from((0.1, 1.0, 4.9, 5.1, 20.0, 61.0, 70.0)))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self._run(seconds)

    @rule()
    def expire(self) -> None:
        """No next token that was given is taken any more."""
        self.calls.epoch += 1
        self.expired_at.append(self.loop.time())

    def _judge(self, one: Asked) -> None:
        one.task.result()
        query = one.running.query
        ttl_s = self.limits.ttl_s
        limit_s = max(ttl_s, self.limits.continue_s) if query.offset else ttl_s
        versions = self.judge.between(one.began_at - limit_s, one.ended_at)
        expired = [at for at in self.expired_at if one.began_at - limit_s <= at <= one.ended_at]
        said = (one.question, query.offset, one.running.limit, list(map(_short, one.got)), versions)
        if one.error is not None:
            if self.tokens == "offset" and isinstance(one.error, StudyWindowError):
                # Rows that come again because others came in front look like disorder
                assert len(versions) > 1, said
                return
            assert isinstance(one.error, WalkLostError), (one.error, said)
            assert expired, said
            self.met["lost"] += 1
            return
        self.met["answered"] += 1
        if self.tokens != "snapshot":  # what comes meanwhile is seen from the next page on
            assert is_possible(self.judge, one, query, versions), said
            return
        self.behind[one.question] = 0 if one.is_count else query.offset + len(one.got)
        part: Callable[[str], Any] = _whole
        # A study of which some series were given is gone on with in the state of a later walk
        told = uids_of if expired and one.question.resource != "studies" else str
        if expired or "StudyInstanceUID" in one.question.decided_by:
            part = str
        elif self.limits.scan_concurrency > 1 and _is_closed(one.question):
            part = _day_of
        assert is_right(self.judge, one, query, versions, part, told), said

    def teardown(self) -> None:
        """Nothing is left when everybody has gone and time has passed."""
        if not hasattr(self, "loop"):
            return  # it was never begun
        try:
            while self.asked:
                self._finish(self.asked.pop())
            self._run(100)
            assert (0, 0, 0) == (self.walks.weight, self.walks.alive, self.walks.held_bytes)
            assert not asyncio.all_tasks(self.loop)
        finally:
            for one in self.asked:
                self._leave(one)
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.store.close()
            self.loop.close()
            asyncio.set_event_loop(None)


@pytest.mark.parametrize(
    ("tokens", "examples"), [("snapshot", 250), ("keyset", 100), ("offset", 100)]
)
def test_shared_walks(tokens: str, examples: int) -> None:
    """Every answer is right for a moment between its walk's beginning and its own end.

    Where a next token stands for a place among what is there now, what comes meanwhile may be seen
    in a part of the answer; nothing is missing, nothing comes twice.
    """
    met: Counter[str] = Counter()

    class Machine(WalkMachine):
        def __init__(self) -> None:
            super().__init__(tokens, met)

    run_state_machine_as_test(Machine, settings=settings(EXAMPLES, max_examples=examples))
    assert met["answered"] > 100, met
