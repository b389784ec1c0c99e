"""Rows for the matching behaviours that a request switches on (PS3.18 §8.3.4.2, .5 and .6)."""

from __future__ import annotations

from typing import Any

from tests.matching.names import ROMAN
from tests.matching.rows import Key, Row, on_each, rows
from tests.matching.text import CS, LO, SH

FUZZY_WORDS: dict[str, Key] = {
    "the whole name": ("DOE^JANE", "DOE^JANE", True),
    "the family name": ("DOE^JANE", "DOE", True),
    "the given name": ("DOE^JANE", "JANE", True),
    "in another order": ("DOE^JANE", "JANE DOE", True),
    "the beginnings of both": ("DOE^JANE", "JA D", True),
    "one letter": ("DOE^JANE", "j", True),
    "another case": ("DOE^JANE", "jane doe", True),
    "a space for ^": ("DOE^JANE", "DOE JANE", True),
    "a comma for ^": ("DOE^JANE", "DOE,JANE", True),
    "a comma and a space for ^": ("DOE^JANE", "Doe, Jane", True),
    "words of one component": ("DE LA CRUZ^ANA MARIA", "mar cru", True),
    "a comma in the store": ("DOE, JANE", "jane doe", True),
    "an accent in the store": ("MÜLLER^JÖRG", "jorg muller", True),
    "an accent in the key": ("GARCIA^ANA", "aná gar", True),
    "an accent apart": ("Mu\u0308ller^Anna", "anna mü", True),
    "ß as ss": ("STRAUß^ANNA", "anna strauss", True),
    "ss as ß": ("STRAUSS^ANNA", "anna strauß", True),
    "Greek": ("Διονύσιος^Άννα", "αννα διον", True),
    "an ideographic space": ("DOE^JANE", "jane\u3000doe", True),
    "a word twice": ("DOE^JANE", "DOE DOE", True),
    "empty components between": ("DOE^JANE^^DR", "dr doe", True),
    "spaces around": ("DOE^JANE", " JANE  DOE ", True),
    "a prefix that two words have": ("DOE^DORA", "do do", True),
    "padded in the store": ("DOE^JANE ", "JANE", True),
    "the end of a word": ("DOE^JANE", "ANE", False),
    "within a word": ("DOE^JANE", "OE", False),
    "more than a word": ("DOE^JANE", "JANET", False),
    "one word of two": ("DOE^JANE", "JANE ROE", False),
    "the words run together": ("DOE^JANE", "DOEJANE", False),
    "a sound alike": ("MEYER^ANNA", "MAIER", False),
    "two letters for an umlaut": ("MÜLLER", "MUELLER", False),
    "a mark that makes another letter": ("ガ^ハ", "カ", False),
    "a hyphen parts nothing": ("DOE-ROE^JANE", "ROE", False),
    "a dot is no wild card": ("DOE^JANE", "J.NE", False),
    "a caret alone": ("DOE^JANE", "^", False),
    "a comma alone": ("DOE^JANE", ",", False),
    "stored empty": ("", "DOE", False),
    "carets alone are no name": ("^^", "D", False),
    "not stored": (None, "D", False),
}

