// Opens the Swagger UI in a browser, counts what it shows, and sends a message from it.
//
// usage: node browser_test.mjs URL CHROMIUM      where node_modules is

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.cwd()}/`)("playwright-core");

const [base, executablePath] = process.argv.slice(2);
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const MESSAGES = "/api/v1/messages";
const MESSAGE = { to: "+15551234567", content: "Hello from the page" };
const DEADLINE_MS = 120_000;

async function getJson(path) {
  const answer = await fetch(base + path);
  assert.equal(answer.status, 200, path);
  return answer.json();
}

// The page shows an operation once under each of its tags.
function blocksOf(description) {
  return Object.values(description.paths)
    .flatMap((item) => METHODS.filter((method) => method in item).map((method) => item[method]))
    .reduce((count, operation) => count + Math.max(1, operation.tags?.length ?? 0), 0);
}

// What goes wrong in the page without being seen, and all that is asked of another server.
function complaintsOf(page) {
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`exception: ${error}`));
  page.on("console", (line) => {
    if (line.type() === "error") complaints.push(`console: ${line.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !url.startsWith("data:")) complaints.push(`asked ${url}`);
  });
  return complaints;
}

async function expectEveryOperation(page, description) {
  const closed = page.locator(".opblock-tag-section:not(.is-open) .opblock-tag");
  await page.locator(".opblock-tag-section").first().waitFor();
  while ((await closed.count()) > 0) await closed.first().click();
  const expected = blocksOf(description);
  assert.ok(expected > 0);
  assert.equal(await page.locator(".opblock").count(), expected, "operations in the page");
}

async function sendMessage(page) {
  const path = page.locator(`.opblock-summary-path[data-path="${MESSAGES}"]`);
  const operation = page.locator(".opblock.opblock-post").filter({ has: path });
  await operation.locator(".opblock-summary-control").click();
  await operation.locator(".body-param-content-type select").selectOption("application/json");
  await operation.locator("textarea.body-param__text").fill(JSON.stringify(MESSAGE));
  await operation.locator("button.execute").click();
  const answer = operation.locator(".live-responses-table tr.response");
  assert.match(await answer.locator(".response-col_status").innerText(), /^201\b/);
  const body = await answer.locator(".response-col_description").innerText();
  assert.match(body, /Hello from the page/);
}

async function expectMessage() {
  const { messages } = await getJson(MESSAGES);
  assert.deepEqual(messages.map(({ to, content }) => ({ to, content })), [MESSAGE]);
}

// Chromium refuses to sandbox itself for root, which is who tests run as in a container.
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  const complaints = complaintsOf(page);
  await page.goto(`${base}/swagger/index.html`);
  await expectEveryOperation(page, await getJson("/openapi.json"));
  await sendMessage(page);
  await expectMessage();
  assert.deepEqual(complaints, []);
} finally {
  await browser.close();
}
