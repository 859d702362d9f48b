// What people do with the pages, one after another, each on a page of its own.

import { expect } from "./checks.mjs";

const open = (page, base, path) => page.goto(new URL(path, base).href);
const chips = (page) => page.locator("ul.chips li:not(.clear)");
const failed = (page) => page.locator("section.panel.failed");

/** A click on a value keeps it, another leaves it out, a chip turns it round and takes it away. */
async function filters(page, base) {
  await open(page, base, "/waf");
  const value = page.locator("section.panel.list a.main[href*='filter=']").first();
  expect((await value.count()) === 1, "waf: values are links that filter");
  await value.click();
  expect(page.url().includes("filter="), "waf: a click on a value filters");
  expect((await chips(page).count()) === 1, "waf: the filter stands as a chip");
  expect((await failed(page).count()) === 0, "waf: every panel drawn under a filter");

  await page.locator("ul.chips .turn").click();
  expect(/filter=-/.test(page.url()), "waf: the chip turns the filter round");
  expect((await page.locator("ul.chips li.not").count()) === 1, "waf: the chip says that it is out");

  await open(page, base, "/waf");
  const row = page.locator("section.panel.list tbody tr").first();
  await row.hover();
  await row.locator(".acts a").last().click();
  expect(/filter=-/.test(page.url()), "waf: a value is filtered out by a click");
  await page.locator("ul.chips li:not(.clear) a[aria-label^='Remove filter']").first().click();
  expect(!page.url().includes("filter="), "waf: the chip takes the filter away");
}

/** Presets, from and to, a drag over the bars, and the same with the keyboard. */
async function ranges(page, base) {
  await open(page, base, "/guardduty");
  await page.locator(".segments a", { hasText: "6 h" }).click();
  expect(page.url().includes("range=6h"), "guardduty: a preset chooses the range");
  expect((await page.locator(".segments a[aria-current]").textContent())?.trim() === "6 h", "guardduty: the preset is marked");

  const plot = page.locator("svg.plot").first();
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2, { steps: 4 });
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2, { steps: 4 });
  await Promise.all([page.waitForURL(/from=/), page.mouse.up()]);
  const query = new URL(page.url()).searchParams;
  const hours = (Date.parse(query.get("to")) - Date.parse(query.get("from"))) / 3_600_000;
  expect(hours > 1 && hours < 2.2, `guardduty: a drag over a quarter of six hours chooses about 1.5 hours, not ${hours}`);
  expect(!query.has("range"), "guardduty: a drag replaces the preset");

  await open(page, base, "/guardduty?range=6h");
  const bars = page.locator("svg.plot").first().locator("a");
  await bars.nth(3).focus();
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await Promise.all([page.waitForURL(/from=/), page.keyboard.press("Enter")]);
  expect(page.url().includes("to="), "guardduty: the keyboard chooses a range");

  await open(page, base, "/guardduty");
  await page.locator(".range details.menu summary").click();
  await page.locator(".sheet input[name=from]").fill("2026-01-01T00:00");
  await page.locator(".sheet input[name=to]").fill("2026-01-02T00:00");
  await page.locator(".sheet button").click();
  expect(page.url().includes("from=2026-01-01"), "guardduty: from and to choose the range");
  expect((await page.locator("text=Choose a time range").count()) > 0, "guardduty: an empty page says why, and what to do");
}

/** The box, its explanation, and a text that cannot be read. */
async function search(page, base) {
  await open(page, base, "/");
  await page.keyboard.press("/");
  await page.keyboard.type("event.action:block");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/search\?/);
  expect((await page.locator("table.hits tbody tr").count()) > 0, "search: / leads into the box, and the box finds");
  await open(page, base, "/");
  await page.locator("a.how").click();
  const examples = page.locator("#syntax a");
  expect((await examples.count()) > 8, "search: the syntax is explained in place");
  await examples.nth(4).click();
  await page.waitForURL(/[?&]q=/);
  expect(page.url().includes("q="), "search: an example can be tried");
  const answer = await open(page, base, "/search?q=%28a");
  expect(answer.status() === 400, "search: a text that cannot be read is no server error");
  expect((await page.locator("main input[type=search]").inputValue()) === "(a", "search: it stands in a box to be corrected");
}

