"""The rows of `mutants` for what reads metadata, and for what a search makes of it."""

from __future__ import annotations

DESCRIBING, PIPELINE = "gateway/search/describing.py", "gateway/search/pipeline.py"
NEEDS, MODEL = "gateway/search/needs.py", "gateway/search/metadata.py"
INSTANCE, STORED = "gateway/search/instance.py", "gateway/search/stored.py"
SETTLING, BLOCKS = "gateway/search/settling.py", "gateway/search/blocks.py"
STORE, BLOB = "gateway/healthimaging/metadata.py", "gateway/healthimaging/blob.py"
WINDOWS, INFLATING = "gateway/healthimaging/windows.py", "gateway/healthimaging/inflating.py"
GUNZIPPING = "gateway/healthimaging/gunzipping.py"
BUDGET = "gateway/healthimaging/budget.py"
FLIGHT = "gateway/healthimaging/flight.py"

OWN = {
    DESCRIBING: "tests/unit/test_describing.py",
    NEEDS: "tests/unit/test_describing.py",
    MODEL: "tests/unit/test_describing.py tests/unit/test_blob.py",
    PIPELINE: (
        "tests/unit/test_describing.py tests/http/test_count.py tests/unit/test_going_on.py "
        "tests/laws/test_sharing.py"
    ),
    INSTANCE: "tests/unit/test_instance_values.py",
    STORED: "tests/unit/test_instance_values.py",
    SETTLING: "tests/unit/test_instance_values.py",
    BLOCKS: "tests/unit/test_instance_values.py",
    STORE: "tests/unit/test_metadata_store.py",
    BLOB: "tests/unit/test_blob.py",
    WINDOWS: "tests/unit/test_windows.py tests/unit/test_blob.py",
    INFLATING: "tests/unit/test_blob.py",
    GUNZIPPING: "tests/unit/test_blob.py",
    BUDGET: "tests/unit/test_walk.py",
    FLIGHT: "tests/unit/test_flight.py tests/unit/test_metadata_store.py",
}

