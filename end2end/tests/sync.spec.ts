// From the picker to the notification, and what others see of it.
import { expect, expectAccessible, hydrated, openTenant, people, signIn, test } from "./fixtures";
import type { Page } from "@playwright/test";

async function pickOnly(page: Page, ...labels: string[]) {
  const dialog = page.getByRole("dialog", { name: "Sync inventory" });
  await dialog.getByRole("button", { name: "Clear" }).click();
  for (const label of labels) await dialog.getByLabel(label, { exact: true }).check();
  const foundations = dialog.getByLabel("All foundations");
  await foundations.uncheck();
  return dialog;
}

test("types are picked by keyboard alone, progress is watched to its end, the notification leads to the run", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  const sync = page.locator(".page-head").getByRole("link", { name: "Sync" });
  await sync.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Sync inventory" });
  await expect(dialog.getByLabel("Find a policy type")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(sync).toBeFocused();

  await page.keyboard.press("Enter");
  await expect(dialog.getByText(/of 103 types/)).toBeVisible();
  await dialog.getByRole("button", { name: "Clear" }).focus();
  await page.keyboard.press("Enter");
  await expect(dialog.getByText(/^0 of 103 types/)).toBeVisible();
  await dialog.getByLabel("Find a policy type").focus();
  await page.keyboard.type("settings cat");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await expect(dialog.getByText(/^1 of 103 types/)).toBeVisible();
  // The foundations that the switch adds are counted with it.
  await dialog.getByLabel("All foundations").focus();
  await page.keyboard.press("Space");
  await expect(dialog.getByText(/^[1-9]\d+ of 103 types/)).toBeVisible();
  await page.keyboard.press("Space");
  await expect(dialog.getByText(/^1 of 103 types/)).toBeVisible();
  await dialog.getByRole("button", { name: "Start sync" }).focus();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();

  const widget = page.getByRole("region", { name: "Runs in progress" });
  const toast = page.getByRole("region", { name: /^Settings catalog\w*: succeeded, Contoso/ });
  await expect(widget.getByRole("progressbar").or(toast).first()).toBeVisible();
  await expect(toast).toBeVisible();
  await expect(widget).toBeHidden();

  await expect(page.getByRole("link", { name: /Notifications, \d+ unread/ })).toBeVisible();
  await page.getByRole("link", { name: /Notifications/ }).click();
  const drawer = page.getByRole("dialog", { name: "Notifications" });
  await expect(drawer.getByRole("heading", { name: "Today" })).toBeVisible();
  await drawer.getByRole("link", { name: /^Settings catalog\w*: succeeded/ }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Settings catalog/);
  await expect(page.getByRole("region", { name: "Timeline" })).toContainText("Settings catalog");
});

test("a preset sets types and switches, and the count tells what will be read", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
  const dialog = page.getByRole("dialog", { name: "Sync inventory" });
  const foundations = dialog.getByLabel("All foundations");
  const summary = dialog.getByText(/of 103 types/);
  await expect(foundations).toBeChecked();
  await dialog.getByRole("link", { name: "Only foundations" }).click();
  await expect(foundations).not.toBeChecked();
  const count = Number.parseInt(await summary.innerText());
  expect(count).toBeGreaterThan(1);
  await dialog.getByRole("button", { name: "Clear" }).click();
  await foundations.check();
  await expect(summary, "foundations alone are no choice").toHaveText(/^0 of/);
  await dialog.getByLabel("Settings catalog", { exact: true }).check();
  await expect(summary).toHaveText(new RegExp(`^${count + 1} of`));
  await foundations.uncheck();
  await expect(summary).toHaveText(/^1 of/);
  await dialog.getByRole("link", { name: "Everything" }).click();
  await expect(foundations).toBeChecked();
});

test("one type alone is picked in three steps, by the words that engineers use, and nothing cannot be started", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
  const dialog = page.getByRole("dialog", { name: "Sync inventory" });
  await expect(dialog.getByLabel("Find a policy type"), "it waits for a word").toBeFocused();
  // Where it comes to stand: it moves in.
  await dialog.evaluate((one) => Promise.allSettled(one.getAnimations().map((animation) => animation.finished)));
  const size = await dialog.boundingBox();
  for (const [word, label] of [["ESP", "Enrollment status pages"], ["ASR", "Endpoint security"], ["CA", "Conditional Access"]] as const) {
    await dialog.getByLabel("Find a policy type").fill(word);
    await expect(dialog.getByLabel(label, { exact: true })).toBeVisible();
    await expect(dialog.getByLabel("Settings catalog", { exact: true })).toBeHidden();
    expect(await dialog.boundingBox(), "it does not change its size").toEqual(size);
  }
  const only = dialog.getByRole("button", { name: "Only this: Conditional Access", exact: true });
  await dialog.getByLabel("Conditional Access", { exact: true }).focus();
  await only.click();
  await expect(dialog.getByText(/^1 of 103 types/)).toBeVisible();
  await dialog.getByLabel("Conditional Access", { exact: true }).uncheck();
  await expect(dialog.getByRole("button", { name: "Start sync" })).toBeDisabled();
});

