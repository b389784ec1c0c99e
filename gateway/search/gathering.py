"""One search under way: it fetches image sets, groups them, and finds studies and series."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from math import inf

from gateway.errors import StudyWindowError
from gateway.qido.attributes import BY_KEYWORD, Level, Origin, Resource
from gateway.qido.matching import matcher
from gateway.qido.query import Query
from gateway.qido.result import stored_values
from gateway.search.cost import Completed, completed_of
from gateway.search.grouping import (
    Group,
    StudyWindow,
    instant_of,
    study_uid_of,
    sure_marks,
    winner_first,
)
from gateway.search.imageset import ImageSet, Page
from gateway.search.needs import Needs
from gateway.search.plan import (
    CreatedBetween,
    Plan,
    SearchOptions,
    Sort,
    StudyDateBetween,
    all_dated,
    completion,
    derived_criteria,
    plan,
)
from gateway.search.streaming import Stream
from gateway.search.study import Found, found_series, found_study, summary_values
from gateway.search.tally import Tally
from gateway.search.upstream import Resume, Upstream, Walk
from gateway.search.window import ResultWindow

# What all primary image sets of a study have in common (documented)
_AGREED = tuple(
    BY_KEYWORD[keyword] for keyword in ("StudyDate", "PatientID", "AccessionNumber", "StudyID")
)
_AGREED_NAMES = tuple(attribute.summary for attribute in _AGREED)


class Gathering:
    """The studies of one search, as they become sure, and what each has that may be a result.

    `results` tells which results are wanted, `needs` what only metadata can decide.
    """

    def __init__(
        self,
        query: Query,
        options: SearchOptions,
        upstream: Upstream,
        tally: Tally,
        results: ResultWindow,
        needs: Needs,
    ) -> None:
        self._query, self._options = query, options
        self._upstream, self._tally, self._results = upstream, tally, results
        self._plan = plan(query, options)
        self._window = StudyWindow(
            whole_days=options.study_window == "day", trust_unmarked=options.trust_unmarked
        )
        self._sure = sure_marks(trust_unmarked=options.trust_unmarked)
        self._needs = needs
        known = [c for c in query.criteria if c not in needs.waiting]
        self._matches = matcher(known)
        own = [c for c in known if c.attribute.origin is not Origin.DERIVED]
        self._matches_alone = matcher(own)
        study_only = [c for c in own if c.attribute.level is Level.STUDY]
        self._study_matches = matcher(study_only)
        self._whole = self._plan.sufficient
        self._completes_shown = completed_of(self._plan, options) is Completed.SHOWN
        self._whole_studies: dict[str, tuple[ImageSet, ...]] = {}  # of those that come later

    # --- fetching ---------------------------------------------------------------------------------

    async def batches(self) -> AsyncGenerator[tuple[list[Group], bool], None]:
        """Groups in order, as soon as they are sure, and whether these are all that is left.

        Each batch is to be done with when the next one is asked for. Where results are known to
        stand before the first one, the position of their window is behind these.
        """
        lanes = self._plan.lanes
        if len(lanes) == 1:
            walk = await self._open(lanes[0], self._resume())
            if walk.plan.sort is Sort.STUDY_DATE:
                async for groups in self._stream(walk, lanes[0]):
                    yield groups, False
            else:
                self._whole = self._whole or _is_everything(walk.plan)
                await self._drain(walk)
        else:
            self._upstream.expect(lanes)
            for lane in lanes:
                await self._drain(await self._open(lane))
        left = self._window.finish()
        if self._plan.completes_all and not self._whole:
            async for groups in self._completed(left):
                yield groups, False
        else:
            yield left, True

    async def _completed(self, groups: Sequence[Group]) -> AsyncGenerator[list[Group], None]:
        """`groups`, each fetched whole, in the order of their winners and a day at a time.

        Which day that is, its sure primary image sets say, for they agree in StudyDate. Where there
        is none, or where that has been wrong before, only the whole study says it.
        """
        trusts_days = self._options.study_window == "hour"
        unsure = [g for g in groups if not trusts_days or self._is_unsure(g.image_sets)]
        known = {group.study_uid: group for group in await self._fetched(unsure)}
        placed = [known.get(group.study_uid, group) for group in groups]
        for day in sorted({group.place[0] for group in placed}):
            of_day = await self._fetched([g for g in placed if g.place[0] == day])
            if any(group.place[0] != day for group in of_day):
                raise StudyWindowError("A study's image sets do not agree in its date.")
            yield sorted(of_day, key=lambda group: group.place)

    async def _fetched(self, groups: Sequence[Group]) -> list[Group]:
        """The groups of these studies, whole."""
        self._expect_whole(groups)
        fetched = []
        for group in groups:
            whole = self._whole_studies[group.study_uid] = await self._complete(group)
            fetched.append(Group(whole[0], trust_unmarked=self._options.trust_unmarked))
            for image_set in whole[1:]:
                fetched[-1].add(image_set)
        return fetched

    def _resume(self) -> Resume:
        """This search, to be gone on with where one like it was left."""
        # What decides how many results stand before a place; metadata is not known of them
        key = (self._query.resource, self._query.criteria, self._options)
        return Resume(
            None if self._needs.decides else key,
            self._results.offset,
            continues=self._query.offset > 0,
        )

    async def _open(self, one: Plan, resume: Resume | None = None) -> Walk:
        walk = await self._upstream.open(one, resume)
        if walk.plan != one:
            self._tally.rungs.append(" ".join(walk.plan.shape))
        return walk

    async def _drain(self, walk: Walk) -> None:
        async for page in walk:
            walk.expect(inf)
            for image_set in self._usable(page):
                self._window.add(image_set)

    async def _stream(self, walk: Walk, lane: Plan) -> AsyncGenerator[list[Group], None]:
        """Groups of a sorted walk, the undated ones left in the window for the end."""
        head: list[ImageSet] = []
        if not walk.trail.checkpoints:
            async for page in walk:
                head += self._usable(page)
                if head:
                    break
        if not self._plan.dated_only and not walk.ended and _shows_undated_first(head):
            # Newest first means dated first: walk those alone, and come back for the undated
            dated = await self._open(all_dated(lane), self._resume())
            if _is_sorted_by_date(dated.plan):
                async for groups in self._in_order(dated, is_last=False).groups():
                    yield groups
                await self._add_undated(head, walk)
                return
        async for groups in self._in_order(walk, is_last=True).groups(head):
            yield groups

    def _in_order(self, walk: Walk, *, is_last: bool) -> Stream:
        return Stream(
            walk,
            self._window,
            self._results,
            self._query.level,
            self._tally,
            self._usable,
            shows_all=self._whole or self._shows_what_is_sure,
            is_last=is_last,
        )

    async def _add_undated(self, head: list[ImageSet], walk: Walk) -> None:
        for image_set in head:
            self._window.add(image_set)
        async for page in walk:
            image_sets = self._usable(page)
            undated = [s for s in image_sets if not _is_dated(s)]
            for image_set in undated:
                self._window.add(image_set)
            if len(undated) < len(image_sets):
                return

    def _usable(self, page: Page) -> list[ImageSet]:
        """The page's image sets without those that are no part of any answer."""
        self._tally.pages += 1
        self._tally.image_sets += len(page.image_sets)
        usable = []
        for image_set in page.image_sets:
            if not study_uid_of(image_set):
                self._tally.unusable += 1
            elif image_set.is_primary is False and self._options.image_sets == "primary":
                if self._matches_alone(summary_values(image_set)):
                    self._tally.hidden[image_set.image_set_id] = None
            elif not self._plan.dated_only or _is_dated(image_set):
                usable.append(image_set)
        return usable

    def expect(self, groups: Sequence[Group]) -> None:
        """Have those of `groups` fetched whole that are sure to be, before they are asked for.

        A study gives one result at the most, so as many are looked at as results are wanted. Where
        whole studies are the exception, that is not worth a look.
        """
        left = self._results.left if self._query.level is Level.STUDY else inf
        if not self._completes_shown or (left == inf and self._results.end != inf):
            return
        looked_at = groups if left == inf else groups[: int(left)]
        shown = self._results.position >= self._results.offset
        self._expect_whole([g for g in looked_at if self._is_completed(g.image_sets, shown=shown)])

    def _expect_whole(self, groups: Sequence[Group]) -> None:
        uids = (g.study_uid for g in groups if g.study_uid not in self._whole_studies)
        self._upstream.expect(map(completion, uids))

    # --- deciding ---------------------------------------------------------------------------------

    def total(self, position: int, groups: Sequence[Group]) -> int | None:
        """The number of all that is found, `groups` being all that is left.

        None if it takes a call to know it.
        """
        for group in groups:
            image_sets = group.image_sets
            if self._in_doubt(image_sets) or self._may_lack_parts(image_sets):
                return None
            position += len(self._matching(image_sets))
        return position

    async def found(self, group: Group, *, shown: bool) -> list[Found]:
        """What one released group has that the known criteria match.

        What stands before the window (not `shown`) is only counted.
        """
        image_sets = group.image_sets
        if self._is_completed(image_sets, shown=shown):
            in_doubt = self._in_doubt(image_sets)
            image_sets = await self._complete(group)
            if in_doubt and self._window.comes_later(group, image_sets):
                self._whole_studies[group.study_uid] = image_sets
                return []
        return self._matching(image_sets)

    def _is_completed(self, image_sets: Sequence[ImageSet], *, shown: bool) -> bool:
        """Whether a study that the walk has met with `image_sets` has to be fetched whole."""
        if self._in_doubt(image_sets):
            return True
        counted_only = not shown and self._query.resource is Resource.STUDIES
        matters = not counted_only or self._needs.waiting or derived_criteria(self._query)
        return bool(matters) and self._may_lack_parts(image_sets)

    def _matching(self, image_sets: Sequence[ImageSet]) -> list[Found]:
        if self._query.level is Level.STUDY:
            study = found_study(image_sets, self._options)
            found = [] if study is None else [study]
        else:
            found = found_series(image_sets, self._options)
        return [one for one in found if self._matches(one.values)]

    def _in_doubt(self, image_sets: Sequence[ImageSet]) -> bool:
        """Whether the study's winner may be an image set that the walk has not met."""
        if self._whole:
            return False
        return self._plan.completes_all or self._is_unsure(image_sets)

    def _is_unsure(self, image_sets: Sequence[ImageSet]) -> bool:
        """Whether `image_sets` have no sure primary one, or some that disagree."""
        sure = self._sure
        as_stored = {
            tuple(map(s.tags.get, _AGREED_NAMES)) for s in image_sets if s.is_primary in sure
        }
        # Nearly always they are stored alike, and need not be read
        return len(as_stored) != 1 and len(set(map(_agreed_values, as_stored))) != 1

    @property
    def _shows_what_is_sure(self) -> bool:
        return self._options.image_sets == "primary" and self._options.trust_unmarked

    def _may_lack_parts(self, image_sets: Sequence[ImageSet]) -> bool:
        """Whether a matching study may have more image sets to show than the walk has met."""
        if self._whole:
            return False
        if self._shows_what_is_sure:
            return False  # what is shown is primary, and has what the filters ask for
        study = found_study(image_sets, self._options)
        return study is not None and self._study_matches(study.values)

    async def _complete(self, group: Group) -> tuple[ImageSet, ...]:
        """Every image set of the group's study, the winner first."""
        uid = group.study_uid
        self._window.settle(uid)
        if (known := self._whole_studies.pop(uid, None)) is not None:
            return known
        members = dict(group.members)
        async for page in await self._open(completion(uid)):
            self._tally.pages += 1
            self._tally.image_sets += len(page.image_sets)
            members |= {s.image_set_id: s for s in page.image_sets if study_uid_of(s) == uid}
        return winner_first(members.values(), trust_unmarked=self._options.trust_unmarked)


def _agreed_values(as_stored: Iterable[str | int | None]) -> tuple[object, ...]:
    return tuple(stored_values(a, one) for a, one in zip(_AGREED, as_stored, strict=True))


def _shows_undated_first(head: Sequence[ImageSet]) -> bool:
    """Whether image sets without any StudyDate fill the first page.

    A text that is no date says nothing of where those without one stand.
    """
    return not any(map(_is_dated, head)) and any("DICOMStudyDate" not in s.tags for s in head)


def _is_dated(image_set: ImageSet) -> bool:
    return instant_of(image_set)[0] is not None


def _is_everything(one: Plan) -> bool:
    return all(isinstance(f, CreatedBetween) for f in one.filters)


def _is_sorted_by_date(one: Plan) -> bool:
    return one.sort is Sort.STUDY_DATE and any(isinstance(f, StudyDateBetween) for f in one.filters)
