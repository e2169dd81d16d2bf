// What was read: figures, coverage, filters in the address, pages, one item, exports, and another tenant.
import { expect, hydrated, openTenant, people, signIn, test } from "./fixtures";

test("the address holds what the list shows, and survives a reload", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Fabrikam");
  await hydrated(page);
  await expect(page.getByRole("button", { name: "Sync" })).toHaveCount(0);
  await page.getByLabel("Policy type").selectOption({ label: "Settings catalogue" });
  await expect(page).toHaveURL(/type=settingsCatalogPolicy/);
  await hydrated(page);
  await page.keyboard.press("/");
  await expect(page.getByLabel("Search name or id")).toBeFocused();
  await page.keyboard.type("bitlocker");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/q=bitlocker/);
  await page.reload();
  await expect(page.getByLabel("Search name or id")).toHaveValue("bitlocker");
  await expect(page.getByLabel("Policy type")).toHaveValue("settingsCatalogPolicy");
  const names = await page.locator(".table tbody .title").allInnerTexts();
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(name.toLowerCase()).toContain("bitlocker");
  await page.getByRole("link", { name: "Clear" }).click();
  await expect(page).toHaveURL(/\/inventory$/);
});

test("pages follow one another without gap or repetition", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Fabrikam");
  const seen = new Set<string>();
  for (let number = 0; number < 3; number++) {
    const titles = page.locator(".table tbody .title a");
    await expect(titles).toHaveCount(50);
    const links = await titles.evaluateAll((all) => all.map((link) => link.getAttribute("href")!));
    for (const link of links) {
      expect(seen.has(link), "no item twice").toBe(false);
      seen.add(link);
    }
    const address = page.url();
    await page.getByRole("link", { name: "Next" }).click();
    await expect(page, "every page but the first has an address of its own").not.toHaveURL(address);
    await expect(page).toHaveURL(/after=/);
    await page.waitForLoadState();
  }
  await page.getByRole("link", { name: "From the start" }).click();
  await expect(page).toHaveURL(/\/inventory$/);
  await page.locator("thead").getByRole("link", { name: "Last seen", includeHidden: true }).dispatchEvent("click");
  await expect(page).toHaveURL(/sort=seen/);
});

test("an export holds exactly what is filtered", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Fabrikam");
  await page.goto(`${tenant}/inventory?type=settingsCatalogPolicy`);
  const csv = await page.request.get(new URL((await page.getByRole("link", { name: "CSV" }).getAttribute("href"))!, server.url).href);
  expect(csv.headers()["content-type"]).toBe("text/csv; charset=utf-8");
  expect(csv.headers()["content-disposition"]).toMatch(/^attachment; filename="fabrikam-inventory-\d{4}-\d\d-\d\d\.csv"$/);
  const lines = (await csv.text()).trim().split("\n");
  const json = await page.request.get(new URL((await page.getByRole("link", { name: "JSON" }).getAttribute("href"))!, server.url).href);
  const rows = (await json.json()) as { policy_type: string }[];
  expect(rows.length).toBeGreaterThan(50);
  expect(lines.length - 1).toBe(rows.length);
  expect(new Set(rows.map((row) => row.policy_type))).toEqual(new Set(["settingsCatalogPolicy"]));
});

test("an item tells what it is, who it is for, and which syncs saw it", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/inventory?type=settingsCatalogPolicy`);
  const row = page.locator(".table tbody tr", { hasText: "group" }).first();
  const name = (await row.locator(".title").innerText()).trim();
  await row.locator(".title a").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  const assigned = page.getByRole("region", { name: "Assigned to" });
  await expect(assigned.getByText(/^(Included|Excluded)$/).first()).toBeVisible();
  await expect(assigned).not.toContainText("name not known");
  await expect(page.getByRole("region", { name: "History" })).toContainText("Seen for the first time");
  await page.getByRole("region", { name: "Syncs that looked for it" }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Everything");
});

test("a type that could not be read is never shown as empty", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Northwind");
  await expect(page.locator("#figures").getByText(/^[1-9]\d* could not be read/)).toBeVisible();
  await expect(page.locator("#coverage").getByText(/\d+ could not be read/)).not.toHaveText("0 could not be read");
  const cell = page.locator('.coverage [data-mark="failed"]').first();
  await cell.click();
  await expect(page.locator(".coverage details[open] .tip")).toContainText("Could not be read");
  await expect(page.locator(".coverage details[open] .tip")).toContainText(/permission/i);
});

test("the switcher finds a tenant and stays on the same page", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/runs`);
  await hydrated(page);
  await page.getByRole("button", { name: /Contoso/ }).click();
  await page.getByLabel("Find a tenant").fill("north");
  await page.getByRole("navigation", { name: "Tenants" }).getByRole("link", { name: /Northwind/ }).click();
  await expect(page).toHaveURL(/\/runs$/);
  await expect(page.getByRole("button", { name: /Northwind/ })).toBeVisible();
  // The next sign-in begins in the tenant used last.
  await expect(async () => {
    await page.context().clearCookies();
    await signIn(page, server, people.operator);
    await expect(page.getByRole("button", { name: /Northwind/ })).toBeVisible({ timeout: 2_000 });
  }).toPass();
});
