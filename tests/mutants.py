"""Wrong gateways: each changes one rule of a search or a retrieve, or of their answers.

`python -m tests.mutants` applies each to a copy of the tree and runs the tests that need no
process; a mutant that no test notices is an error, and so is one that can't be imported. Run it
after a change to those rooms.
"""

from __future__ import annotations

import sys

from tests import mutants_of_metadata, mutants_of_retrieving, mutants_of_walks
from tests.trying import FAILED, PASSED, Trial, tried

# What reads documents, the emulator or the wire tells nothing of these rooms
_ELSEWHERE = (
    "archive*",
    "architecture*",
    "client*",
    "compression*",
    "docs*",
    "emulator*",
    "generated_requests*",
    "keeping*",
    "negotiation*",
    "openapi*",
    "probing*",
    "requests*",
    "seed_command*",
    "serving*",
    "settings*",
    "silence*",
    "totality*",
)
ALL = (
    "tests/unit",
    "tests/http",
    "tests/laws",
    *(f"--ignore-glob=*/test_{name}" for name in _ELSEWHERE),
)
PLAN, GROUPING = "gateway/search/plan.py", "gateway/search/grouping.py"
STUDY = "gateway/search/study.py"
GATHERING = "gateway/search/gathering.py"
MATCHING, CONDITIONS = "gateway/qido/matching.py", "gateway/qido/conditions.py"
KEYVALUES, KEYS = "gateway/qido/keyvalues.py", "gateway/qido/keys.py"
NUMBERS, MOMENTS = "gateway/qido/numbers.py", "gateway/qido/moments.py"
ASKING = "gateway/qido/asking.py"
JSON, RESULT = "gateway/qido/dicomjson.py", "gateway/qido/result.py"
ELEMENTS, XML = "gateway/qido/elements.py", "gateway/qido/dicomxml.py"
TABULAR, BODIES = "gateway/qido/tabular.py", "gateway/server/bodies.py"
SEARCHES, RESPONSES = "gateway/server/searches.py", "gateway/server/responses.py"
NEGOTIATION = "gateway/server/negotiation.py"
QUERY = "gateway/qido/query.py"
COST = "gateway/search/cost.py"
ARRIVAL, ORDERING = "gateway/qido/arrival.py", "gateway/qido/ordering.py"

# The tests of a room come first: most mutants die there
OWN = (
    mutants_of_metadata.OWN
    | mutants_of_retrieving.OWN
    | mutants_of_walks.OWN
    | {
        PLAN: "tests/unit/test_plan.py tests/unit/test_arrival.py",
        GROUPING: (
            "tests/unit/test_grouping.py tests/unit/test_study_windows.py "
            "tests/unit/test_going_on.py"
        ),
        STUDY: "tests/unit/test_grouping.py tests/unit/test_arrival.py",
        GATHERING: (
            "tests/laws/test_completion.py "
            "tests/laws/test_arrival.py::test_studies_that_are_found_stand_by_their_winners"
        ),
        MATCHING: (
            "tests/unit/test_matching_types.py tests/unit/test_matching_instances.py "
            "tests/unit/test_matching_sequences.py"
        ),
        CONDITIONS: "tests/unit/test_query_vrs.py tests/unit/test_query_rules.py",
        KEYVALUES: (
            "tests/unit/test_query_vrs.py tests/unit/test_query_instances.py "
            "tests/unit/test_query_values.py tests/unit/test_query_rules.py"
        ),
        KEYS: "tests/unit/test_query_instances.py tests/unit/test_query_values.py",
        NUMBERS: "tests/unit/test_matching_instances.py",
        MOMENTS: "tests/unit/test_query_vrs.py tests/unit/test_arrival.py",
        ASKING: "tests/unit/test_query_instances.py",
        QUERY: "tests/unit/test_query_rules.py",
        JSON: "tests/unit/test_encoding.py",
        RESULT: "tests/unit/test_encoding.py tests/unit/test_instance_values.py",
        ELEMENTS: "tests/unit/test_elements.py",
        XML: "tests/unit/test_dicomxml.py",
        TABULAR: "tests/unit/test_tabular.py",
        BODIES: "tests/unit/test_bodies.py",
        SEARCHES: (
            "tests/http/test_damaged_metadata.py "
            "tests/http/test_media_types.py::test_above_the_instances_columns_are_fixed "
            "tests/http/test_media_types.py::test_others_get_their_turn"
        ),
        RESPONSES: "tests/http/test_media_types.py tests/http/test_keeping.py",
        NEGOTIATION: "tests/unit/test_negotiation.py",
        COST: "tests/unit/test_explain.py",
        ARRIVAL: "tests/unit/test_arrival.py",
        ORDERING: "tests/unit/test_ordering.py",
    }
)

