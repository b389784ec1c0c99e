// What a user sees of OHIF 3.13: functions that a test asks for by name. They change nothing.
{
  const all = (selector) => [...document.querySelectorAll(selector)];
  const text = (element) => element.innerText.replace(/\s+/g, " ").trim();
  const equal = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const sorted = (rows) => rows.map((row) => row.join("\t")).sort();

  const readings = {
    html: (selector) => document.querySelector(selector)?.outerHTML ?? null,
    // The study list: a list of seven texts a row, in the order shown
    rows: () => all("tr[aria-selected]").map((row) => [...row.cells].slice(0, 7).map(text)),
    hasRows: () => readings.rows().length > 0,
    // The rows are these, in any order
    showsRows: (rows) => equal(sorted(readings.rows()), sorted(rows)),
    // The rows follow one another by the column of that name, "ascending" or "descending"
    sortedBy: ({ column, order }) => {
      const head = document.querySelector(`[aria-label="Sort ${column}"]`)?.closest("th");
      return head?.getAttribute("aria-sort") === order && readings.hasRows();
    },
    // Which of the rows are on this page, as in "1-25 of 42"
    page: () => text(document.querySelector("[aria-label='Rows per page']")),
    showsPage: (page) => readings.page() === page,
    // The series of the study that is selected: modality with description, number of instances
    series: () => {
      const table = all("table").find((one) => one.tHead && text(one.tHead).startsWith("Modality"));
      return [...(table?.tBodies[0].rows ?? [])].map((row) => [...row.cells].map(text));
    },
    showsSeries: (series) => equal(sorted(readings.series()), sorted(series)),
  };
  globalThis.readings = readings;
}
