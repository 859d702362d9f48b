// One page, at one size and in one colour scheme: what a person would stumble over, and what axe-core finds.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { TIMEOUT, expect } from "./checks.mjs";

// How many panels a page has at least; a page that is not named here needs one.
const PANELS = { guardduty: 6, securityhub: 6, waf: 6, vpcflow: 6, dns: 6, cloudtrail: 6, response: 6, pipeline: 6, address: 3 };
// Below this, axe-core's findings are advice.
const GRAVE = ["serious", "critical"];

const axe = readFileSync(join(process.env.PORTCULLIS_TEST_AXE ?? "", "axe.min.js"), "utf8");

/** One page at one size and in one colour scheme. */
export async function look({ browser, base, pictures, thorough }, name, url, size, colorScheme) {
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

  if (thorough) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const grave = found.violations.filter((violation) => GRAVE.includes(violation.impact));
    const told = grave.map((violation) => `${violation.id} (${violation.nodes.length}): ${violation.nodes[0].html.slice(0, 160)}`);
    expect(grave.length === 0, `${label}: axe-core finds nothing serious, but: ${told.join(" | ")}`);
  }

  if (pictures) {
    await page.screenshot({ path: join(pictures, `${name}-${size.width}-${colorScheme}.png`), fullPage: true });
  }
  expect(said.length === 0, `${label}: nothing on the console, but: ${said.join(" | ")}`);
  expect(foreign.length === 0, `${label}: no request to another host, but: ${foreign.join(" ")}`);
  await context.close();
  return seen.panels;
}

/** The same page without JavaScript shows the same panels. */
export async function lookWithoutScript({ browser }, name, url, panels) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(url, { timeout: TIMEOUT });
  const count = await page.locator("section.panel").count();
  expect(count >= Math.min(panels, PANELS[name] ?? 1), `${name} without JavaScript: ${panels} panels, not ${count}`);
  await context.close();
}

