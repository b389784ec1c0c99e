"""Rows for text that is no name: CS, LO and SH (PS3.4 §C.2.2.2.1, .3 and .4)."""

from __future__ import annotations

from tests.matching.rows import Key, Row, on_each, rows

CS, LO, SH = (
    ("PatientSex", "BodyPartExamined", "Modality"),
    ("PatientID", "StudyDescription"),
    ("AccessionNumber", "StudyID"),
)

SINGLE: dict[str, Key] = {
    "the same": ("AB12", "AB12", True),
    "padded in the store": ("AB1 ", "AB1", True),
    "padded before": (" AB1", "AB1", True),
    "padded with NULL": ("AB1\0", "AB1", True),
    "padded in the key": ("AB1", " AB1 ", True),
    "letters of other scripts": ("山田Ü", "山田Ü", True),
    "a percent sign is text": ("A%", "A%", True),
    "a percent sign is not wild": ("AXX", "A%", False),
    "an underscore is not wild": ("AX", "A_", False),
    "a dot is not wild": ("AX", "A.", False),
    "brackets are no class": ("A", "[A]", False),
    "brackets are text": ("[A]", "[A]", True),
    "another": ("AB12", "AB13", False),
    "another case": ("AB12", "ab12", False),
    "an accent": ("MÜ", "MU", False),
    "the beginning": ("AB12", "AB1", False),
    "the end": ("AB12", "B12", False),
    "more than it": ("AB12", "AB123", False),
    "spaces within": ("A  B", "A B", False),
    "stored empty": ("", "AB12", False),
    "stored blank": ("   ", "AB12", False),
    "not stored": (None, "AB12", False),
}

WILD: dict[str, Key] = {
    "* at the end": ("AB12", "AB*", True),
    "* at the beginning": ("AB12", "*12", True),
    "* at both": ("AB12", "*B1*", True),
    "* within": ("AB12", "A*2", True),
    "* for nothing": ("AB12", "AB12*", True),
    "** as *": ("AB12", "AB**", True),
    "*** within": ("AB12", "A***2", True),
    "doubled by a viewer": ("AB12", "*A*2**", True),
    "? for one": ("AB12", "AB?2", True),
    "? for one of another script": ("山田", "山?", True),
    "? for one outside the BMP": ("𠮷野", "?野", True),
    "? and *": ("AB12", "?B*", True),
    "all ?": ("AB12", "????", True),
    "?* asks for one at least": ("A", "?*", True),
    "* over a line feed": ("A\nB", "A*B", True),
    "? over a line feed": ("A\nB", "A?B", True),
    "* itself is stored": ("A*B", "A*B", True),
    "a dot beside *": ("A.B", "A.*", True),
    "a plus beside *": ("A+B", "A+*", True),
    "brackets beside *": ("[A]B", "[A]*", True),
    "a parenthesis beside *": ("(A", "(*", True),
    "a brace beside *": ("A{2}", "A{2}*", True),
    "a dollar beside *": ("A$", "A$*", True),
    "a caret beside *": ("^A", "^*", True),
    "a bar beside *": ("A|B", "A|*", True),
    "padding beside *": ("AB1 ", "*B1", True),
    "backtracking": ("ABABAC", "*ABAC", True),
    "overlapping": ("ABA", "AB*BA", False),
    "? for none": ("AB12", "AB12?", False),
    "? for two": ("AB12", "A?2", False),
    "? is a character, not a byte": ("山田", "??????", False),
    "too many ?": ("AB12", "?????", False),
    "another case": ("AB12", "ab*", False),
    "another accent": ("MÜNCHEN", "MUN*", False),
    "not at the beginning": ("AB12", "B*", False),
    "not at the end": ("AB12", "*1", False),
    "in another order": ("AB12", "*2*B*", False),
    "a dot is not wild": ("AXB", "A.*", False),
    "a plus is no repetition": ("AAB", "A+*", False),
    "brackets are no class": ("AB", "[A]*", False),
    "a bar is no choice": ("A", "A|*", False),
    "% is not wild": ("AXB", "A%*", False),
    "_ is not wild": ("AXB", "A_*", False),
    "a backslash is no escape": ("A*", "\\A*", False),
    "stored empty": ("", "?*", False),
    "not stored": (None, "A*", False),
}

