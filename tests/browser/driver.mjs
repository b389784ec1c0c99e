// Drives Chromium: reads commands, one JSON object a line, and answers each with one line.
//   node driver.mjs CHROMIUM < COMMANDS
// {"do": NAME, …} is answered by {"done": RESULT} or {"failed": MESSAGE}, in order. The first line
// says {"done": VERSION}. The packages are those of the current folder.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { chromium } = createRequire(`${process.cwd()}/`)("playwright-core");

const WAIT_MS = 60_000;
const READINGS = fileURLToPath(new URL("readings.js", import.meta.url));
// No graphics card: WebGL on the CPU
const FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const RECORDED = new Set(["xhr", "fetch"]);

const browser = await chromium.launch({ executablePath: process.argv[2], args: FLAGS });
let page;
let exchanges;
let problems;
let bodies;
let begun;

// What a script of the page asked, and what it got; `failure` where there was no whole answer
const exchange = async (request, failure) => {
  const response = failure ? null : await request.response();
  const headers = response ? await response.allHeaders() : {};
  let body = /json/.test(headers["content-type"] ?? "") ? await response.text() : null;
  // Of an answer that the browser had and asked about again (304) Chromium tells no body
  const tag = `${request.url()} ${headers.etag}`;
  if (body) bodies.set(tag, body);
  else if (headers.etag) body = bodies.get(tag) ?? body;
  return {
    method: request.method(),
    url: request.url(),
    sent: await request.allHeaders(),
    status: response?.status() ?? 0,
    headers,
    body,
    failure,
  };
};

const record = (request, failure = null) => {
  if (!RECORDED.has(request.resourceType())) return;
  const said = exchange(request, failure).catch((error) => ({ url: request.url(), failure: error.message }));
  exchanges.push(said);
};

const commands = {
  // A page without cookies, storage and history
  async open({ width = 1600, height = 900 }) {
    await page?.context().close();
    exchanges = [];
    problems = [];
    bodies = new Map();
    begun = [];
    const context = await browser.newContext({
      viewport: { width, height }, locale: "en-US", timezoneId: "UTC", serviceWorkers: "block",
    });
    context.setDefaultTimeout(WAIT_MS);
    await context.addInitScript({ path: READINGS });
    // As for one who has seen the tour: it covers the image, and came in most runs, not in all
    await context.addInitScript(() => {
      if (location.protocol.startsWith("http")) {
        localStorage.setItem("shownTours", JSON.stringify(["basicViewerTour"]));
      }
    });
    page = await context.newPage();
    page.on("request", (request) => begun.push(request.url()));
    page.on("requestfinished", (request) => record(request));
    page.on("requestfailed", (request) => record(request, request.failure().errorText));
    page.on("pageerror", (error) => problems.push(error.message));
  },
  goto: async ({ url }) => void (await page.goto(url, { waitUntil: "commit" })),
  click: ({ selector, options }) => page.click(selector, options),
  fill: ({ selector, text }) => page.fill(selector, text),
  type: ({ selector, text, delay }) => page.locator(selector).pressSequentially(text, { delay }),
  press: ({ key }) => page.keyboard.press(key),
  async wheel({ selector, dy }) {
    const { x, y, width, height } = await page.locator(selector).first().boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.wheel(0, dy);
  },
  screenshot: async ({ path }) => void (await page.screenshot({ path })),
  // What `readings.js` reads from the page, at once or as soon as it is something
  read: ({ name, argument }) =>
    page.evaluate(([reading, value]) => globalThis.readings[reading](value), [name, argument]),
  async wait({ name, argument, timeout = WAIT_MS }) {
    const handle = await page.waitForFunction(
      ([reading, value]) => globalThis.readings[reading](value), [name, argument], { timeout, polling: 100 },
    );
    return handle.jsonValue();
  },
  // As soon as the page has asked for an address with this part
  async begun({ part }) {
    if (!begun.some((url) => url.includes(part))) {
      await page.waitForRequest((request) => request.url().includes(part));
    }
  },
  exchanges: () => Promise.all(exchanges),
  problems: () => problems,
};

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

say({ done: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...parameters } = JSON.parse(line);
  try {
    say({ done: (await commands[name](parameters)) ?? null });
  } catch (error) {
    say({ failed: error.message });
  }
}
await browser.close();
