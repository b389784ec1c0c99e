"""The rows of `mutants` for what retrieves and renders, and for the pages in front of it.

Each is a wrong picture, another patient's data, or less than there is that looks whole.
"""

from __future__ import annotations

MEDIA, MULTIPART = "gateway/wado/media.py", "gateway/wado/multipart.py"
METADATA, PLAIN = "gateway/wado/metadata.py", "gateway/wado/plain.py"
SOUND, REQUESTS = "gateway/wado/sound.py", "gateway/wado/requests.py"
RENDERED, URI = "gateway/wado/rendered.py", "gateway/wado/uri.py"
COMPOSING, NATIVE = "gateway/wado/composing.py", "gateway/wado/nativemodel.py"
DECODING, DESCRIPTION = "gateway/imaging/decoding.py", "gateway/imaging/description.py"
RENDERING, PALETTES = "gateway/imaging/rendering.py", "gateway/imaging/palettes.py"
OPENING, STREAMS = "gateway/server/opening.py", "gateway/server/streams.py"
PLACES = "gateway/server/places.py"
RETRIEVING, BODY = "gateway/server/retrieving.py", "gateway/server/metadata.py"
PIXELS, PAGE = "gateway/server/pixels.py", "gateway/server/page_html.py"
VIEWER, FORWARDED = "gateway/server/viewer.py", "gateway/server/forwarded.py"
LOCATING, DICOMWEB = "gateway/healthimaging/locating.py", "gateway/healthimaging/dicomweb.py"
FETCHING, PACING = "gateway/healthimaging/fetching.py", "gateway/healthimaging/pacing.py"
IMAGE_SETS, FRAMING = "gateway/healthimaging/imagesets.py", "gateway/healthimaging/framing.py"


def _in(file: str, *tests: str) -> str:
    """Only these tests of a file: each mutant is to die within seconds."""
    return " ".join(f"{file}::test_{test}" for test in tests)


_RETRIEVES, _BY_DICOMWEB = "tests/http/test_retrieving.py", "tests/contract/test_retrieving.py"
_OF_FILES = "tests/contract/test_retrieving_files.py"

OWN = {
    MEDIA: "tests/unit/test_wado_media.py",
    MULTIPART: "tests/unit/test_wado_multipart.py",
    METADATA: "tests/unit/test_wado_metadata.py",
    PLAIN: "tests/unit/test_wado_plain.py",
    SOUND: "tests/unit/test_wado_metadata.py",
    REQUESTS: "tests/unit/test_wado_requests.py",
    RENDERED: "tests/unit/test_rendered_query.py",
    URI: "tests/unit/test_rendered_query.py",
    COMPOSING: "tests/unit/test_wado_composing.py",
    NATIVE: "tests/unit/test_wado_nativemodel.py",
    DECODING: _in(
        "tests/unit/test_imaging_decoding.py",
        "what_cannot_be_decoded_is_refused",
        "the_planes_are_apart_where_they_are_described_so",
        "explicit_little_endian_reads_back_as_described",
    ),
    DESCRIPTION: "tests/unit/test_imaging_description.py",
    RENDERING: "tests/unit/test_imaging_rendering.py",
    PALETTES: "tests/unit/test_imaging_rendering.py",
    PLACES: _in(
        _RETRIEVES,
        "series_at_several_places",
        "a_series_that_is_listed_and_not_there",
    ),
    OPENING: _in(
        _RETRIEVES,
        "series_at_several_places",
        "a_series_that_is_listed_and_not_there",
        "an_instance_that_is_listed_and_not_there",
    ),
    STREAMS: _in(_RETRIEVES, "another_length", "failure_in_the_middle", "frames_that_are_no_parts"),
    RETRIEVING: _in(_RETRIEVES, "frame_by_itself"),
    BODY: _in(
        _RETRIEVES,
        "series_at_several_places",
        "malformed_too_late",
        "malformed_where_it_lies_again",
    ),
    PIXELS: _in("tests/http/test_rendering.py", "a_decoded_frame_is_rendered_alike"),
    PAGE: _in("tests/http/test_page.py", "a_study_is_text"),
    VIEWER: _in("tests/http/test_viewer.py", "nothing_from_outside"),
    FORWARDED: "tests/unit/test_forwarded.py",
    LOCATING: _in(_BY_DICOMWEB, "what_is_kept_ends", "places"),
    DICOMWEB: _in(_BY_DICOMWEB, "what_is_asked", "a_path_that_leads_elsewhere[..]"),
    FETCHING: _in(
        _BY_DICOMWEB,
        "a_refusal_is_one_of_our_errors[throttled]",
        "a_refusal_is_one_of_our_errors[elsewhere]",
        "a_frame_out_of_range",
        "a_broken_body[cut]",
    ),
    PACING: _in(_BY_DICOMWEB, "a_queue_that_is_too_long"),
    IMAGE_SETS: _in(
        _OF_FILES,
        "metadata_that_lacks_its_series[metadata]",
        "what_image_sets_have_not",
        "frames_of_image_sets",
    ),
    FRAMING: _in(_OF_FILES, "frames_of_several_sizes"),
}

