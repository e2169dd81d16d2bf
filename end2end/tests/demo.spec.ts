// What a newcomer finds after the first start: one tenant has moved on, and its findings tell what changed and who did it.
import type { Page } from "@playwright/test";
import { expect, expectAccessible, hydrated, people, Server, signIn, test } from "./fixtures";

/** One start for all that looks at what has moved on. */
let moved: Server | undefined;
test.afterAll(async () => moved?.discard());
test.skip(({ isMobile }) => isMobile, "one start is enough");

/** The address of the findings of the tenant that has moved on, and who is signed in there. */
async function openFindings(page: Page): Promise<[Server, string]> {
  moved ??= await Server.startMoving();
  await moved.says("Query what was read");
  await signIn(page, moved, people.operator);
  await page.goto(`${moved.url}/`);
  await page.getByRole("link", { name: "Northwind", exact: true }).click();
  await page.waitForURL(/\/inventory$/);
  return [moved, page.url().replace(/inventory$/, "findings")];
}

test("the first start leaves findings with names and people, an accepted one, and one that came back", async ({ page }) => {
  test.setTimeout(240_000);
  const [server, findings] = await openFindings(page);
  await page.goto(findings);
  await hydrated(page);
  // What one person changed in one go is one row that opens.
  const groups = page.locator("#findings .finding-group");
  const byPerson = groups.filter({ hasText: "@northwind.example" }).first();
  await expect(byPerson.locator("summary")).toBeVisible();
  await expect(byPerson.locator("tbody tr").first()).toBeHidden();
  await expectAccessible(page);

  // Its box picks all of it, and what is decided is in sight only then.
  const deciding = page.getByLabel("Why this is all right");
  await expect(deciding).toBeHidden();
  await byPerson.locator("> input").check();
  await expect(deciding).toBeInViewport();
  const members = byPerson.locator("tbody input[type=checkbox]");
  await expect(members.first()).toBeChecked();
  await expect(page.locator(".deciding [data-picked]")).toHaveText(`${await members.count()} findings picked`);
  await byPerson.locator("> input").uncheck();
  await expect(deciding).toBeHidden();

  // By keys: opened by o, through its rows by j and k, accepted by a where it stands, taken back by u.
  const first = page.locator("#findings [data-row]").first();
  await page.keyboard.press("j");
  await expect(first).toBeFocused();
  await page.keyboard.press("o");
  await page.keyboard.press("j");
  await expect(groups.first().locator("tbody tr").first()).toBeFocused();
  await page.keyboard.press("k");
  await page.keyboard.press("o");
  await expect(first).toBeFocused();
  const accepted = (await groups.first().locator("summary").getAttribute("id"))!;
  await page.keyboard.press("a");
  await expect(deciding).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(first).toBeFocused();
  await page.keyboard.press("a");
  await page.keyboard.type("rolled out on purpose");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: /accepted/i })).toBeVisible();
  await hydrated(page);
  await expect(page.locator(`#${accepted}`)).toHaveCount(0);
  await expect(page.locator("#findings [data-row]:focus"), "the next row has the focus").toHaveCount(1);
  await page.keyboard.press("u");
  await expect(page.locator(`#${accepted}`)).toBeVisible();

  // What the filter finds leaves as a file.
  for (const kind of ["CSV", "JSON"]) {
    const download = page.waitForEvent("download");
    await page.locator("#filters").getByRole("link", { name: kind }).click();
    expect((await download).suggestedFilename()).toMatch(/findings.*\.(csv|json)$/);
  }

  await page.goto(`${findings}?group=object`);
  await hydrated(page);
  const rows = page.locator("#findings tbody tr");
  expect(await rows.count()).toBeGreaterThan(5);
  await expect(page.getByText(/types? (is|are) not comparable/)).toBeVisible();
  await expect(rows.filter({ hasText: "New again" }).filter({ hasText: "accepted was" })).toHaveCount(1);
  await expect(rows.filter({ hasText: /By: .*@northwind\.example/ }).first()).toBeVisible();
  await expect(rows.filter({ hasText: "Modified" }).filter({ hasText: "→" }).first()).toBeVisible();
  await expect(rows.filter({ hasText: "Settings not named" })).toHaveCount(0);
  await expectAccessible(page);

  // Another choice changes the list in its place.
  await page.evaluate(() => ((window as { same?: boolean }).same = true));
  await page.getByLabel("Status").selectOption({ label: "Accepted" });
  await expect(page).toHaveURL(/status=acknowledged/);
  await expect(rows).toHaveCount(1);
  await page.getByLabel("Status").selectOption({ label: "New" });
  await expect(page).toHaveURL(/group=object/);
  await expect(rows.nth(5)).toBeVisible();
  expect(await page.evaluate(() => (window as { same?: boolean }).same), "the page was not loaded again").toBe(true);

  // One policy among many, by words of its name and by its type; each is taken away alone.
  const named = (await rows.first().locator("th a").innerText()).trim();
  await page.getByLabel("Search name or id").fill(named);
  await expect(page).toHaveURL(/q=/);
  await expect(rows.first()).toContainText(named);
  await page.getByLabel("Policy type").selectOption({ index: 1 });
  await expect(page).toHaveURL(/type=/);
  await page.getByRole("link", { name: /^Remove the filter “/ }).click();
  await expect(page).not.toHaveURL(/q=/);
  await expect(page).toHaveURL(/type=.*group=object|group=object.*type=/);
  await page.locator("#chips").getByRole("link", { name: /^Remove the filter/ }).click();
  await expect(page).not.toHaveURL(/type=/);
  await expect(rows.nth(5)).toBeVisible();

  // Through the rows by keys, to what accepts one of them. In a choice the keys are letters.
  await page.getByRole("heading", { name: "Findings", level: 1 }).click();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await expect(rows.first()).toBeFocused();
  await page.keyboard.press("a");
  await expect(page.getByLabel("Why this is all right")).toBeFocused();
  await expect(rows.first().getByRole("checkbox")).toBeChecked();
  await page.keyboard.type("known");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: /accepted/i })).toBeVisible();

  await page.goto(`${findings}?status=acknowledged&group=object`);
  await hydrated(page);
  await expect(rows).toHaveCount(2);
  await page.keyboard.press("j");
  await page.keyboard.press("u");
  await expect(rows).toHaveCount(1);

  // What the cloud has become outlives the process. No page is open meanwhile.
  await page.goto("about:blank");
  await server.stop("SIGTERM");
  server.output = "";
  await server.launch();
  await server.says("Query what was read");
  expect(server.output).not.toContain("moves on");
});

