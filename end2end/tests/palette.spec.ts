// What is reached by the keyboard from anywhere: the palette, the sheet of keys, and how single keys are switched off.
import { expect, expectAccessible, hydrated, openTenant, people, signIn, test } from "./fixtures";

test("the palette finds tenants, types, items and pages, and leads there", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Contoso");
  await hydrated(page);
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: /^Go to/ });
  await expect(field).toBeFocused();
  await expectAccessible(page);
  await field.fill("bitlocker");
  const items = page.getByRole("option", { name: /bitlocker/i });
  await expect(items.first()).toBeVisible();
  await field.fill("0007 ring");
  await expect(page.getByRole("option", { name: /Ring 0007.*Group/ })).toBeVisible();
  await field.fill("sync start");
  await expect(page.getByRole("option", { name: /Start a sync/ })).toHaveAttribute("aria-selected", "true");
  await field.fill("runs");
  await expect(page.getByRole("dialog").getByRole("option").first()).toContainText("Runs");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${tenant}/runs`);
  await hydrated(page);
  await page.keyboard.press("Control+k");
  await field.fill("fabri");
  await expect(page.getByRole("dialog").getByRole("option").first()).toContainText("Fabrikam");
  await page.keyboard.press("Escape");
  await expect(field).toBeHidden();
});

test("who may not sync is offered no sync", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: /^Go to/ }).fill("export");
  await expect(page.getByRole("option", { name: /Export the inventory as CSV/ })).toBeVisible();
  await page.getByRole("combobox", { name: /^Go to/ }).fill("start a sync");
  await expect(page.getByText("No results")).toBeVisible();
});

test("the sheet of keys opens by its key, and single keys never fire in a field nor when they are switched off", async ({ page, server }) => {
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await hydrated(page);
  const sheet = page.getByRole("dialog", { name: "Keys" });
  await page.getByLabel("Search name or id").focus();
  await page.keyboard.type("?/");
  await expect(page.getByLabel("Search name or id")).toHaveValue("?/");
  await expect(sheet).toHaveCount(0);
  await page.goto(`${tenant}/inventory`);
  await hydrated(page);
  await page.keyboard.press("?");
  await expect(sheet).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();
  await page.goto(`${server.url}/me`);
  await page.getByLabel(/^Single keys/).uncheck();
  await page.getByRole("button", { name: "Save keys" }).click();
  await expect(page.getByText("Your choice of keys is saved.")).toBeVisible();
  await page.goto(`${tenant}/inventory`);
  await hydrated(page);
  await page.keyboard.press("/");
  await expect(page.getByLabel("Search name or id")).not.toBeFocused();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: /^Go to/ }), "a key with Ctrl is no single key").toBeFocused();
});

test("help is a page of its own where there is no script", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await page.goto(`${server.url}/help`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Help");
  await expect(page.getByText(/^TenantAtlas \d+\.\d+/)).toBeVisible();
  await expect(page.getByText("Ctrl K", { exact: true })).toBeVisible();
});
