// Opens every page of a running Portcullis in Chromium, at 1280 and 390 pixels, light and dark, with and without
// JavaScript, and fails on what a person would stumble over:
//
//   node tests/browser/pages.mjs http://127.0.0.1:8600 [--screenshots DIR]
//
// `cargo xtask test --only browser` starts a demo, says where playwright-core and Chromium are, and runs this.

import { createRequire } from "node:module";
import { join } from "node:path";

const [base, ...options] = process.argv.slice(2);
const modules = process.env.PORTCULLIS_TEST_NODE_MODULES;
if (!base || !modules) {
  console.error("usage: PORTCULLIS_TEST_NODE_MODULES=.../node_modules node tests/browser/pages.mjs URL [--screenshots DIR]");
  process.exit(2);
}
const { chromium } = createRequire(join(modules, "/"))("playwright-core");
const pictures = options[0] === "--screenshots" ? options[1] : null;

// How many panels a page has at least; a page that is not named here needs one.
const PANELS = { guardduty: 6, securityhub: 6, waf: 6, vpcflow: 6 };
const SIZES = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];
const TIMEOUT = 20_000;

let checks = 0;
const failures = [];
const expect = (holds, what) => {
  checks += 1;
  if (!holds) {
    failures.push(what);
    console.log(`  FAILED ${what}`);
  }
};

const nameOf = (url) => new URL(url).pathname.split("/").filter(Boolean)[0] ?? "overview";

/** The pages that the menu leads to, and the page of one address. */
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
  for (const name of ["overview", "guardduty", "securityhub", "waf", "vpcflow", "cloudtrail", "response", "search"]) {
    expect(found.has(name), `the menu leads to ${name}`);
  }
  return found;
}

/** One page at one size and in one colour scheme. */
async function look(browser, name, url, size, colorScheme) {
  const label = `${name} ${size.width} ${colorScheme}`;
  const context = await browser.newContext({ viewport: size, colorScheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  const said = [];
  const foreign = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => {
    const target = new URL(request.url());
    if (target.protocol !== "data:" && target.origin !== new URL(base).origin) foreign.push(request.url());
  });
  page.on("requestfailed", (request) => said.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (response) => response.status() >= 400 && said.push(`${response.status()} ${response.url()}`));

  const response = await page.goto(url, { timeout: TIMEOUT, waitUntil: "load" });
  expect(response.status() === 200, `${label}: answers 200, not ${response.status()}`);
  const policy = response.headers()["content-security-policy"] ?? "";
  expect(/default-src|script-src/.test(policy) && !/unsafe-inline|unsafe-eval/.test(policy), `${label}: a strict Content-Security-Policy, not "${policy}"`);

  const seen = await page.evaluate(() => {
    const panels = [...document.querySelectorAll("section.panel")];
    const outside = (element) => {
      for (let up = element.parentElement; up; up = up.parentElement) {
        if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)) return false;
      }
      return element.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
    };
    const wide = [...document.querySelectorAll("body *")].filter(outside);
    return {
      headings: document.querySelectorAll("h1").length,
      panels: panels.length,
      flat: panels.filter((panel) => panel.getBoundingClientRect().height < 16).map((panel) => panel.textContent.slice(0, 40)),
      failed: [...document.querySelectorAll("section.panel.failed")].map((panel) => panel.textContent.trim().slice(0, 120)),
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      widest: wide.slice(0, 3).map((element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}">`),
      title: document.title,
      language: document.documentElement.lang,
    };
  });
  expect(seen.headings === 1, `${label}: one main heading, not ${seen.headings}`);
  expect(seen.title.length > 0 && seen.language.length > 0, `${label}: a title and a language`);
  expect(seen.panels >= (PANELS[name] ?? 1), `${label}: at least ${PANELS[name] ?? 1} panels, not ${seen.panels}`);
  expect(seen.failed.length === 0, `${label}: every panel drawn, but: ${seen.failed.join(" | ")}`);
  expect(seen.flat.length === 0, `${label}: every panel visible, but: ${seen.flat.join(" | ")}`);
  expect(seen.overflow <= 0, `${label}: no sideways scrolling, but ${seen.overflow} px by ${seen.widest.join(", ")}`);

  if (pictures) {
    await page.screenshot({ path: join(pictures, `${name}-${size.width}-${colorScheme}.png`), fullPage: name !== "overview" || size.width < 1000 });
  }
  expect(said.length === 0, `${label}: nothing on the console, but: ${said.join(" | ")}`);
  expect(foreign.length === 0, `${label}: no request to another host, but: ${foreign.join(" ")}`);
  await context.close();
  return seen.panels;
}

/** The same page without JavaScript shows the same panels. */
async function lookWithoutScript(browser, name, url, panels) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(url, { timeout: TIMEOUT });
  const count = await page.locator("section.panel").count();
  expect(count >= Math.min(panels, PANELS[name] ?? 1), `${name} without JavaScript: ${panels} panels, not ${count}`);
  await context.close();
}

/** A click on a value filters the page by it. */
async function filter(browser) {
  const page = await browser.newPage();
  await page.goto(new URL("/waf", base).href, { timeout: TIMEOUT });
  const link = page.locator('section.panel a[href*="filter="]').first();
  expect((await link.count()) === 1, "waf: the values are links that filter");
  if (await link.count()) {
    await link.click();
    await page.waitForLoadState("load", { timeout: TIMEOUT });
    expect(page.url().includes("filter="), "waf: a click on a value filters the page");
    expect((await page.locator("section.panel.failed").count()) === 0, "waf: every panel drawn under a filter");
  }
  await page.close();
}

/** Markup in a query stays text. */
async function escapes(browser) {
  const page = await browser.newPage();
  let ran = false;
  page.on("dialog", async (dialog) => {
    ran = true;
    await dialog.dismiss();
  });
  const markup = "<script>alert(1)</script><img src=x onerror=alert(2)>";
  await page.goto(new URL(`/search?q=${encodeURIComponent(markup)}`, base).href, { timeout: TIMEOUT });
  expect(!ran && (await page.locator('img[src="x"]').count()) === 0, "search: markup in a query stays text");
  await page.close();
}

const browser = await chromium.launch({
  executablePath: process.env.PORTCULLIS_TEST_CHROMIUM || "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
try {
  const found = await pages(browser);
  for (const [name, url] of found) {
    let panels = 0;
    for (const size of SIZES) {
      for (const scheme of ["light", "dark"]) panels = await look(browser, name, url, size, scheme);
    }
    await lookWithoutScript(browser, name, url, panels);
    console.log(`${name.padEnd(12)} ${panels} panels  ${new URL(url).pathname}`);
  }
  await filter(browser);
  await escapes(browser);
} finally {
  await browser.close();
}
console.log(`${checks - failures.length} of ${checks} checks hold`);
process.exit(failures.length === 0 && checks > 0 ? 0 : 1);