MUTANTS: tuple[tuple[str, str, str], ...] = (
    # what is asked for
    (MEDIA, "EXPLICIT_LITTLE_ENDIAN if named else STORED, one", "STORED, one"),
    (REQUESTS, r"(?:/(?!\.{1,2}(?:/|$))", "(?:/"),
    (REQUESTS, r'or "," in text or "\\" in text', ""),
    (RENDERED, "!= value and name in ONCE", "!= value and False"),
    (URI, 'if given.get("anonymize", "no") != "no":', "if False:"),
    (URI, "right - left, bottom - top, is", "right, bottom, is"),
    # what the upstream sends
    (MULTIPART, "len(held) - _overlap(held, delimiter)", "len(held)"),
    (METADATA, 'f"{instance_url}/{place[1]}"', "uri"),
    (PLAIN, r'[^"\\\x00-\x1f]*+', r'[^"\\]*+'),
    (SOUND, 'value is not None or vr == "SQ"', "value is not None"),
    # files that are composed
    (COMPOSING, "before.PlanarConfiguration = 0", "pass"),
    (COMPOSING, "before.SpecificCharacterSet = _UTF_8", "pass"),
    (NATIVE, "sorted(by_tag.items())", "by_tag.items()"),
    (NATIVE, "creator=_creator(tag, by_tag)", 'creator=""'),
    (NATIVE, "tag.upper(): attribute", "tag: attribute"),
    (NATIVE, 'if uri := attribute.get("BulkDataURI")', 'if uri := ""'),
    # pictures
    (DECODING, 'bitorder="little"', 'bitorder="big"'),
    (DECODING, "array.transpose(2, 0, 1)", "array"),
    (DECODING, "if (header.rows, header.columns) !=", "if False and (header.rows,) !="),
    (DESCRIPTION, 'photometric == "MONOCHROME1" or', ""),
    (DESCRIPTION, "per_frame[number - 1]", "per_frame[0]"),
    (DESCRIPTION, '"PixelRepresentation", 0) == 1', '"PixelRepresentation", 0) > 1'),
    (RENDERING, "stored * description.slope + description.intercept", "stored"),
    (RENDERING, "(values - (center - 0.5)) / (width - 1)", "(values - center) / width"),
    (RENDERING, "(array < low) | (array > high)", "array < low"),
    (RENDERING, "window = window or description.window", "window = description.window or window"),
    (RENDERING, "grey = 1.0 - grey", "pass"),
    (RENDERING, "transpose(Transpose.FLIP_LEFT_RIGHT)", "transpose(Transpose.FLIP_TOP_BOTTOM)"),
    (PALETTES, "- palette.tables[0].first", ""),
    (PIXELS, "found.sop_instance_uid, [number], wanted", "found.sop_instance_uid, [1], STORED"),
    # what looks whole has to be
    (PLACES, "await _see_gone(retrieval, target, place)", "pass"),
    (OPENING, "raise UpstreamUnavailableError(NOT_GIVEN) from exc", "raise"),
    (PLACES, "if uid not in given:", "if True:"),
    (STREAMS, "if self.length not in (None, sent):", "if False:"),
    (STREAMS, 'facts["cut"] = True\n                return', 'facts["cut"] = True'),
    (
        STREAMS,
        """raise UpstreamUnavailableError("HealthImaging's answer ends within a part.")""",
        "return",
    ),
    (RETRIEVING, "single=len(numbers) == 1", "single=True"),
    (BODY, "if uid and uid in self._given:", "if False:"),
    (BODY, "if uid and uid in self._given:", "if one.is_sound and uid in self._given:"),
    (BODY, "if self._told is not None:", "if False:"),
    # pages
    (PAGE, "<bdi>{escape(text)}</bdi>", "<bdi>{text}</bdi>"),
    (VIEWER, "path.is_relative_to(self._folder) and", ""),
    (FORWARDED, 'fields[-1].rpartition(",")[2]', 'fields[0].partition(",")[0]'),
    (FORWARDED, "return any(peer in network for network in trusted)", "return bool(trusted)"),
    # the upstream
    (LOCATING, "is_of_it = study_uid_of(one) == study_uid", "is_of_it = True"),
    (LOCATING, "found_series(sets, self.options)", 'found_series(sets, SearchOptions("all"))'),
    (LOCATING, "if found and since <= oldest:", "if False:"),
    (DICOMWEB, 'query = "" if place.is_primary else', 'query = "" if True else'),
    (DICOMWEB, '{".", "..", ""} & set(path.split("/"))', "False"),
    (FETCHING, "allow_redirects=False", "allow_redirects=True"),
    (FETCHING, "status == 400 and code in _ABSENT", "status == 400"),
    (FETCHING, "raise error from None\n        finally", "return\n        finally"),
    (FETCHING, "retry=retry_if_exception_type(_PASSING)", "retry=lambda _: False"),
    (PACING, "if late_s > 0:", "if False:"),
    (IMAGE_SETS, "if syntax not in (STORED, stored.syntax):", "if False:"),
    (IMAGE_SETS, "if not found.whole:", "if False:"),
    (IMAGE_SETS, "stored.frames[number - 1]", "stored.frames[-number]"),
    (FRAMING, "if size != first:", "if False:"),
)
