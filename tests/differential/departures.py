"""Where Orthanc answers otherwise than the gateway, each place reviewed against the standard.

`docs/conformance.md` tells the same; a test compares them. A query of a departure must differ, so
that none stays here that is no longer needed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Departure:
    """What Orthanc does, the clause that the gateway follows, and the ids of the queries.

    `choice` says that the standard leaves it open: both are right.
    """

    does: str
    clause: str
    queries: tuple[str, ...]
    choice: bool = False


DEPARTURES = (
    Departure(
        "takes the leading spaces that pad a text for a part of it",
        "PS3.5 §6.2",
        (
            *("single-accession-percent", "single-description-case", "wild-accession"),
            *("wild-accession-any", "wild-description", "instances-description-padded"),
        ),
    ),
    Departure(
        "takes a comma for the delimiter of a list whatever the VR",
        "PS3.18 §8.3.4.1",
        ("single-id-comma",),
    ),
    Departure(
        "compares several values as one text, backslash included",
        "PS3.4 §C.2.2.2",
        (
            *("single-description-of-many", "wild-description-of-many", "detail-description-many"),
            *("instance-type-first", "instance-type-second"),
            *("instance-type-inside", "instances-operator", "detail-operator"),
        ),
    ),
    Departure(
        "lets `?` stand for a byte of UTF-8",
        "PS3.4 §C.2.2.2.4",
        (
            *("wild-description-letter", "wild-description-script", "name-sharp-s-one"),
            *("name-emoji", "detail-description-letter"),
        ),
    ),
    Departure(
        "does not take `*` for universal matching where the attribute is absent",
        "PS3.4 §C.2.2.2.4",
        ("universal-star", "instances-universal-star"),
    ),
    Departure(
        "compares a name with its empty components at the end",
        "PS3.5 §6.2.1",
        ("name-empty-components",),
    ),
    Departure(
        "compares a time as text, not by its meaning",
        "PS3.4 §C.2.2.2.1, §C.2.2.2.5",
        ("range-time-minutes", "apart-other-forms", "instance-time-minutes"),
    ),
    Departure(
        "compares a range of dates and a range of times each by itself",
        "PS3.4 §C.2.2.2.5, PS3.18 §8.3.4.1",
        (
            *("combined-closed", "combined-from", "combined-until", "combined-night"),
            *("instance-moment", "instance-moment-from", "detail-moment", "detail-step-moment"),
        ),
    ),
    Departure(
        "takes limit and offset before ModalitiesInStudy is matched",
        "PS3.18 §8.3.4.4",
        ("page-of-modality",),
    ),
    Departure(
        "finds no series or instance by ModalitiesInStudy",
        "PS3.18 §10.6.1.2",
        ("series-of-modalities", "instances-modalities"),
    ),
    Departure(
        "takes no notice of a key on an attribute within a sequence",
        "PS3.4 §C.2.2.2.6, PS3.18 §8.3.4.1",
        (
            *("sequence-step", "sequence-step-tags", "sequence-step-mixed", "sequence-step-wild"),
            *("sequence-one-item", "sequence-procedure", "sequence-description"),
            *("sequence-and-key", "study-instances-sequence"),
            *("detail-sequence", "detail-sequence-item", "detail-sequence-wild"),
        ),
    ),
    Departure(
        "finds nothing by a number of series or instances, instead of matching or ignoring it",
        "PS3.4 §C.2.2.1.3",
        ("single-count-series", "single-count-instances", "instances-series-count"),
    ),
    Departure(
        "finds an exact time only by a key that is as exact",
        "PS3.4 §C.2.2.2.1",
        ("single-time-hour", "instance-time-hour", "detail-time-hour", "detail-step-time"),
        choice=True,
    ),
    Departure(
        "ends a range at the first moment of an upper bound that is cut short",
        "PS3.4 §C.2.2.2.5",
        ("range-time-short", "range-time-until-second", "instance-time-short"),
        choice=True,
    ),
    Departure(
        "leaves a date without a time out of a range of dates and times",
        "PS3.4 §C.2.2.1.2",
        ("combined-one-day",),
        choice=True,
    ),
    Departure(
        "lets a range without a lower end match where the date or time has no value",
        "PS3.4 §C.2.2.1.2",
        (
            *("range-date-until", "range-birth-until", "range-time-until"),
            *("instance-date-until", "instance-time-until"),
        ),
        choice=True,
    ),
    Departure(
        "heeds accents in names",
        "PS3.4 §C.2.2.2.1",
        (
            *("name-accents", "name-accents-lower", "name-without-accents", "name-sharp-s"),
            *("series-of-name", "instances-name-accent", "instances-referrer-accents"),
            "referrer-accents",
        ),
        choice=True,
    ),
    Departure(
        "compares a name with all its component groups as one text",
        "PS3.4 §C.2.2.2.1, §C.2.2.2.4",
        (
            *("name-ideographic", "name-ideographic-one", "name-phonetic", "name-second-group"),
            *("name-gb18030", "instances-referrer-script"),
        ),
        choice=True,
    ),
    Departure(
        "compares a number as text",
        "PS3.4 §C.2.2.2.1",
        (
            *("series-number-zeros", "instance-number-zeros", "instance-rows-zeros"),
            *("instance-thickness-whole", "instance-thickness-digits", "instance-thickness-power"),
            "study-instances-thickness",
        ),
        choice=True,
    ),
)
"""All of them, each query in one."""
