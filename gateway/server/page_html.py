"""The page of studies as HTML. Whatever a study holds is text on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape as in_html
from urllib.parse import quote, urlencode

from gateway.qido.dicomjson import name_groups
from gateway.qido.result import Result
from gateway.server.page_style import STYLE

FIELDS: Mapping[str, tuple[str, str]] = {
    "name": ("Patient name", 'type="search" placeholder="any part of it"'),
    "id": ("Patient ID", 'type="search" placeholder="whole, or with *"'),
    "from": ("From", 'type="date"'),
    "to": ("To", 'type="date"'),
    "modality": ("Modality", 'type="text" list="modalities" size="8" autocapitalize="characters"'),
}
"""The fields of the form: name, label, and what kind of input each is."""

_MODALITIES = ("CR", "CT", "DX", "ES", "MG", "MR", "NM", "OT", "PT", "RF", "SM", "SR", "US", "XA")
_DATE = re.compile(r"([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):?([0-9]{2}).*")


_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class Links:
    """The paths that the page leads to: itself, the searches, and the viewer ("" for none)."""

    page: str
    root: str
    viewer: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: a part of the results, or the problem that there was."""

    results: Sequence[Result] = field(default=(), repr=False)
    offset: int = 0
    has_more: bool = False
    total: int | None = None
    page_size: int = 1
    notes: Sequence[str] = ()
    problem: str = ""


def escape(text: str) -> str:
    """`text` as HTML, also within quotes; a control character, which no HTML may hold, replaced."""
    return in_html(text.translate(_CONTROLS))


def html(filled: Mapping[str, str], shown: Shown, links: Links) -> str:
    """The whole page; `filled` is what stands in the form."""
    body = _problem(shown) if shown.problem else _studies(filled, shown, links)
    viewer = f'<a href="{escape(links.viewer)}">Viewer</a> · ' if links.viewer else ""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Studies</title><style>{STYLE}</style></head><body>"
        f'<header><h1><a href="{escape(links.page)}">Studies</a></h1></header>'
        f"<main>{_form(filled, links)}{''.join(body)}</main>"
        f"<footer>{viewer}DICOMweb at <code>{escape(links.root)}</code> · "
        f'<a href="{escape(links.page)}docs">What it answers</a></footer></body></html>\n'
    )


def _form(filled: Mapping[str, str], links: Links) -> str:
    classes = {"from": "day", "to": "day", "modality": "short"}
    inputs = "".join(
        f'<label class="{classes.get(name, "text")}">{label}'
        f'<input name="{name}" {kind} autocomplete="off" value="{escape(filled.get(name, ""))}">'
        "</label>"
        for name, (label, kind) in FIELDS.items()
    )
    options = "".join(f'<option value="{one}">' for one in _MODALITIES)
    clear = f'<a href="{escape(links.page)}">Clear</a>' if filled else ""
    return (
        f'<form role="search" method="get" action="{escape(links.page)}">{inputs}'
        f'<datalist id="modalities">{options}</datalist><button>Search</button>{clear}</form>'
    )


def _problem(shown: Shown) -> Iterator[str]:
    yield f'<p class="problem" role="alert">{escape(shown.problem)}</p>'


def _studies(filled: Mapping[str, str], shown: Shown, links: Links) -> Iterator[str]:
    if shown.results:
        heads = ("Picture", "Patient", "Study", "Date", "Modalities", "Instances")
        classes = {"Instances": ' class="number"'}
        yield f'<table role="table"><caption>{_caption(shown)}</caption><thead role="rowgroup">'
        yield '<tr role="row">'
        yield from (
            f'<th role="columnheader" scope="col"{classes.get(head, "")}>'
            + (f'<span class="unseen">{head}</span>' if head == "Picture" else head)
            + "</th>"
            for head in heads
        )
        yield '</tr></thead><tbody role="rowgroup">'
        for result in shown.results:
            yield from _row(result, links)
        yield "</tbody></table>"
    elif filled or shown.offset:
        yield '<p role="status">No study is like that.</p>'
    else:
        yield '<p role="status">There are no studies yet.</p>'
    yield from (f'<p class="note">{escape(note)}</p>' for note in shown.notes)
    yield from _pages(filled, shown, links)