FUZZY_FORMS: dict[str, Key] = {
    "a wild card as without": ("DOE^JANE", "*e^ja*", True),
    "a wild card at the end as without": ("DOE^JANE", "doe*", True),
    "a star across words as without": ("DOE^JANE", "d*ne", True),
    "? for the delimiter as without": ("DOE^JANE", "doe?jane", True),
    "? for a ligature as without": ("ﬁSCHER", "?SCHER", True),
    "a viewer's stars": ("DOE^JANE", "*jane*", True),
    "? in a word": ("DOE^JANE", "j?n d?e", True),
    "* in a word": ("DOE^JANE", "j*e doe", True),
    "* before a word": ("DOE^JANE", "*ne *oe", True),
    "? for a letter of two in the other case": ("STRAUß^ANNA", "STRAU?^ANNA", True),
    "a word of stars": ("DOE^JANE", "jane **", True),
    "each group: alphabetic": (ROMAN, "tar yam", True),
    "each group: ideographic": (ROMAN, "太 山", True),
    "each group: phonetic": (ROMAN, "たろう", True),
    "by group": (ROMAN, "tarou=太郎", True),
    "by group, one left empty": (ROMAN, "=太郎 山田", True),
    "by group, literal in one and by words in another": (ROMAN, "Yamada^Tarou=太郎", True),
    "any of several names": ("DOE^JANE\\ROE^ANN", "ann roe", True),
    "a key of stars is universal": (None, "**", True),
    "zero length is universal": (None, "", True),
    "? for none": ("DOE^JANE", "jane?", False),
    "? for two": ("DOE^JANE", "j?e", False),
    "* in a word that differs": ("DOE^JANE", "j*x doe", False),
    "a star does not pass words": ("DOE^JANE ANN", "jane d*nn", False),
    "words of two groups": (ROMAN, "yamada 太郎", False),
    "by group, in the wrong one": (ROMAN, "=tarou", False),
    "by group, one of two wrong": (ROMAN, "tarou=花子", False),
    "by group, not stored": ("DOE^JANE", "=jane", False),
    "words of two names": ("DOE^JANE\\ROE^ANN", "ann doe", False),
    "a lone ? on nothing": ("", "?", False),
    "a star and more on nothing": (None, "*a", False),
}

NOT_FUZZY: dict[str, Key] = {
    "a part without fuzzymatching": ("DOE^JANE", "JANE", False),
    "another order without fuzzymatching": ("DOE^JANE", "JANE^DOE", False),
}

_NOTHING = (None, "", " ", "   ")
_NO_DATES = ("unknown", "20200230", "2020", "20200131120000")
_NO_TIMES = ("noon", "25", "9", "10:60")
_NO_NAMES = ("^^", "==", "^=^", " ^ ")


def _empty(stored: tuple[Any, ...], nothing: tuple[Any, ...]) -> dict[str, Key]:
    """Rows of `""`: on what is nothing, on what is stored, and universal keys on both."""
    return {
        **dict(on_each(nothing, ('""',), expected=True)),
        **dict(on_each(stored, ('""',), expected=False)),
        **dict(on_each((*stored[:2], *nothing[:2]), ("", " "), expected=True)),
    }


_TEXTS = ("A", "AB1 ", " A", '""', '"', "0", "山")
EMPTY_TEXT = _empty(_TEXTS, (*_NOTHING, "\0"))
EMPTY_NAME = _empty(("DOE^JANE", "^JANE", "=山田", "-", '""', "DOE "), (*_NOTHING, *_NO_NAMES))
EMPTY_DATE = _empty(("20200131", "20200131 ", "2020.01.31"), (*_NOTHING, *_NO_DATES))
EMPTY_TIME = _empty(("10", "101530", "10:15:30", "235960"), (*_NOTHING, *_NO_TIMES))
EMPTY_INTEGER = _empty((0, 7, "7", " 7 ", "x", "7.0", -1), _NOTHING)
EMPTY_DERIVED = _empty(("CT", "CT\\MR", "MR\\US\\PT", "C", "M R"), (None, "", " "))
EMPTY_UID: dict[str, Key] = {
    **dict(on_each(("1", "1.2", "1.2.3", "1.2.3\0", "1.02", "1.2 "), ('""',), expected=False)),
    **dict(on_each(("1", "1.2", "1.2.3\0", "1.02", "1.2 "), ("", " "), expected=True)),
    "a list": ("1.2", "1.1,1.2", True),
}
EMPTY_FORMS: dict[str, Key] = {
    "padded quotation marks": ("", ' "" ', True),
    "several empty values": ("\\\\", '""', True),
    "an empty value beside another": ("\\NECK", '""', False),
    "text in quotation marks": ("A", '"A"', False),
    "one quotation mark": ("", '"', False),
    "three quotation marks": ("", '"""', False),
    "apostrophes": ("", "''", False),
    "a star behind": ("", '""*', False),
    "stored like the key with a star": ('""A', '""*', True),
    "other text as ever": ("A", "A", True),
    "wild cards as ever": ("AB", "A*", True),
}
QUOTED: dict[str, Key] = {
    "without the behaviour it is text": ('""', '""', True),
    "without the behaviour nothing is no text": ("", '""', False),
    "without the behaviour a wild card is one": ('""', '"?', True),
}

