// Opens studies in OHIF and takes the time: reads one JSON object a line, answers each by a line.
//   node viewing.mjs CHROMIUM < QUESTIONS
// {"list": ADDRESS, "study": TEXT} opens the list, double-clicks the row that holds the text and
// waits for pixels; the answer is {"ms": NUMBER} or {"failed": MESSAGE}. The first line says
// {"version": TEXT}. The packages are those of the current folder.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.cwd()}/`)("playwright-core");

const WAIT_MS = 60_000;
// No graphics card: WebGL on the CPU
const FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const HINT = "[data-cy=confirm-and-hide-button]";

// From the second click of a double click to the first frame of the screen with a picture: a
// middle with many greys. What is drawn is only read after the browser has painted it.
const watch = () => {
  const GREYS = 32;
  const hasPicture = (canvas) => {
    const side = Math.min(canvas.width, canvas.height, 256);
    if (!side) return false;
    const [x, y] = [(canvas.width - side) >> 1, (canvas.height - side) >> 1];
    const { data } = canvas.getContext("2d").getImageData(x, y, side, side);
    const greys = new Set();
    for (let at = 0; at < data.length; at += 4) greys.add(data[at]);
    return greys.size >= GREYS;
  };
  addEventListener("dblclick", (event) => {
    const clicked = event.timeStamp;
    const look = (now) => {
      if ([...document.querySelectorAll("canvas.cornerstone-canvas")].some(hasPicture)) {
        globalThis.firstPixelsMs = now - clicked;
      } else {
        requestAnimationFrame(look);
      }
    };
    requestAnimationFrame(look);
  }, { capture: true, once: true });
};

const browser = await chromium.launch({ executablePath: process.argv[2], args: FLAGS });

// In a browser without a past
const opened = async ({ list, study }) => {
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, serviceWorkers: "block" });
  try {
    context.setDefaultTimeout(WAIT_MS);
    await context.addInitScript(watch);
    const page = await context.newPage();
    await page.goto(list, { waitUntil: "commit" });
    await page.click(HINT);
    await page.waitForLoadState("networkidle");
    await page.dblclick(`tr:has-text("${study}")`);
    const found = await page.waitForFunction(() => globalThis.firstPixelsMs, null, { polling: 200 });
    const ms = await found.jsonValue();
    await page.waitForLoadState("networkidle"); // the other frames, which the next run asks as well
    return { ms };
  } finally {
    await context.close();
  }
};

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

say({ version: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  say(await opened(JSON.parse(line)).catch((error) => ({ failed: error.message })));
}
await browser.close();
