"""Rows for names: PN (PS3.4 §C.2.2.2.1, .3 and .4), case and accents not regarded."""

from __future__ import annotations

from tests.matching.rows import Key, Row, on_each, rows

ROMAN = "Yamada^Tarou=山田^太郎=やまだ^たろう"

SINGLE: dict[str, Key] = {
    "the same": ("DOE^JANE", "DOE^JANE", True),
    "another case": ("Doe^Jane", "dOE^jANE", True),
    "an accent in the store": ("MÜLLER^JÖRG", "Muller^Jorg", True),
    "an accent in the key": ("GARCIA^ANA", "García^Aná", True),
    "accents put together otherwise": ("Mu\u0308ller", "M\u00fcller", True),
    "Greek case and accents": ("Διονύσιος^Άννα", "ΔΙΟΝΥΣΙΟΣ^ΑΝΝΑ", True),
    "Cyrillic case and accents": ("Иванов^Пётр", "ИВАНОВ^ПЕТР", True),
    "empty components at the end, stored": ("DOE^JANE^^^", "DOE^JANE", True),
    "empty components at the end, asked": ("DOE^JANE", "DOE^JANE^^^", True),
    "padded in the store": ("DOE^JANE ", "DOE^JANE", True),
    "padded in the key": ("DOE^JANE", " DOE^JANE ", True),
    "all five components": ("DOE^JANE^Q^DR^PHD", "doe^jane^q^dr^phd", True),
    "the family name alone": ("DOE^JANE", "DOE", False),
    "the given name alone": ("DOE^JANE", "JANE", False),
    "components in another order": ("DOE^JANE", "JANE^DOE", False),
    "an empty component within": ("DOE^JANE", "DOE^^JANE", False),
    "a space for ^": ("DOE^JANE", "DOE JANE", False),
    "two letters for an umlaut": ("MÜLLER", "MUELLER", False),
    "another letter": ("DOE^JANE", "DOE^JANA", False),
    "a mark that makes another letter": ("ガ^ハ", "カ^ハ", False),
    "stored empty": ("", "DOE", False),
    "carets alone are no name": ("^^^^", "DOE", False),
    "not stored": (None, "DOE", False),
}

WILD: dict[str, Key] = {
    "the beginning": ("DOE^JANE", "doe*", True),
    "the end": ("DOE^JANE", "*jane", True),
    "anywhere": ("DOE^JANE", "*e^j*", True),
    "within a component": ("DOE^JANE", "DO*^JA*", True),
    "a component of stars": ("DOE^JANE", "*^JANE", True),
    "? for one": ("DOE^JANE", "D?E^JANE", True),
    "? for an accented letter": ("MÜLLER", "M?LLER", True),
    "? for a letter with its accent apart": ("Mu\u0308ller", "M?ller", True),
    "? for a letter of two in other case": ("STRAUß^ANNA", "STRAU?^ANNA", True),
    "? for such a letter, capital": ("STRAUẞ^ANNA", "STRAU?^ANNA", True),
    "? for a syllable": ("홍^길동", "홍^??", True),
    "? for an ideograph": ("Yoshino=𠮷野", "?野", True),
    "an accent beside *": ("GARCÍA^ANA", "garcia*", True),
    "regular expressions are text": ("DOE.+^J", "DOE.+*", True),
    "doubled by a viewer": ("DOE^JANE", "**doe**", True),
    "padding beside *": ("DOE^JANE ", "*JANE", True),
    "? for none": ("DOE^JANE", "DOE^JANE?", False),
    "? for two": ("DOE^JANE", "D?^JANE", False),
    "not at the beginning": ("DOE^JANE", "JANE*", False),
    "not at the end": ("DOE^JANE", "*DOE", False),
    "regular expressions are not wild": ("DOOOE", "DO+E*", False),
    "across two names": ("DOE^JANE\\ROE^ANN", "DOE*ANN", False),
    "across groups": (ROMAN, "yamada*太郎", False),
    "not stored": (None, "?*", False),
}