UNIVERSAL = (
    *on_each(("AB1", None, "", "   "), ("", " ", "*", "**", " * ", "***"), expected=True),
    *on_each((None, "", "   "), ("?", "?*", "*?", "??", "*?*"), expected=False),
)

SEVERAL: dict[str, tuple[str, str, str, bool]] = {
    "the first of several": ("StudyDescription", "HEAD\\NECK", "HEAD", True),
    "the last of several": ("StudyDescription", "HEAD\\NECK", "NECK", True),
    "one of several, padded": ("StudyDescription", "HEAD \\ NECK ", "NECK", True),
    "a wild card on one of several": ("StudyDescription", "HEAD\\NECK", "N*", True),
    "beside an empty one": ("StudyDescription", "\\NECK", "NECK", True),
    "a wild card within one only": ("StudyDescription", "HEAD\\NECK", "HEAD*NECK", False),
    "not the whole text": ("StudyDescription", "HEAD\\NECK", "HEAD\\NECK", False),
    "an empty one is no value": ("StudyDescription", "HEAD\\\\NECK", "?", False),
    "empty ones alone are no value": ("StudyDescription", "\\\\", "*?", False),
    "modalities": ("Modality", "CT\\PT", "PT", True),
    "a name of several": ("PatientName", "DOE^JANE\\ROE^JANE", "ROE^JANE", True),
    "across names": ("PatientName", "DOE^JANE\\ROE^JOHN", "DOE^JOHN", False),
    "PatientID is one value": ("PatientID", "A\\B", "A\\B", True),
    "a part of PatientID": ("PatientID", "A\\B", "A", False),
    "a wild card over its backslash": ("PatientID", "A\\B", "A*B", True),
    "AccessionNumber is one value": ("AccessionNumber", "A\\B", "B", False),
    "StudyID is one value": ("StudyID", "A\\B", "B", False),
}

MODALITIES: dict[str, Key] = {
    "one of the list": ("CT", "MR,CT", True),
    "by backslash": ("CT", "MR\\CT", True),
    "alone": ("CT", "CT", True),
    "a wild card in it": ("CT", "US,C?", True),
    "padded in the store": ("CT ", "CT,MR", True),
    "spaces in the list": ("MR", "CT, MR", True),
    "none of it": ("CT", "MR,US", False),
    "another case": ("CT", "ct,mr", False),
    "the beginning of one": ("C", "CT,MR", False),
    "more than one": ("CTA", "CT,MR", False),
    "a wild card of other length": ("CTA", "C?,MR", False),
    "not stored": (None, "CT,MR", False),
    "the comma is not text": ("CT,MR", "CT,MR", False),
    "any one of a list of three": ("US", "CT,MR,US", True),
    "a list that ends in a comma": ("MR", "CT,MR,", True),
    "commas alone are universal": (None, ",,", True),
    "a star in the list is universal": (None, "CT,*", True),
}

TABLES: dict[str, tuple[Row, ...]] = {
    **{
        f"C.2.2.2.1 single value, {vr}": rows(keywords, SINGLE)
        for vr, keywords in {"CS": CS, "LO": LO, "SH": SH}.items()
    },
    **{
        f"C.2.2.2.4 wild card, {vr}": rows(keywords, WILD)
        for vr, keywords in {"CS": CS[:2], "LO": LO, "SH": SH}.items()
    },
    **{
        f"C.2.2.2.3 universal, {vr}": rows(keywords, dict(UNIVERSAL))
        for vr, keywords in {"CS": CS, "LO": LO, "SH": SH}.items()
    },
    "C.2.2.3 several stored values": tuple(
        row for name, (keyword, *key) in SEVERAL.items() for row in rows((keyword,), {name: key})
    ),
    "declared: list of modalities, CS": rows(("Modality", "ModalitiesInStudy"), MODALITIES),
}
