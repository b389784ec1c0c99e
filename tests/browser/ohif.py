"""OHIF as its user knows it: the study list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from gateway.server.appconfig import app_config
from tests.browser.chromium import Chromium, Exchange
from tests.browser.shown import COLUMNS, Row

WAIT_S = 60.0
OPENS_S = 20.0
"""How long a study that was double-clicked may take to be asked for."""
FILTERS = "[data-filter-row]"
INPUTS = {
    "Patient": f"{FILTERS} td:nth-child(1) input",
    "MRN": f"{FILTERS} td:nth-child(2) input",
    "Description": f"{FILTERS} td:nth-child(5) input",
    "Accession": f"{FILTERS} td:nth-child(6) input",
    "Start": "#studyDateTime-start",
    "End": "#studyDateTime-end",
}
MODALITIES = f"{FILTERS} [role=combobox]"


def config(qido: str, wado: str = "", **more: object) -> Mapping[str, object]:
    """The product's app-config for an OHIF at the root of its origin; the addresses are absolute.

    `more` takes the place of what the data source's configuration has.
    """
    told = app_config(qido, "/")
    wado = wado or qido
    told["dataSources"][0]["configuration"] |= {"wadoRoot": wado, "wadoUriRoot": wado, **more}
    return told


def query(exchange: Exchange) -> dict[str, str]:
    """The parameters of a request."""
    pairs = parse_qs(urlsplit(exchange.url).query, strict_parsing=True)
    return {name: value for name, (value,) in pairs.items()}


def study_uids(exchange: Exchange) -> set[str]:
    """The studies of an answer."""
    return {one["0020000D"]["Value"][0] for one in exchange.json}


class StudyList:
    """The study list of an OHIF at `url`."""

    def __init__(self, browser: Chromium, url: str) -> None:
        self.browser = browser
        self._url = url

    def open(self, search: str = "") -> None:
        """Load it anew, in a browser without a past, up to its rows, a hundred a page."""
        self.browser.call("open")
        self.go(search)
        self.browser.call("wait", name="hasRows")
        self.browser.call("click", selector="[data-cy=confirm-and-hide-button]")
        self.rows_a_page(100)

    def go(self, search: str = "") -> None:
        """Go to its address, with what a bookmark has after it."""
        self.browser.call("goto", url=f"{self._url}/{search}")

    def rows(self) -> list[Row]:
        """The rows shown."""
        rows: list[Row] = self.browser.call("read", name="rows")
        return rows

    def expect(self, rows: Iterable[Row]) -> None:
        """Wait until it shows these rows, in any order; where it doesn't, say what it shows."""
        self._expect("showsRows", "rows", sorted(rows))

    def expect_page(self, page: str) -> None:
        """Wait until it says that it shows this part of the rows, such as 1-25 of 42."""
        self._expect("showsPage", "page", page)

    def expect_series(self, series: Iterable[Row]) -> None:
        """Wait until these are the series of the study that is selected, in any order."""
        self._expect("showsSeries", "series", sorted(series))

    def _expect(self, condition: str, reading: str, wanted: object) -> None:
        try:
            self.browser.call("wait", name=condition, argument=wanted)
        except AssertionError as exc:
            seen = self.browser.call("read", name=reading)
            if isinstance(seen, list) and isinstance(wanted, list):
                missing = [one for one in wanted if one not in seen]
                more = [one for one in seen if one not in wanted]
                raise AssertionError(f"not shown: {missing}; shown besides: {more}") from exc
            raise AssertionError(f"shown is {seen}, not {wanted}") from exc

    def expect_dialog(self) -> str:
        """Wait until it says that it could not get the list; what it says."""
        title = "Data Source Connection Error"
        said: str = self.browser.call("wait", name="hasDialog", argument=title)
        return said

    def retry(self) -> None:
        """Ask again, as that dialog offers."""
        self.browser.call("click", selector="[role=dialog] button:has-text('Retry')")

    def select(self, row: Row) -> None:
        """Click the first row that has these texts."""
        self.browser.call("click", selector=f"tr[aria-selected] >> nth={self.rows().index(row)}")

    def open_study(self, row: Row) -> None:
        """Double-click it; once more where nothing comes of it.

        A list that is drawn anew between the clicks takes them for two.
        """
        selector = f"tr[aria-selected] >> nth={self.rows().index(row)}"
        for _ in range(3):
            self.browser.call("click", selector=selector, options={"clickCount": 2})
            until = time.monotonic() + OPENS_S
            while time.monotonic() < until:
                if any("StudyInstanceUID" in keys(one) for one in self.searches()):
                    return
                time.sleep(0.2)  # the browser needs the machine

    def sort(self, column: str, order: str) -> None:
        """Click the head of a column, after which the rows are in this order."""
        self.browser.call("click", selector=f"[aria-label='Sort {column}']")
        told = {"column": column, "order": order}
        self.browser.call("wait", name="sortedBy", argument=told)

    def column(self, name: str) -> list[str]:
        """The texts of a column, from above."""
        return [row[COLUMNS.index(name)] for row in self.rows()]

    def fill(self, filters: Mapping[str, str]) -> None:
        """Put the texts into the filters, dates with the key that leaves their field."""
        for name, text in filters.items():
            if name == "Modalities":
                self.browser.call("click", selector=MODALITIES)
                for one in text.split(","):
                    self.browser.call("click", selector=f"[role=option][data-value='{one}']")
                self.browser.call("press", key="Escape")
            else:
                self.browser.call("fill", selector=INPUTS[name], text=text)
            if name in {"Start", "End"}:
                self.browser.call("press", key="Tab")

    def reset(self) -> None:
        """Empty all filters."""
        self.browser.call("click", selector="[aria-label='Reset filters']")

    def type(self, name: str, text: str, delay_ms: int) -> None:
        """Press the keys of a text in a filter, one after the other."""
        self.browser.call("type", selector=INPUTS[name], text=text, delay=delay_ms)

    def rows_a_page(self, number: int) -> None:
        """Choose how many rows are shown at once."""
        self.browser.call("click", selector="[aria-label='Rows per page']")
        self.browser.call("click", selector=f"[role=menuitem]:has-text('{number} per page')")
        self.browser.call("press", key="Escape")

    def next_page(self) -> None:
        """Go one page on."""
        self.browser.call("click", selector="[aria-label='Next page']")

    def searches(self) -> list[Exchange]:
        """The searches for studies so far."""
        return self.asked("/studies")

    def asked(self, path: str) -> list[Exchange]:
        """The requests whose path ends so."""
        return [one for one in self.browser.exchanges() if urlsplit(one.url).path.endswith(path)]

    def next_search(self, after: int) -> Exchange:
        """The first search after `after` others, whatever it asks."""
        return self._wait(lambda: self.searches()[after:])

    def search(self, asked: Mapping[str, str], after: int = 0) -> Exchange:
        """The first search after `after` others that has these parameters besides OHIF's own."""
        return self._wait(lambda: [one for one in self.searches()[after:] if asked == keys(one)])

    def _wait(self, look: Callable[[], Sequence[Exchange]]) -> Exchange:
        until = time.monotonic() + WAIT_S
        while not (seen := look()):
            assert time.monotonic() < until, [one.url for one in self.browser.exchanges()]
        return seen[0]


OHIFS_OWN = {
    "limit": "101",
    "offset": "0",
    "fuzzymatching": "false",
    "includefield": "00081030,00080060,00080090,00100030",
}


def keys(exchange: Exchange) -> dict[str, str]:
    """The matching keys of a search for studies, which has OHIF's own parameters too."""
    asked = query(exchange)
    assert OHIFS_OWN == {name: asked.pop(name) for name in OHIFS_OWN}
    return asked