/** From a finding to what was done about it, and back. */
async function followed(page, base) {
  await open(page, base, "/search?source=response&q=event.action:applied");
  await page.locator("td.what a").first().click();
  await page.waitForURL(/\/document\//);
  const finding = page.locator("section.followed td.what a").first();
  expect((await page.locator("#followed").textContent()) === "The finding that led to this", "document: a block names its finding");
  await finding.click();
  await page.waitForFunction(() => document.querySelector("#followed")?.textContent.startsWith("What was done"));
  expect((await page.locator("section.followed td.what a").count()) > 0, "document: the finding leads back to what was done");
  expect((await page.locator("table.fields th .dim").count()) > 10, "document: fields say what they mean");
}

// Of none of the demo's own networks, and of no range that is kept for special use: a guard would refuse those.
const ADDRESS = "/address/91.200.12.34";

/** Block, unblock, allow and back, each with a reason. */
async function acts(page, base) {
  const form = async (verb, title, button) => {
    await page.locator(".act-of summary", { hasText: new RegExp(`^${title}`) }).click();
    const shown = page.locator("details.act-of[open] form");
    await shown.locator("input[name=reason]").fill("the browser's test");
    await shown.locator("input[name=who]").fill("ana");
    await Promise.all([page.waitForURL((url) => url.searchParams.get("done") === verb), shown.locator("button", { hasText: button }).click()]);
    return page.locator(".note.done").textContent();
  };
  await open(page, base, ADDRESS);
  expect((await form("block", "Block", "Block it")).includes("confirmed by EC2"), "address: blocked");
  expect((await page.locator("table.audit tbody tr").count()) > 1, "address: the audit has it");
  expect((await form("unblock", "Unblock", "Unblock it")).includes("no entry stands"), "address: unblocked");
  expect((await form("allow", "Allow", "Allow it")).includes("On the allow-list"), "address: allowed");
  expect((await page.locator("#by-hand >> xpath=../.. >> text=for good").count()) === 1, "address: the allow-list says until when");
  expect((await form("disallow", "Take off", "Take it off")).includes("Off the allow-list"), "address: taken off the allow-list");

  const refused = await page.request.post(new URL(ADDRESS, base).href, {
    form: { verb: "block", reason: "x", who: "y", end: "", token: "0".repeat(32) },
  });
  expect(refused.status() === 403, `address: a form without its token is refused, not ${refused.status()}`);
}

/** The numbers of a panel, for a spreadsheet and for a program. */
async function downloads(page, base) {
  await open(page, base, "/waf?range=6h");
  const links = await page.$$eval(".data a", (all) => all.map((link) => link.href));
  expect(links.length > 10, "waf: panels can be downloaded");
  for (const link of links.slice(0, 12)) {
    const answer = await page.request.get(link);
    const body = await answer.text();
    const holds = link.includes(".json") ? JSON.parse(body).panel.data.kind : body.split("\r\n").length > 2;
    expect(answer.ok() && holds, `waf: ${new URL(link).pathname} has numbers`);
  }
}

/** Loading by itself is asked for by a link, and stays in the address. */
async function refresh(page, base) {
  await open(page, base, "/response?range=1h");
  await page.locator("a.toggle").click();
  expect(page.url().includes("refresh=10") && page.url().includes("range=1h"), "response: auto refresh keeps the range");
  expect((await page.locator("meta[http-equiv=refresh]").count()) === 1, "response: the page loads itself again");
}

/** The first stop of the keyboard leads past the menu, and what has the focus can be seen. */
async function keyboard(page, base) {
  await open(page, base, "/");
  await page.keyboard.press("Tab");
  expect((await page.evaluate(() => document.activeElement.textContent)) === "Skip to content", "overview: the first stop skips the menu");
  await page.keyboard.press("Enter");
  expect((await page.evaluate(() => document.activeElement.id)) === "main", "overview: it leads to the content");
  for (let stop = 0; stop < 12; stop += 1) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const inner = element.querySelector(".hit");
      const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
      return outlined || (inner !== null && getComputedStyle(inner).stroke !== "none") ? "" : element.outerHTML.slice(0, 120);
    });
    expect(seen === "", `overview: the focus can be seen on ${seen}`);
  }
}

/** Markup in a query stays text. */
async function escapes(page, base) {
  let ran = false;
  page.on("dialog", async (dialog) => {
    ran = true;
    await dialog.dismiss();
  });
  const markup = "<script>alert(1)</script><img src=x onerror=alert(2)>";
  await open(page, base, `/search?q=${encodeURIComponent(markup)}`);
  expect(!ran && (await page.locator('img[src="x"]').count()) === 0, "search: markup in a query stays text");
}

export const WORK = [
  ["filters by click, in and out", filters],
  ["time ranges: preset, drag, keyboard, from and to", ranges],
  ["search and its syntax", search],
  ["from a block to its finding and back", followed],
  ["block, unblock, allow", acts],
  ["CSV and JSON", downloads],
  ["auto refresh", refresh],
  ["keyboard and focus", keyboard],
  ["markup stays text", escapes],
];
