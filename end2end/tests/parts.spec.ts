// Parts of the module that are loaded on demand: when they do not come, everything still works, the way it does without a
// script.
import { expect, hydrated, openTenant, people, signIn, test } from "./fixtures";

// What the browser and the loader say of it, the next page, whose module does not come either, and one that is left while
// it still fades in.
test.use({ expectedMessages: /Failed to load resource|TypeError|Failed to fetch|Transition was aborted/ });

test("what opens on demand leads to its page when its part of the module cannot be loaded", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Contoso");
  await hydrated(page);
  await page.route("**/pkg/*.wasm", (route) => route.abort());
  await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
  await page.waitForURL(`${tenant}/sync`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sync inventory");

  await page.unroute("**/pkg/*.wasm");
  await page.goto(`${tenant}/sync`);
  await hydrated(page);
  await page.route("**/pkg/*.wasm", (route) => route.abort());
  await page.getByRole("button", { name: /Contoso/ }).click();
  await expect(page.getByRole("navigation", { name: "Tenants" }).getByRole("link", { name: /Northwind/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "could not be loaded" })).toBeVisible();
  await page.getByRole("link", { name: /Notifications/ }).click();
  await page.waitForURL(`${tenant}/notifications`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Notifications");
});

test("what was marked, typed and pressed before the picker was hydrated is not lost", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Contoso");
  let arrive = () => {};
  const held = new Promise<void>((resolve) => (arrive = resolve));
  await page.goto(`${tenant}/sync?preset=everything`);
  await hydrated(page);
  await page.route("**/pkg/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  const first = page.locator('[name="policy_types[]"]').first();
  const marked = await first.isChecked();
  await first.setChecked(!marked);
  await page.getByLabel("All foundations").setChecked(false);
  await page.getByLabel("Find a policy type").fill("compliance");
  arrive();
  await expect(page.getByLabel("Settings catalog", { exact: true })).toBeHidden();
  await expect(page.getByLabel("All foundations")).not.toBeChecked();
  await page.getByLabel("Find a policy type").fill("");
  await expect(first).toBeChecked({ checked: !marked });
});

test("a button of the picker that is pressed before hydration is pressed once it is hydrated", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Contoso");
  let arrive = () => {};
  const held = new Promise<void>((resolve) => (arrive = resolve));
  await page.goto(`${tenant}/sync`);
  await hydrated(page);
  await page.route("**/pkg/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  // Of the types of this group some are not part of everything.
  const group = page.getByRole("checkbox", { name: /^Configuration/ });
  await expect(group).toBeChecked({ indeterminate: true });
  await page.getByRole("button", { name: "Clear" }).click();
  arrive();
  await expect(page.getByText(/^0 of 103 types/)).toBeVisible();
  await expect(group).not.toBeChecked();
  await expect(group).not.toBeChecked({ indeterminate: true });
});