GROUPS: dict[str, Key] = {
    "no =: alphabetic": (ROMAN, "YAMADA^TAROU", True),
    "no =: ideographic": (ROMAN, "山田^太郎", True),
    "no =: phonetic": (ROMAN, "やまだ^たろう", True),
    "no =: a wild card": (ROMAN, "山田*", True),
    "no =: no alphabetic group": ("=山田^太郎", "山田^太郎", True),
    "all three": (ROMAN, "yamada^tarou=山田^太郎=やまだ^たろう", True),
    "the first two": (ROMAN, "yamada^tarou=山田^太郎", True),
    "the second alone": (ROMAN, "=山田^太郎", True),
    "the third alone": (ROMAN, "==やまだ^たろう", True),
    "wild cards by group": (ROMAN, "yama*=*=や*", True),
    "an empty group at its end": (ROMAN, "Yamada^Tarou=", True),
    "a group's empty components": (ROMAN, "Yamada^Tarou^^=山田^太郎^", True),
    "a group that is not stored": ("Yamada^Tarou", "=山田^太郎", False),
    "a group in the wrong place": (ROMAN, "=やまだ^たろう", False),
    "an alphabetic one asked as ideographic": (ROMAN, "=yamada^tarou", False),
    "one of two wrong": (ROMAN, "yamada^tarou=田中^太郎", False),
    "groups are not one text": (ROMAN, "*tarou*山田*", False),
    "half an ideographic group": (ROMAN, "=山田", False),
}

COMMAS: dict[str, tuple[str, str, str, bool]] = {
    "as a viewer shows it": ("PatientName", "JONES^MARY", "JONES, MARY", True),
    "with stars": ("PatientName", "JONES^MARY", "*jones, m*", True),
    "with a question mark": ("PatientName", "JONES^MARY", "JONES, MAR?", True),
    "in a group": ("PatientName", "JONES^MARY=山", "JONES, MARY=山", True),
    "as it is stored": ("PatientName", "JONES, MARY", "JONES, MARY", True),
    "as it is stored, with stars": ("PatientName", "JONES, MARY", "*S, M*", True),
    "a comma alone": ("PatientName", "JONES^MARY", "JONES,MARY", False),
    "two spaces": ("PatientName", "JONES^MARY", "JONES,  MARY", False),
    "a space for it": ("PatientName", "JONES MARY", "JONES, MARY", False),
    "nothing for it": ("PatientName", "JONESMARY", "JONES, MARY", False),
    "^ is no comma": ("PatientName", "JONES, MARY", "JONES^MARY", False),
    "in no other text": ("StudyDescription", "HEAD^NECK", "HEAD, NECK", False),
    "a comma before the first component": ("PatientName", "^MARY", ", MARY", True),
    "one comma for two delimiters": ("PatientName", "JONES^^MARY", "JONES, MARY", False),
    "two commas": ("PatientName", "JONES^MARY^ANN", "JONES, MARY, ANN", True),
}

UNIVERSAL = (
    *on_each(("DOE^JANE", None, "", "^^", "=="), ("", " ", "*", "***"), expected=True),
    *on_each((None, "", "^^"), ("?", "?*", "*^*", "DOE", "=DOE"), expected=False),
)

_PN = ("PatientName",)
TABLES: dict[str, tuple[Row, ...]] = {
    "C.2.2.2.1 single value, PN": rows(_PN, SINGLE),
    "C.2.2.2.4 wild card, PN": rows(_PN, WILD),
    "C.2.2.2.3 universal, PN": rows(_PN, dict(UNIVERSAL)),
    "declared: component groups, PN": rows(_PN, GROUPS),
    "declared: the comma of viewers, PN": tuple(
        row for name, (keyword, *key) in COMMAS.items() for row in rows((keyword,), {name: key})
    ),
}
