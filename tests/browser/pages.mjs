// Opens every page of a running Portcullis in Chromium, at 1280 and 390 pixels, light and dark, with and without
// JavaScript, then works with them, and fails on what a person would stumble over:
//
//   node tests/browser/pages.mjs http://127.0.0.1:8600 [--screenshots DIR]
//
// `cargo xtask test --only browser` (or `cargo xtask e2e browser`) starts a demo, says where
// playwright-core, axe-core and Chromium are, and runs this.

import { createRequire } from "node:module";
import { join } from "node:path";

import { TIMEOUT, close, expect } from "./checks.mjs";
import { look, lookWithoutScript } from "./look.mjs";
import { WORK } from "./work.mjs";

const [base, ...options] = process.argv.slice(2);
const modules = process.env.PORTCULLIS_TEST_NODE_MODULES;
if (!base || !modules) {
  console.error("usage: PORTCULLIS_TEST_NODE_MODULES=.../node_modules node tests/browser/pages.mjs URL [--screenshots DIR]");
  process.exit(2);
}
const { chromium } = createRequire(join(modules, "/"))("playwright-core");
const pictures = options[0] === "--screenshots" ? options[1] : null;

const SIZES = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];
// Nothing overflows here, either; no picture is taken, and axe-core has seen the same page.
const EXTREMES = [768, 2560];

const nameOf = (url) => new URL(url).pathname.split("/").filter(Boolean)[0] ?? "overview";

const PAGES = [
  ...["overview", "guardduty", "securityhub", "waf", "vpcflow", "dns", "cloudtrail", "response", "pipeline", "search"],
  ...["address", "document"],
];

/** The document of a finding: it has the most kinds of fields. */
async function addDocument(browser, found) {
  const page = await browser.newPage();
  await page.goto(new URL("/search?source=guardduty", base).href, { timeout: TIMEOUT });
  const url = await page.$$eval('a[href^="/document/"]', (links) => links[0]?.href ?? null);
  await page.close();
  if (url) found.set("document", url);
}

/** The pages that the menu leads to, and those of one address and of one finding. */
async function pages(browser) {
  const page = await browser.newPage();
  await page.goto(base, { timeout: TIMEOUT });
  const menu = await page.$$eval("nav a[href]", (links) => links.map((link) => link.href));
  await page.goto(new URL("/response", base).href, { timeout: TIMEOUT });
  const address = await page.$$eval('a[href^="/address/"]', (links) => links[0]?.href ?? null);
  await page.close();
  expect(address !== null, "the Response page links to the page of an address");
  const found = new Map();
  for (const url of [base, ...menu, address].filter(Boolean)) {
    if (new URL(url).origin === new URL(base).origin && !found.has(nameOf(url))) found.set(nameOf(url), url);
  }
  await addDocument(browser, found);
  for (const name of PAGES) {
    expect(found.has(name), `the menu leads to ${name}`);
  }
  return found;
}

const browser = await chromium.launch({
  executablePath: process.env.PORTCULLIS_TEST_CHROMIUM || "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
try {
  const found = await pages(browser);
  const world = { browser, base, pictures, thorough: true };
  for (const [name, url] of found) {
    let panels = 0;
    for (const size of SIZES) {
      for (const scheme of ["light", "dark"]) panels = await look(world, name, url, size, scheme);
    }
    for (const width of EXTREMES) await look({ ...world, pictures: null, thorough: false }, name, url, { width, height: 900 }, "light");
    await lookWithoutScript(world, name, url, panels);
    console.log(`${name.padEnd(12)} ${panels} panels  ${new URL(url).pathname}`);
  }
  for (const [what, work] of WORK) {
    const page = await browser.newPage({ viewport: SIZES[0] });
    page.setDefaultTimeout(TIMEOUT);
    const said = [];
    page.on("pageerror", (error) => said.push(String(error)));
    try {
      await work(page, base);
    } catch (error) {
      expect(false, `${what}: ${String(error).split("\n")[0]}`);
    }
    expect(said.length === 0, `${what}: no error in the page, but: ${said.join(" | ")}`);
    await page.close();
    console.log(what);
  }
} finally {
  await browser.close();
}
process.exit(close());