SEVERAL_TEXT: dict[str, Key] = {
    "both, in their order": ("A\\B", "A\\B", True),
    "both, in another order": ("A\\B", "B\\A", True),
    "others beside them": ("A\\B\\C", "C\\A", True),
    "all of three": ("A\\B\\C", "B\\C\\A", True),
    "the same twice": ("A\\B", "A\\A", True),
    "padded in the store": ("A \\ B", "A\\B", True),
    "padded in the key": ("A\\B", " A \\ B ", True),
    "a value of zero length before": ("A\\B", "\\A", True),
    "a value of zero length behind": ("A\\B", "B\\", True),
    "two backslashes": ("A\\B", "A\\\\B", True),
    "one value": ("A\\B", "B", True),
    "one value left, with a wild card": ("AX\\B", "A*\\", True),
    "backslashes alone are universal": (None, "\\\\", True),
    "one is missing": ("A\\B", "A\\C", False),
    "one of three is missing": ("A\\B", "A\\B\\C", False),
    "one is the beginning": ("AX\\B", "A\\B", False),
    "another case": ("A\\B", "a\\b", False),
    "only one is stored": ("A", "A\\B", False),
    "a text that holds both": ("A B", "A\\B", False),
    "nothing is stored": ("", "A\\B", False),
    "not stored": (None, "A\\B", False),
}

SEVERAL_NAMES: dict[str, Key] = {
    "both": ("DOE^JANE\\ROE^ANN", "ROE^ANN\\DOE^JANE", True),
    "another case": ("DOE^JANE\\ROE^ANN", "doe^jane\\roe^ann", True),
    "accents": ("MÜLLER^A\\ROE^ANN", "muller^a\\roe^ann", True),
    "groups of two names": ("Doe=山\\Roe=田", "山\\田", True),
    "others beside them": ("A^B\\C^D\\E^F", "E^F\\A^B", True),
    "one value": ("DOE^JANE\\ROE^ANN", "ROE^ANN", True),
    "one value left, with a wild card": ("DOE^JANE\\ROE^ANN", "\\DOE*", True),
    "the same twice": ("DOE^JANE", "DOE^JANE\\doe^jane", True),
    "one is missing": ("DOE^JANE\\ROE^ANN", "DOE^JANE\\POE^ANN", False),
    "only one is stored": ("DOE^JANE", "DOE^JANE\\ROE^ANN", False),
    "names mixed": ("DOE^JANE\\ROE^ANN", "DOE^ANN\\ROE^JANE", False),
    "parts of names": ("DOE^JANE\\ROE^ANN", "DOE\\ROE", False),
    "one is a part": ("DOE^JANE\\ROE^ANN", "DOE^JANE\\ROE", False),
    "nothing is stored": ("", "A\\B", False),
    "not stored": (None, "A\\B", False),
}

SEVERAL_MODALITIES: dict[str, Key] = {
    "a comma is either": ("CT", "CT,MR", True),
    "a comma is either, the other": ("MR\\US", "CT,MR", True),
    "either and another": ("MR\\PT", "CT,MR\\PT", True),
    "either and either": ("MR\\US", "CT,MR\\PT,US", True),
    "a comma at its end": ("MR\\PT", "MR,\\PT", True),
    "a comma alone is no value": ("PT", ",\\PT", True),
    "either alone": ("MR", "CT,MR\\PT", False),
    "the other alone": ("PT", "CT,MR\\PT", False),
    "neither": ("US\\XA", "CT,MR\\PT", False),
    "either, of two lists": ("CT\\MR", "CT,MR\\PT,US", False),
}