Mutant = tuple[str, str, str]
"""A file, a text in it, and what stands there instead."""

ROWS: tuple[Mutant, ...] = (
    # plan
    (PLAN, "format_date(day - 1)", "format_date(day)"),
    (PLAN, "format_date(day + 1)", "format_date(day)"),
    (
        PLAN,
        "arrival)\n        return SearchPlan(lanes, completes_all=True)",
        "arrival)\n        return SearchPlan(lanes, completes_all=False)",
    ),
    (
        PLAN,
        "for text in texts)\n        return SearchPlan(lanes, completes_all=True)",
        "for text in texts)\n        return SearchPlan(lanes, completes_all=False)",
    ),
    (PLAN, "dated_only=bool(dates)", "dated_only=False"),
    (PLAN, "between is None and arrival and", "arrival and"),
    (PLAN, "texts == _NO_TEXT or beside_text", "True"),
    (PLAN, "upper // SECOND_US + 2", "upper // SECOND_US"),
    (PLAN, "all(0 < len(value) < MAX_TEXT_LENGTH", "all(0 < len(value)"),
    (PLAN, '(v, f"{v} ") if odd[v] else (v,)', "(v,)"),
    (PLAN, "steps.append(())", "pass"),
    (PLAN, "series_uids if study_uids else ()", "series_uids"),
    (PLAN, "if query.everything or query.resource not in", "if query.resource not in"),
    (PLAN, "any(_is_of_study(a, query.level) for a in used)", "False"),
    (PLAN, "query.criteria), *query.also_return)", "query.criteria),)"),
    (PLAN, "Origin.METADATA and level is Level.INSTANCE", "Origin.METADATA"),
    (PLAN, "not (own or by_series)", "not by_series"),
    (PLAN, "not (own or by_series)", "not own"),
    # grouping
    (GROUPING, "1 if time_us is None else -time_us", "-DAY_US if time_us is None else -time_us"),
    (GROUPING, "standing = 0 if mark in sure", "standing = 0 if mark not in sure"),
    (
        GROUPING,
        "-image_set.updated_at, -image_set.version",
        "image_set.updated_at, -image_set.version",
    ),
    (GROUPING, "DAY_US - 1 if time_us is None", "0 if time_us is None"),
    (GROUPING, "elif rank < self._best:", "elif False:"),
    (GROUPING, "min(self._ranks.values())", "rank"),
    (GROUPING, "elif group.add(image_set, place):", "elif group.add(image_set, place) or 1:"),
    (GROUPING, "if not is_early:", "if True:"),
    (GROUPING, "        self._latest = None\n        passed", "        passed"),
    (GROUPING, "self._low[group.study_uid] < self._clock + self._margin_us", "False"),
    (GROUPING, "if sure and not self._released", "if False and not self._released"),
    (GROUPING, "self._released.pop(group.study_uid, None)", "pass"),
    # gathering and study
    (GATHERING, "return len(as_stored) != 1 and", "return not as_stored and"),
    (GATHERING, "if len(undated) < len(image_sets):", "if True:"),
    (GATHERING, "yield sorted(of_day, key=lambda group: group.place)", "yield of_day"),
    (STUDY, "min(created)", "max(created)"),
    (STUDY, "None if -1 in numbers else sum(", "max("),
    (STUDY, "sum(set(numbers) if is_split else numbers)", "sum(numbers)"),
    (STUDY, "sum(set(numbers) if is_split else numbers)", "sum(set(numbers))"),
    (
        STUDY,
        '"DICOMNumberOfStudyRelatedSeries", missing=1)) > 1',
        '"DICOMNumberOfStudyRelatedSeries", missing=1)) > 9',
    ),
    (
        STUDY,
        "filling.setdefault(_series_uid(image_set), image_set)",
        "filling[_series_uid(image_set)] = image_set",
    ),
    # matching
    (MATCHING, "= str.casefold) -> str", "= str) -> str"),
    (MATCHING, "return not text.isascii() and bool(", "return False and bool("),
    (MATCHING, '".".join(re.escape', '".?".join(re.escape'),
    (MATCHING, "last >= lower", "first >= lower"),
    (MATCHING, "(first, re.DOTALL)", "(first, re.IGNORECASE)"),
    (MATCHING, '{last}", re.DOTALL)', '{last}", re.IGNORECASE)'),
    (MATCHING, "return bool(beginnings) and all(", "return all("),
    (MATCHING, 'pattern_of(f"{word}*")', 'pattern_of(f"*{word}*")'),
    (MATCHING, "if literal(group):", "if False:"),
    (MATCHING, "lambda stored: all(test(stored)", "lambda stored: any(test(stored)"),
    (MATCHING, "not stored.get(keyword)", "keyword in stored and not stored[keyword]"),
    (MATCHING, "first <= upper", "last <= upper"),
    (MATCHING, "(lambda text: text.upper() in wanted) if", "wanted.__contains__ if"),
    (MATCHING, "isinstance(value, Item) and accepts(value.values)", "isinstance(value, Item)"),
    (KEYVALUES, "if len(values) > 1 and any(", "if False and any("),
    (
        CONDITIONS,
        "attribute.vr in MULTIPLE_VRS and attribute.delimited",
        "attribute.vr in MULTIPLE_VRS",
    ),
    (CONDITIONS, "and attribute.keyword not in _NEVER_MATCHED", ""),
    (KEYVALUES, 'text.strip(" ")).replace(" ", "+")', 'text.strip(" "))'),
    (KEYVALUES, 'case "AS" if not _AGE', 'case "AS" if False and not _AGE'),
    (KEYVALUES, "if is_creator(attribute):", "if False:"),
    (
        KEYS,
        "inner.setdefault(path[0].keyword, []).append((path, key))",
        "inner[name_of(path)] = [(path, key)]",
    ),
    (KEYS, 'attribute.vr == "SQ" for attribute in path[:-1]', "True for attribute in path[:-1]"),
    (ASKING, "reserved = creator_tag(attribute.tag) in creators", "reserved = True"),
    (ASKING, "> MAX_ITEM_KEYS:", "> 10**9:"),
    (NUMBERS, 'if vr == "FL" else number', "if False else number"),
    (NUMBERS, "Decimal(repr(value))", "Decimal(value)"),
    (NUMBERS, "Decimal(value) if _DECIMAL", "Decimal(float(value)) if _DECIMAL"),
    (MOMENTS, '-1 if offset[:1] == "-" else 1', '1 if offset[:1] == "-" else -1'),
    (MOMENTS, 'date[4:6] or "12"', 'date[4:6] or "11"'),
    (QUERY, "key=lambda pair: pair[0] not in _BEHAVIOURS", "key=lambda pair: 0"),
    (ORDERING, "reversed(keys)", "keys"),
    (ORDERING, "fold(text.rstrip", "str(text.rstrip"),
    (ARRIVAL, "parse_moment(text) if _DAY.match(text) else None", "parse_moment(text)"),
    (MOMENTS, "upper and upper[1]", "upper and upper[0]"),
    (KEYS, "if form and form == _form(times.text):", "if False:"),
    (
        KEYVALUES,
        're.split(r"[,\\\\]", text))))\n    if not uids',
        're.split(r"[,]", text))))\n    if not uids',
    ),
    # cost
    (COST, "calls = max(lanes, pages) + self._completions()", "calls = pages"),
    (COST, "return everything - equal[-1] if equal else 0", "return 0"),
    (COST, "Cost(min(len(found.lanes), max_calls), max_calls", "Cost(1, max_calls"),
    # encoders
    (JSON, 'name.split("=", 2)', 'name.split("^", 2)'),
    (JSON, 'case "":\n            return None', 'case "":\n            return ""'),
    (JSON, "if result.vrs or not simple:", "if not simple:"),
    (JSON, "if result.vrs or not simple:", "if result.vrs:"),
    (JSON, 'elif vr == "PN" or "" in stored:', 'elif vr == "PN":'),
    (JSON, "None if a.keyword in LEFT_OUT_WHEN_EMPTY else", "None if False else"),
    (JSON, "values = [value for value in values if value is not None]", "pass"),
    (ELEMENTS, "if stored or attribute.keyword not in LEFT_OUT_WHEN_EMPTY:", "if True:"),
    (ELEMENTS, 'return vr.partition(" ")[0]', "return vr"),
    (RESULT, "validate=True", "validate=False"),
    (XML, 'tag = f"{tag[:4]}00{tag[6:]}"', "pass"),
    (XML, '_NO_CHARACTER.sub("\\ufffd", plain)', "plain"),
    (XML, ', "--": "-&#45;"', ""),
    (XML, '"\\r": "&#13;"', '"\\r": "\\r"'),
    (XML, 'group.split("^", 4)', 'group.split("^")'),
    (XML, "enumerate(inner, 1)", "enumerate(filter(None, inner), 1)"),
    (XML, "keyword or keyword_for_tag(int(tag, 16))", "keyword"),
    (TABULAR, '"=+-@', '"=+-'),
    (TABULAR, "not (element.vr in _NUMERIC_VRS and _is_numbers(text))", "not _is_numbers(text)"),
    (TABULAR, "element.vr in _NUMERIC_VRS and _is_numbers(text)", "element.vr in _NUMERIC_VRS"),
    (TABULAR, "if cells:", "if False:"),
    # bodies
    (BODIES, "held=False, ", ""),
    (SEARCHES, "await asyncio.sleep(0)", "pass"),
    (SEARCHES, "if full or len(pending) >= CHUNK_BYTES:", "if full:"),
    (SEARCHES, "query.everything and query.level is Level.INSTANCE", "query.everything"),
    (SEARCHES, "number = len(self.tally.faults[fault])", "number = 1"),
    (SEARCHES, "if self.tally.partial:", "if False:"),
    (SEARCHES, "None if self.tally.partial else self.tally.total", "self.tally.total"),
    (SEARCHES, "yield from self._damaged()\n        more", "more"),
    (SEARCHES, "yield from self._damaged()\n        yield", "yield"),
    (SEARCHES, "if form.held and", "if"),
    (SEARCHES, "self._told < len(self.tally.partial)", "self._told < 0"),
    (SEARCHES, "self._told = len(self.tally.partial)", "pass"),
    (SEARCHES, "self._check_told(form)\n            last", "last"),
    (RESPONSES, "weak_etag(body, self._content_type)", 'weak_etag(body, "")'),
    (NEGOTIATION, "if name == _PART:", "if False:"),
    (NEGOTIATION, "(offered, without_type, ", "(offered, "),
    (NEGOTIATION, "unquoted.strip().lower()", "of"),
    (RESULT, "if delimited and vr not in _ONE_TEXT:", "if vr not in _ONE_TEXT:"),
    (RESULT, 'text.rstrip(" \\0")', "text"),
    (RESULT, 'text.strip("^= ") != ""', "True"),
)
MUTANTS = (
    ROWS + mutants_of_metadata.MUTANTS + mutants_of_retrieving.MUTANTS + mutants_of_walks.MUTANTS
)


def main() -> int:
    """Run every mutant; the exit status is 1 where one is not killed, or the tests fail anyhow."""
    # Without a mutant: each room's own tests, for `make test` runs all there are
    sound = tried([Trial("", "", "", (tuple(own.split()),)) for own in sorted(set(OWN.values()))])
    for trial, end in sound.items():
        if end != PASSED:
            sys.stderr.write(f"without a mutant: {end}: {' '.join(trial.stages[0])}\n")
            return 1
    ends = tried([Trial(*mutant, (tuple(OWN[mutant[0]].split()), ALL)) for mutant in MUTANTS])
    left = {trial: end for trial, end in ends.items() if end != FAILED}
    for trial, end in left.items():
        sys.stderr.write(f"{end}: {trial.path}: {trial.old!r} -> {trial.new!r}\n")
    sys.stdout.write(f"mutants: {len(ends)} tried, {len(left)} not killed\n")
    return min(len(left), 1)


if __name__ == "__main__":
    raise SystemExit(main())
