// What a user sees of OHIF 3.13: functions that a test asks for by name. They change nothing.
{
  const all = (selector) => [...document.querySelectorAll(selector)];
  const text = (element) => (element?.innerText ?? "").replace(/\s+/g, " ").trim();
  const equal = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const sorted = (rows) => rows.map((row) => row.join("\t")).sort();

  const readings = {
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
    // What a viewport shows of an image that it fits, null where it shows nothing yet: the number of
    // grey values, of pixels in colour, a hash, and the mean grey of each of `cells` × `cells` cells
    picture: ({ viewport = 0, columns = 1, rows = 1, cells = 1 }) => {
      const canvas = all("[data-cy=viewport-pane] canvas")[viewport];
      if (!canvas?.width || !canvas.height) return null;
      const scale = Math.min(canvas.width / columns, canvas.height / rows);
      const [width, height] = [Math.floor(columns * scale), Math.floor(rows * scale)];
      const [left, top] = [(canvas.width - width) >> 1, (canvas.height - height) >> 1];
      const { data } = canvas.getContext("2d").getImageData(left, top, width, height);
      const sums = new Float64Array(cells * cells);
      const counts = new Uint32Array(cells * cells);
      const greys = new Uint8Array(256);
      let [hash, colours] = [0, 0];
      for (let pixel = 0; pixel < width * height; pixel += 1) {
        const [red, green, blue] = data.subarray(pixel * 4, pixel * 4 + 3);
        const grey = (red + green + blue) / 3;
        const [x, y] = [pixel % width, Math.floor(pixel / width)];
        const cell = Math.floor((y * cells) / height) * cells + Math.floor((x * cells) / width);
        hash = (Math.imul(hash, 31) + (red << 16) + (green << 8) + blue) | 0;
        colours += Math.max(red, green, blue) - Math.min(red, green, blue) > 16 ? 1 : 0;
        greys[Math.round(grey)] = 1;
        sums[cell] += grey;
        counts[cell] += 1;
      }
      const means = [...sums].map((sum, cell) => sum / counts[cell]);
      return { greys: greys.reduce((sum, one) => sum + one), colours, hash, means };
    },
    hasPicture: ({ viewport = 0, greys, not = null }) => {
      const picture = readings.picture({ viewport });
      return picture !== null && picture.greys >= greys && picture.hash !== not;
    },
    // The texts in the corners of the viewports
    corners: () => all("[data-cy^=viewport-overlay]").map(text).filter((one) => one !== ""),
    showsCorner: (part) => readings.corners().some((corner) => corner.includes(part)),
    // The gateway's own page: a list of texts a study, and how many of its first pictures are there
    studies: () => all("tbody tr").map((row) => [...row.cells].map(text)),
    hasStudies: (number) => readings.studies().length === number,
    hasPictures: (number) => {
      const pictures = all("tbody img").slice(0, number);
      return pictures.length === number && pictures.every((one) => one.naturalWidth > 0);
    },
    // A dialog that OHIF has opened
    dialogs: () => all("[role=dialog]").map(text),
    hasDialog: (part) => readings.dialogs().find((one) => one.includes(part)) ?? null,
    saysEmpty: () => text(document.body).includes("No studies available"),
  };
  globalThis.readings = readings;
}