ONE_VALUE: dict[str, Key] = {
    "its backslash is text": ("A\\B", "A\\B", True),
    "padded": ("A\\B ", " A\\B", True),
    "with a wild card": ("A\\B", "A\\*", True),
    "? for the backslash": ("A\\B", "A?B", True),
    "its backslash at the end": ("A\\", "A\\", True),
    "its backslash at the beginning": ("\\A", "\\A", True),
    "two backslashes": ("A\\\\B", "A\\\\B", True),
    "backslashes alone": ("\\\\", "\\\\", True),
    "in another order": ("A\\B", "B\\A", False),
    "one of them": ("A\\B", "A", False),
    "the other of them": ("A\\B", "B", False),
    "another number of backslashes": ("A\\B", "A\\\\B", False),
    "a part with a backslash": ("A\\B\\C", "A\\B", False),
    "only one is stored": ("A", "A\\B", False),
    "not stored": (None, "A\\B", False),
}

_BOTH = ("fuzzymatching", "multiplevaluematching")
_PN, _EMPTY, _MULTIPLE = ("PatientName",), "emptyvaluematching", "multiplevaluematching"
TABLES: dict[str, tuple[Row, ...]] = {
    "C.2.2.2.1.1 fuzzy, PN": rows(_PN, FUZZY_WORDS, "fuzzymatching"),
    "C.2.2.2.1.1 fuzzy, forms of keys, PN": (
        *rows(_PN, FUZZY_FORMS, "fuzzymatching"),
        *rows(_PN, NOT_FUZZY),
    ),
    "C.2.2.2.7 empty, CS": rows(CS, EMPTY_TEXT, _EMPTY),
    "C.2.2.2.7 empty, LO": rows(LO, EMPTY_TEXT, _EMPTY),
    "C.2.2.2.7 empty, SH": rows(SH, EMPTY_TEXT, _EMPTY),
    "C.2.2.2.7 empty, PN": rows(_PN, EMPTY_NAME, _EMPTY),
    "C.2.2.2.7 empty, DA": rows(("StudyDate", "PatientBirthDate"), EMPTY_DATE, _EMPTY),
    "C.2.2.2.7 empty, TM": rows(("StudyTime",), EMPTY_TIME, _EMPTY),
    "C.2.2.2.7 empty, IS": rows(("SeriesNumber",), EMPTY_INTEGER, _EMPTY),
    "C.2.2.2.7 empty, UI": rows(("SeriesInstanceUID",), EMPTY_UID, _EMPTY),
    "C.2.2.2.7 empty, derived": rows(("ModalitiesInStudy",), EMPTY_DERIVED, _EMPTY),
    "C.2.2.2.7 empty, forms of keys": (
        *rows(("StudyDescription",), EMPTY_FORMS, _EMPTY),
        *rows(("StudyDescription", "PatientName", "AccessionNumber", "Modality"), QUOTED),
    ),
    "C.2.2.2.8 multiple, LO": rows(("StudyDescription",), SEVERAL_TEXT, _MULTIPLE),
    "C.2.2.2.8 multiple, CS": rows(
        ("Modality", "ModalitiesInStudy", "BodyPartExamined"), SEVERAL_TEXT, _MULTIPLE
    ),
    "C.2.2.2.8 multiple, lists of modalities, CS": rows(
        ("Modality", "ModalitiesInStudy"), SEVERAL_MODALITIES, _MULTIPLE
    ),
    "C.2.2.2.8 multiple, PN": rows(_PN, SEVERAL_NAMES, _MULTIPLE),
    "C.2.2.2.8 multiple, fuzzy too": rows(
        _PN,
        {
            **SEVERAL_NAMES,
            "parts of names": ("DOE^JANE\\ROE^ANN", "jane d\\roe", True),
            "one is a part": ("DOE^JANE\\ROE^ANN", "DOE^JANE\\ROE", True),
        },
        *_BOTH,
    ),
    "C.2.2.2.8 multiple, of one value, SH and LO": rows((*SH, "PatientID"), ONE_VALUE, _MULTIPLE),
}
