// The list of runs: what the address asks for, keys, and many runs at once.
import { expect, expectAccessible, hydrated, openTenant, people, signIn, test } from "./fixtures";

test("filters of the list of runs stay in the address and are taken away by their chips", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/runs`);
  await hydrated(page);
  const rows = page.locator("#runs tbody tr");
  await expect(rows.first()).toBeVisible();
  await page.getByLabel("Operation").selectOption("inventory.sync");
  await expect(page).toHaveURL(/operation=inventory\.sync/);
  await page.getByRole("combobox", { name: "Reason" }).fill("connection changed meanwhile");
  await page.getByRole("combobox", { name: "Reason" }).press("Enter");
  await expect(page.getByText("No results")).toBeVisible();
  await page.getByRole("link", { name: "Remove the filter Connection changed" }).click();
  await expect(page).not.toHaveURL(/reason/);
  await expect(rows.first()).toBeVisible();
  const all = page.getByRole("list", { name: "Runs by state" }).getByRole("link", { name: /^All/ });
  await expect(all).toHaveAttribute("aria-current", "true");
  await expectAccessible(page);
});

test("a run is opened, and its buttons are reached, by keys alone", async ({ page, server }, info) => {
  test.skip(info.project.name === "phone", "there are no keys on a phone");
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/runs`);
  await hydrated(page);
  await page.keyboard.press("j");
  const row = page.locator("#runs tbody tr").first();
  await expect(row).toBeFocused();
  await expect(page.getByRole("button", { name: "Retry what failed" }), "nothing is picked yet").toBeHidden();
  await page.keyboard.press("r");
  await expect(row.getByRole("checkbox")).toBeChecked();
  await expect(page.getByText("1 run picked")).toBeVisible();
  await expect(page.getByRole("button", { name: "Retry what failed" })).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]{36}/);
  await expect(page.getByRole("heading", { name: "Course" })).toBeVisible();
  await expect(page.getByText("A worker began")).toBeVisible();
  await expectAccessible(page);
});

test("runs of all tenants are listed together, and what was done with several is told", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await page.goto(`${server.url}/runs`);
  await hydrated(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Runs of all tenants");
  const rows = page.locator("#runs tbody tr");
  await expect(rows.filter({ hasText: "Contoso" }).first()).toBeVisible();
  await expect(rows.filter({ hasText: "Northwind" }).first()).toBeVisible();
  const ended = rows.filter({ hasText: "ucceeded" });
  await ended.nth(0).getByRole("checkbox").check();
  await page.getByLabel(/^Why/).fill("only to see what is told");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(page.getByText("Had ended already: 1 run.")).toBeVisible();
  await expectAccessible(page);
});