for (const [what, size] of [
  ["on a phone on its side", { width: 844, height: 390 }],
  ["magnified to 400 %", { width: 320, height: 256 }],
] as const) {
  test(`a sync can be started ${what}`, async ({ page, server }) => {
    await page.setViewportSize(size);
    await signIn(page, server, people.operator);
    await openTenant(page, server, "Contoso");
    await hydrated(page);
    await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
    const dialog = page.getByRole("dialog", { name: "Sync inventory" });
    await expect(dialog.getByText(/of 103 types/)).toBeVisible();
    const start = dialog.getByRole("button", { name: "Start sync" });
    await start.scrollIntoViewIfNeeded();
    await expect(start).toBeInViewport({ ratio: 1 });
    // The row at the edge of what scrolls is cut, and axe measures what is left of its button.
    await expectAccessible(page, ["target-size"]);
    await page.keyboard.press("Escape");
  });
}

/** Reads what there is to read: signing in with a browser that is not known yet leaves a notice. */
async function readAll(page: Page, tenant: string): Promise<void> {
  await page.goto(`${tenant}/notifications`);
  await hydrated(page);
  const button = page.getByRole("button", { name: "Mark all as read" });
  if (await button.isVisible()) await button.click();
  await expect(page.getByText("Nothing unread.")).toBeVisible();
}

test("the unread count is live in every tab of a person, and unknown to others", async ({ page, server, browser }) => {
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await readAll(page, tenant);
  await page.goto(`${tenant}/inventory`);
  await hydrated(page);
  const other = await page.context().newPage();
  await other.goto(`${tenant}/notifications`);
  await hydrated(other);
  const stranger = await (await browser.newContext()).newPage();
  await signIn(stranger, server, people.owner);
  await readAll(stranger, tenant);
  await stranger.goto(`${tenant}/inventory`);
  await hydrated(stranger);

  await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
  const dialog = await pickOnly(page, "Compliance policies");
  await dialog.getByRole("button", { name: "Start sync" }).click();
  for (const tab of [page, other]) {
    await expect(tab.getByRole("region", { name: "Compliance policies: succeeded" })).toBeVisible();
    await expect(tab.getByRole("link", { name: "Notifications, 1 unread" }), "only its end is news").toBeVisible();
  }
  const marks = other.getByRole("main").getByRole("button", { name: /^Mark as read: / });
  await expect(marks, "the list on its page is live too").toHaveCount(1);
  await expect(stranger.getByRole("region", { name: "Compliance policies: succeeded" })).toHaveCount(0);
  await expect(stranger.getByRole("progressbar")).toBeHidden();
  await expect(stranger.getByRole("link", { name: "Notifications", exact: true })).toBeVisible();

  // Opening the drawer is reading what it shows.
  await page.getByRole("link", { name: /Notifications/ }).click();
  await expect(page.getByRole("dialog", { name: "Notifications" })).toBeVisible();
  await expect(other.getByRole("link", { name: "Notifications", exact: true })).toBeVisible();
  await expect(marks).toHaveCount(0);
  await expect(other.getByText("Nothing unread.")).toBeVisible();
  await stranger.context().close();
});

test("pressing twice starts one run", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Fabrikam");
  await page.goto(`${tenant}/runs?by=me`);
  const before = await page.locator(".table tbody tr").count();
  await hydrated(page);
  await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
  const dialog = await pickOnly(page, "Settings catalog", "Apps");
  await dialog.getByRole("button", { name: "Start sync" }).dblclick();
  await expect(page.getByRole("region", { name: /: succeeded/ })).toBeVisible();
  await page.goto(`${tenant}/runs?by=me`);
  await expect(page.locator(".table tbody tr")).toHaveCount(before + 1);
});

test("what failed is named with what to do, and can be tried again alone", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Northwind");
  await page.goto(`${tenant}/runs?state=partially_succeeded`);
  await page.locator(".table tbody .title a", { hasText: "Everything" }).first().click();
  await expect(page.getByRole("region", { name: "What did not succeed, and why" })).toContainText(/permission missing/);
  await page.getByRole("button", { name: "Retry what failed" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Retry of \d+ types$/);
  await expect(page.locator("#run-head")).toContainText("Failed");
});

test("an empty choice cannot be started", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
  const dialog = await pickOnly(page);
  await expect(dialog.getByRole("button", { name: "Start sync" })).toBeDisabled();
  await dialog.getByLabel("Apps", { exact: true }).check();
  await expect(dialog.getByRole("button", { name: "Start sync" })).toBeEnabled();
});
