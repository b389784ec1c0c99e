// What dicomweb-client, which is OHIF's transport, finds and retrieves.
//   node dicomweb.mjs BASE_URL < QUESTIONS
// QUESTIONS is a JSON object of {method, options}; prints an object with, under the same names,
// {results} or {error: {message, status, body}}. `pages: SIZE` in a question asks for SIZE objects
// at a time until nothing comes. Bytes are printed in base 64. The packages are those of the current folder.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { api } = require("dicomweb-client");

// It is made for browsers. Node has no XMLHttpRequest
globalThis.XMLHttpRequest = require("xhr2");

// As OHIF makes it, but that failures are returned and not printed
const client = new api.DICOMwebClient({ url: process.argv[2], singlepart: "bulkdata,video", verbose: false });

const pagesOf = async ({ method, options = {}, pages }) => {
  const found = [];
  for (;;) {
    const queryParams = { ...options.queryParams, limit: pages, offset: found.length };
    const page = await client[method]({ ...options, queryParams });
    if (page.length === 0) return found;
    found.push(...page);
  }
};

const answer = async (question) => {
  try {
    const { method, options, pages } = question;
    return { results: pages ? await pagesOf(question) : await client[method](options) };
  } catch (error) {
    return { error: { message: error.message, status: error.status, body: error.response } };
  }
};

const questions = JSON.parse(readFileSync(0, "utf-8"));
const answers = {};
for (const [name, question] of Object.entries(questions)) answers[name] = await answer(question);
const printable = (_, value) => (value instanceof ArrayBuffer ? Buffer.from(value).toString("base64") : value);
process.stdout.write(JSON.stringify(answers, printable));