test("the key j goes over changes that are folded, and k back", async ({ page }) => {
  test.setTimeout(240_000);
  const [, findings] = await openFindings(page);
  await page.goto(findings);
  await hydrated(page);
  const shown = page.locator("#findings :is(summary, .finding-group ~ .table-wrap tbody tr)[data-row]");
  const count = await shown.count();
  expect(await page.locator("#findings .finding-group").count(), "several are folded").toBeGreaterThan(1);
  expect(count, "and something follows them").toBeGreaterThan(await page.locator("#findings .finding-group").count());
  for (let at = 0; at < count; at += 1) {
    await page.keyboard.press("j");
    await expect(shown.nth(at)).toBeFocused();
  }
  for (let at = count - 2; at >= 0; at -= 1) {
    await page.keyboard.press("k");
    await expect(shown.nth(at)).toBeFocused();
  }
});

test("what was and what is are read in rows, and no label of them is a box over the page", async ({ page }) => {
  test.setTimeout(240_000);
  const [server, findings] = await openFindings(page);
  await page.goto(`${findings}?group=object`);
  const versions = page.locator("#findings tbody tr").getByRole("link", { name: /^Versions \d+ and \d+$/ }).first();
  const difference = new URL((await versions.getAttribute("href"))!, server.url).href;
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    await page.setViewportSize({ width, height });
    for (const address of [difference, difference.replace(/\/difference.*/, "")]) {
      await page.goto(address);
      await hydrated(page);
      const labels = page.locator(".difference :is(.before, .after) > span:first-child");
      expect(await labels.count(), address).toBeGreaterThan(1);
      const boxes = await labels.evaluateAll((all) => all.map((one) => [one.getBoundingClientRect().height, getComputedStyle(one).position]));
      expect(boxes.filter(([high, position]) => Number(high) > 32 || position !== "static"), `${address} at ${width}`).toEqual([]);
      const cells = await page.locator(".difference > *").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
      expect(Math.max(...cells), `rows are as high as their words at ${width}`).toBeLessThan(240);
    }
  }
});
