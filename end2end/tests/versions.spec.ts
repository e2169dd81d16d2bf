// Versions of policies: kept of what is picked, told by the run that kept them, listed where the policy is.
import { expect, expectAccessible, hydrated, openTenant, people, signIn, test } from "./fixtures";

test("versions are kept of what is picked, counted by type, and listed with the policy", async ({ page, server }, info) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Northwind");
  await page.goto(`${tenant}/inventory?type=settingsCatalogPolicy`);
  await hydrated(page);
  const rows = page.locator(".table tbody tr");
  // Of others at each size: a server may see both, and keeps versions.
  const first = info.project.name === "phone" ? 2 : 0;
  const item = await rows.nth(first).locator(".title a").getAttribute("href");
  for (const position of [first, first + 1]) await rows.nth(position).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Keep versions" }).click();
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]{36}/);
  const kept = page.getByRole("region", { name: "Versions by type" });
  const cells = kept.getByRole("row", { name: /Settings catalog/ });
  await expect(cells.getByRole("cell").nth(1)).toHaveText("2");
  await expect(cells.getByRole("cell").nth(2)).toHaveText("2");
  await expect(page.getByText("2 objects read: 2 new versions, 0 as they were")).toBeVisible();
  await expectAccessible(page);

  await page.goto(`${server.url}${new URL(item!, server.url).pathname}`);
  await hydrated(page);
  const versions = page.getByRole("region", { name: "Versions" });
  await expect(versions.getByRole("listitem")).toHaveCount(1);
  await expect(versions.getByRole("listitem")).toContainText(/Version 1, read .*Complete/);
  // What it sets is told where it is, without leaving the page, and no script of it.
  const settings = page.getByRole("region", { name: "Settings" });
  await expect(settings).toContainText(/^Settings\d+ settings? of version 1, read /);
  await expect(settings.locator(".setting").first()).toBeAttached();
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    await page.setViewportSize({ width, height });
    expect((await settings.boundingBox())!.height, "it is folded where it is long").toBeLessThan(2 * height);
  }
  await page.setViewportSize(info.project.use.viewport!);
  await expectAccessible(page);
  // Nothing has changed since: no other version, and the run says so.
  await versions.getByRole("button", { name: "Keep a version now" }).click();
  await expect(page.getByText("1 object read: 0 new versions, 1 as they were")).toBeVisible();
});

test("who may only read is offered no capture", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Northwind");
  const item = await page.locator(".table tbody .title a").first().getAttribute("href");
  await expect(page.getByRole("button", { name: "Keep versions" })).toHaveCount(0);
  await page.goto(`${server.url}${new URL(item!, tenant).pathname}`);
  await expect(page.getByRole("region", { name: "Versions" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Keep a version now" })).toHaveCount(0);
  await expect(page.getByRole("region", { name: "Settings" }), "values are for operators").toHaveCount(0);
});
