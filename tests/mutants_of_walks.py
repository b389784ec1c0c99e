"""The rows of `mutants` for walks that requests share, and for searches that go on."""

from __future__ import annotations

WALK, WALKS = "gateway/healthimaging/walk.py", "gateway/healthimaging/walks.py"
READING, LOADING = "gateway/healthimaging/reading.py", "gateway/healthimaging/loading.py"
STREAMING, TRAIL = "gateway/search/streaming.py", "gateway/search/trail.py"
GIVEN = "gateway/search/given.py"
GROUPING = "gateway/search/grouping.py"
QUOTA, ANSWERS = "gateway/healthimaging/quota.py", "gateway/server/answers.py"

# Each of them some seconds; the machine of walks and their other laws take half a minute
_OF_WALKS = (
    "tests/unit/test_walks.py tests/unit/test_walk_calls.py tests/unit/test_cutting.py "
    "tests/unit/test_lanes.py tests/unit/test_day_windows.py"
)
_OF_GOING_ON = "tests/unit/test_going_on.py tests/laws/test_sharing.py"

OWN = {
    **dict.fromkeys((WALK, WALKS, READING, LOADING), f"{_OF_WALKS} {_OF_GOING_ON}"),
    **dict.fromkeys((STREAMING, TRAIL, GIVEN), _OF_GOING_ON),
    QUOTA: "tests/unit/test_quota.py",
    ANSWERS: "tests/unit/test_answers.py tests/http/test_answers.py",
}

MUTANTS: tuple[tuple[str, str, str], ...] = (
    # turns
    (QUOTA, "self._queues.move_to_end(key)", "pass"),
    (QUOTA, "if met_before_s < AGAIN_S:", "if True:"),
    (QUOTA, "self._waiting + coming - self._free(coming) >= self._max_waiting", "False"),
    (QUOTA, "self._owed + calls", "self._owed"),
    # answers that are given again
    (ANSWERS, "self._clock() - answer.began >= self._limits", "False and self._limits"),
    (ANSWERS, " or answer.tally.faults", ""),
    (ANSWERS, " or any(walk.is_forgotten for walk in answer.walks)", ""),
    (ANSWERS, "self._answers[key] = self._answers.pop(key)", "pass"),
    # which walks are joined
    (WALKS, "resume is not None and resume.continues", "resume is not None"),
    (WALKS, "max(self.continue_s, self.ttl_s) if continues else", "self.ttl_s if continues else"),
    (WALKS, "(known.started_at > oldest and known", "(known"),
    (WALKS, "            self.forget(known)\n", ""),
    (WALKS, "walk.started_at, walk.is_asked = self._clock(), True", "walk.is_asked = True"),
    (WALKS, "self.forget(walk)\n                self.meters", "self.meters"),
    (WALKS, "if step.token and isinstance", "if isinstance"),
    (WALKS, "            budget.give_back()\n            raise", "            raise"),
    (WALKS, "discard(step)\n            budget.give_back()", "discard(step)"),
    # what is kept
    (WALKS, "step.pins += 1\n        self.settle(step)", "step.pins += 1"),
    (WALKS, "if step.page is None or step.pins:", "if step.page is None:"),
    (LOADING, "        self.walks.unpin(step)\n", ""),
    # windows
    (WALK, "if day is None or (last is not None and day > last):", "if day is None:"),
    (WALK, "if first is not None and day < first:", "if False:"),
    (WALK, "is_end = is_past and last is None", "is_end = False"),
    (WALK, "oldest = None if self.cut.is_done else first_day", "oldest = None"),
    (WALK, "self.windows[0].first_day = cut.newest_day + 1", "pass"),
    (WALK, "window.days and not page.next_token", "False"),
    (READING, "walk.cut is None and walk.loads == 1 and", "walk.cut is None and"),
    (READING, "if at_once == 1 or not self._loader.has_room:", "if at_once == 1:"),
    (READING, "if at_once == 1 or not self._loader.has_room:", "if not self._loader.has_room:"),
    # going on
    (READING, "return bool(step.token) or step.page is not None", "return True"),
    (STREAMING, "start.results\n", "0\n"),
    (STREAMING, "self.window.go_on(self._trail.released, start.last, start.clock)", "pass"),
    (STREAMING, "trail.released += self.window.state_of(groups)", "pass"),
    (STREAMING, "self.tally.hidden.update(dict.fromkeys(self._trail.hidden))", "pass"),
    (STREAMING, "len(trail.released) + len(groups) > MAX_RELEASED", "False"),
    (STREAMING, "and self.shows_all:", "and True:"),
    (STREAMING, "self.results.left - known", "self.results.left"),
    (
        TRAIL,
        "key=lambda one: one.results)\n        while",
        "key=lambda one: one.results - 1)\n        while",
    ),
    (TRAIL, "self.released[: last.released]", "self.released"),
    (GROUPING, "if self._undated or in_front:", "if self._undated:"),
    (GROUPING, "low > self._read_to", "False"),
    (GROUPING, "low > self._read_to", "True"),
    (GROUPING, "if is_reread:\n                return  #", "if True:\n                return  #"),
    (GROUPING, "self.page if first is None else first.since", "self.page"),
    # beginning anew
    (GIVEN, "self._again.digest() != self._before", "False"),
    (GIVEN, "if self._again is not None:\n            return", "if False:\n            return"),
)