def _caption(shown: Shown) -> str:
    first, last = shown.offset + 1, shown.offset + len(shown.results)
    of = "" if shown.total is None else f" of {shown.total:,}"
    return f"Studies {first:,} to {last:,}{of}, newest first"


def _pages(filled: Mapping[str, str], shown: Shown, links: Links) -> Iterator[str]:
    pages = []
    if shown.offset:
        before = max(0, shown.offset - shown.page_size)
        pages.append(_page_link(filled, before, links, "prev", "← Newer"))
    if shown.has_more:
        after = shown.offset + len(shown.results)
        pages.append(_page_link(filled, after, links, "next", "Older →"))
    if pages:
        yield f'<nav aria-label="Pages">{"".join(pages)}</nav>'


def _page_link(filled: Mapping[str, str], offset: int, links: Links, rel: str, text: str) -> str:
    query = urlencode({**filled, **({"offset": offset} if offset else {})})
    target = links.page + (f"?{query}" if query else "")
    return f'<a rel="{rel}" href="{escape(target)}">{text}</a>'


def _row(result: Result, links: Links) -> Iterator[str]:
    uid = quote(_text(result, "StudyInstanceUID"), safe="")
    kinds = [str(one) for one in result.values.get("ModalitiesInStudy", ()) if one]
    picture = f"{links.root}/studies/{uid}/thumbnail?viewport=96,96"
    opening = (
        f"{links.viewer}/viewer?StudyInstanceUIDs={uid}"
        if links.viewer
        else f"{links.root}/studies?StudyInstanceUID={uid}&accept=application/json"
    )
    name, *other_names = _names(_text(result, "PatientName"))
    born = _before("born ", _date(result, "PatientBirthDate"))
    about = (*other_names, _text(result, "PatientID"), born, _text(result, "PatientSex"))
    yield (
        '<tr role="row"><td role="cell" class="picture">'
        f'<img src="{escape(picture)}" alt="{escape(kinds[0] if kinds else "Study")}" '
        'width="64" height="64" loading="lazy" decoding="async"></td>'
        f'<td role="cell" class="patient"><a href="{escape(opening)}"><bdi>{escape(name)}</bdi></a>'
        f"{_small(*about)}</td>"
    )
    yield (
        f'<td role="cell" class="study"><bdi>{escape(_text(result, "StudyDescription"))}</bdi>'
        f"{_small(_before('Accession ', _text(result, 'AccessionNumber')))}</td>"
        f'<td role="cell" class="date">{escape(_date(result, "StudyDate"))}'
        f"{_small(_time(result, 'StudyTime'))}</td>"
    )
    chips = "".join(f'<span class="kind">{escape(kind)}</span>' for kind in kinds)
    number = escape(_text(result, "NumberOfStudyRelatedInstances"))
    yield (
        f'<td role="cell" class="kinds">{chips}</td>'
        f'<td role="cell" class="number">{number}</td></tr>'
    )


def _small(*texts: str) -> str:
    parts = " · ".join(f"<bdi>{escape(text)}</bdi>" for text in texts if text)
    return f"<small>{parts}</small>" if parts else ""


def _before(word: str, text: str) -> str:
    return word + text if text else ""


def _text(result: Result, keyword: str) -> str:
    return str(next(iter(result.values.get(keyword, ())), ""))


def _names(name: str) -> list[str]:
    """A name in each of its groups as people read it; "No name" where there is none."""
    groups = name_groups(name)
    spoken = []
    for group, text in groups.items():
        family, _, given = text.partition("^")
        rest = " ".join(given.replace("^", " ").split())
        parting = ", " if group == "Alphabetic" else " "
        spoken.append(parting.join(filter(None, (family.strip(), rest))))
    return spoken or ["No name"]


def _date(result: Result, keyword: str) -> str:
    text = _text(result, keyword)
    found = _DATE.fullmatch(text)
    return "-".join(found.groups()) if found else text


def _time(result: Result, keyword: str) -> str:
    text = _text(result, keyword)
    found = _TIME.fullmatch(text)
    return ":".join(found.groups()) if found else text