MUTANTS: tuple[tuple[str, str, str], ...] = (
    # describing: what is fetched
    (NEEDS, "is Origin.METADATA and known", "is Origin.METADATA"),
    (NEEDS, "return not sure_count", "return True"),
    (NEEDS, '"each" if _counts(deciding)', '"where open" if _counts(deciding)'),
    (DESCRIBING, '"where open" and COUNT not in found.values', '"where open"'),
    (DESCRIBING, "found.image_sets[:1] if needs.series", "found.image_sets if needs.series"),
    (DESCRIBING, "winner = found.study_winner", "winner = found.image_sets[-1]"),
    (DESCRIBING, "next(at_hand, None) or await", "await"),
    (DESCRIBING, "2 if self._names is None else AT_ONCE", "AT_ONCE"),
    (NEEDS, "bool(self.waiting) or self.orders", "bool(self.waiting)"),
    (NEEDS, "self.instances or bool(self.waiting)", "self.instances"),
    # describing: what is answered
    (DESCRIBING, "result is not None and self._matches(result.values)", "result is not None"),
    (DESCRIBING, "0 if self.needs.waiting else unread", "unread"),
    (DESCRIBING, "0 if self.needs.waiting else unread", "0"),
    (DESCRIBING, "k: () if k in _NOT_ITS_OWN else v", "k: v"),
    (DESCRIBING, "in (Origin.SUMMARY, Origin.DERIVED)", "in (Origin.SUMMARY,)"),
    (
        DESCRIBING,
        "for k, vr in read.vrs.items() if k not in _NOT_ITS_OWN",
        "for k, vr in read.vrs.items()",
    ),
    (DESCRIBING, "{**own, **series_values,", "{**series_values, **own,"),
    (DESCRIBING, "setdefault(instance.sop_instance_uid,", "setdefault(str(len(by_uid)),"),
    (DESCRIBING, "by_uid.setdefault(", "by_uid.__setitem__("),
    (MODEL, "(self.number is None, self.number or 0,", "(self.number or 0,"),
    (DESCRIBING, "not all(one.whole for one in fetched.own)", "False"),
    (DESCRIBING, "len(fetched.own) == len(fetched.found.image_sets)", "True"),
    (
        DESCRIBING,
        "{i.sop_instance_uid for one in fetched.own for i in one.instances}",
        "[i for one in fetched.own for i in one.instances]",
    ),
    (DESCRIBING, "vrs |= read.vrs", "pass"),
    (DESCRIBING, "for fault in metadata.faults:", "for fault in metadata.faults[:0]:"),
    (DESCRIBING, "for fault in read.faults:", "for fault in ():"),
    (DESCRIBING, "if not metadata.whole:", "if False:"),
    # pipeline
    (PIPELINE, "window.position > window.offset:", "window.position >= window.offset:"),
    (PIPELINE, "query.offset, query.offset + limit)", "query.offset, limit)"),
    (PIPELINE, "if last and not self._describing.needs.decides:", "if last:"),
    (PIPELINE, "        self._tally.total = window.position", "        pass"),
    (PIPELINE, "if self.window.position > at_most:", "if False:"),
    (PIPELINE, "position < window.offset and not self._describing.needs.decides", "position < 0"),
    (
        PIPELINE,
        "position < window.offset and not self._describing.needs.decides",
        "position < window.offset",
    ),
    (PIPELINE, "min(self._describing.at_once, self.window.wanted)", "self._describing.at_once"),
    (
        PIPELINE,
        "async for groups, last in batches:",
        "for groups, last in [batch async for batch in batches]:",
    ),
    (
        PIPELINE,
        "yield result\n                    if window.position == window.end:",
        "yield result\n                    if False:",
    ),
    (
        PIPELINE,
        "yield result\n                if window.position == window.end:",
        "yield result\n                if False:",
    ),
    (PIPELINE, "await asyncio.sleep(0)", "pass"),
    # instance
    (
        INSTANCE,
        "{**reader.named(metadata.levels), **own}",
        "{**own, **reader.named(metadata.levels)}",
    ),
    (INSTANCE, "DEFAULT_SYNTAX if syntax is None else syntax", "DEFAULT_SYNTAX"),
    (INSTANCE, "None if names is None or creators else", "None if names is None else"),
    (INSTANCE, "names | SETTLERS", "names"),
    (INSTANCE, "names | creators.keys()", "names"),
    (INSTANCE, "    if creators:\n", "    if False:\n"),
    (INSTANCE, 'keyword: trim("LO", one.value)', "keyword: one.value"),
    (INSTANCE, 'trim("LO", text) for tag', "text for tag"),
    (INSTANCE, "key == attribute.keyword or attribute.keyword not in found", "True"),
    (INSTANCE, "if not _is_left_out(key):", "if True:"),
    (INSTANCE, "elif attribute.keyword not in _NOT_READ and (", "elif ("),
    (INSTANCE, "if found is None:\n", "if False:\n"),
    (INSTANCE, "if not vr:\n                self._faults.add(Fault.VR)", "if not vr:"),
    (INSTANCE, "too_deep = len(around.data_sets) > MOST_NESTED", "too_deep = False"),
    (INSTANCE, "around.inner(_plain(named))", "around"),
    (INSTANCE, "if vr != attribute.vr:", "if False:"),
    (INSTANCE, "return Item(found.values, found.vrs)", "return Item(found.values)"),
    # stored
    (STORED, "if not all(isinstance(text, str) for text in texts):", "if False:"),
    (STORED, "and low <= number <= high", "and low <= number"),
    (STORED, "return number if math.isfinite(number) else None", "return number"),
    (STORED, "_CONTROLS_BUT_LAYOUT if vr in _KEEPS_LAYOUT else _CONTROLS", "_CONTROLS"),
    (STORED, "whole is not None and abs(whole) <= _EXACT", "whole is not None"),
    (
        STORED,
        "case bool():\n            return None\n        case int():\n            return given",
        "case int():\n            return given",
    ),
    (
        STORED,
        "if value is None:\n                return None",
        "if value is None:\n                continue",
    ),
    # settling
    (SETTLING, "(data_set, *self.data_sets)", "(*self.data_sets, data_set)"),
    (
        SETTLING,
        "(key != attribute.keyword or told in choices or attribute.keyword == attribute.tag)",
        "True",
    ),
    (SETTLING, "return other if unfit else usual", "return usual"),
    (SETTLING, 'around.first("PixelRepresentation", "US") not in (None, 0)', "False"),
    (SETTLING, '"OB" if _has_bytes(around) else "OW"', '"OW"'),
    (SETTLING, "if is_base64(one):", "if False:"),
    (SETTLING, "isinstance(told, str) and told in VRS", "isinstance(told, str)"),
    # blocks
    (BLOCKS, "if creators.get(number) == text:", "if False:"),
    (BLOCKS, "creators[block] == text", "creators[block].lower() == text.lower()"),
    (BLOCKS, "creators[block] == text", "True"),
    (BLOCKS, "taken = {*used, *asked}", "taken = {*used}"),
    (BLOCKS, "[block] if block not in asked else [", "[block] if True else ["),
    # the store of metadata
    (STORE, "kept is None or (names is not None and names <= kept)", "True"),
    (STORE, "return image_set.image_set_id, image_set.version", "return image_set.image_set_id, 1"),
    (STORE, "            budget.count_call()\n", ""),
    (STORE, "budget.count_retries(exc.attempts - 1)", "pass"),
    (STORE, "budget.count_retries(body.attempts - 1)", "pass"),
    (STORE, " or _NOT_KEPT & set(entry.metadata.faults)", ""),
    (STORE, "key[1] == 0 or ", ""),
    (STORE, "self._entries.move_to_end(key)", "pass"),
    (STORE, "while self.weight > bound:", "while False:"),
    (STORE, "self.weight -= before.weight", "pass"),
    (STORE, "names | DEFAULT_NAMES | before", "names | before"),
    (STORE, "names | DEFAULT_NAMES | before", "names | DEFAULT_NAMES"),
    (STORE, "self._flights[key] = flight", "pass"),
    (FLIGHT, "asyncio.shield(self._task)", "self._task"),
    (FLIGHT, "self._task.cancel()", "pass"),
    (STORE, "await self._rate.acquire()", "pass"),
    (STORE, "if size > self._limits.max_bytes:", "if False:"),
    (STORE, "body.close()", "pass"),
    (STORE, "if body.is_gone:", "if False:"),
    (STORE, "if size > LARGE_BYTES and not is_large:", "if False:"),
    # blob
    (BLOB, "(self.ended or not self._series_uid) and self._met == 1", "self._met == 1"),
    (BLOB, " and self._met == 1", ""),
    (BLOB, "whole=chosen.whole and not broken", "whole=True"),
    (BLOB, "whole=chosen.whole and not broken", "whole=chosen.whole"),
    (BLOB, "whole=chosen.whole and not broken", "whole=not broken"),
    (BLOB, "series.whole = is_object", "series.whole = True"),
    (BLOB, "is_object = False  # one instance less", "pass"),
    (BLOB, ", creator_tag(attribute.tag)}", "}"),
    (BLOB, "{attribute.keyword, attribute.tag,", "{attribute.keyword,"),
    (BLOB, "if nested or n in kept", "if n in kept"),
    (BLOB, "into.update(mended(found))", "into.update(found)"),
    (BLOB, "return bool(series_uid) and series_uid in own", "return series_uid in own"),
    (BLOB, "if missing:", "if False:"),
    (BLOB, "for one in reversed(chosen.instances)}", "for one in chosen.instances}"),
    (BLOB, "tuple(sorted(each.values(), key", "tuple(sorted(chosen.instances, key"),
    (BLOB, "packed(found)  #", "pass  #"),
    (BLOB, "if text.peek():", "if False:"),
    (BLOB, '("DICOM", "DICOMVRs", _SYNTAX)', '("DICOM", "DICOMVRs")'),
    (BLOB, '("DICOM", "DICOMVRs", _SYNTAX)', '("DICOM", _SYNTAX)'),
    (BLOB, 'parts += (b",", packed(name), b":", value)', "pass"),
    # windows
    (WINDOWS, 'return well_formed("".join(parts))', 'return "".join(parts)'),
    (WINDOWS, "into += packed(found)", "into += orjson.dumps(found)"),
    (WINDOWS, "self._text[end - 1] in '\"]}' or self._left(end) >= _NUMBER_TAIL", "True"),
    (WINDOWS, "case int() if not _LEAST_INT <= value <= _MOST_INT:", "case int() if False:"),
    (WINDOWS, "case float() if not math.isfinite(value):", "case float() if False:"),
    (WINDOWS, "if self._left(self._at) >= self._most:", "if False:"),
    # inflating
    (INFLATING, "if size > self._max_bytes:", "if False:"),
    (INFLATING, "if given > self._max_bytes:", "if False:"),
    (INFLATING, "Fault.NOT_JSON if any_came else Fault.NOT_GZIP", "Fault.NOT_GZIP"),
    (GUNZIPPING, "if not self._engine.eof:", "if False:"),
    (GUNZIPPING, 'if not rest.strip(b"\\0"):', "if False:"),
    (
        GUNZIPPING,
        " " * 16 + "self._engine = zlib.decompressobj(_GZIP_WBITS)",
        " " * 16 + "return",
    ),
    (GUNZIPPING, "engine.decompress(rest, PIECE_BYTES)", "engine.decompress(rest)"),
    # budget
    (BUDGET, "if self.calls >= self.max_calls:", "if self.calls > self.max_calls:"),
    (BUDGET, "self.calls += 1\n", "pass\n"),
    (BUDGET, "self.calls += number", "pass"),
    (BUDGET, "if left_s <= 0:", "if False:"),
    (BUDGET, "if not self._waiting:\n            self._since", "if True:\n            self._since"),
    (
        BUDGET,
        "if not self._waiting:\n            self.spent_s",
        "if True:\n            self.spent_s",
    ),
    (BUDGET, "(self.clock() - self._since if self._waiting else 0.0)", "0.0"),
)
