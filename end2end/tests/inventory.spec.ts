// What was read: figures, coverage, filters in the address, pages, one item, exports, and another tenant.
import { dropSession, expect, expectAccessible, hydrated, openCoverage, openFilters, openTenant, people, signIn, test } from "./fixtures";

test("the address holds what the list shows, and survives a reload", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Fabrikam");
  await hydrated(page);
  await expect(page.getByRole("button", { name: "Sync" })).toHaveCount(0);
  await openFilters(page);
  await page.getByLabel("Policy type").selectOption({ label: "Settings catalog" });
  await expect(page).toHaveURL(/inventory\?type=settingsCatalogPolicy$/);
  await page.getByRole("heading", { level: 1 }).click();
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
  await expect(page.getByLabel("Search name or id")).toHaveValue("");
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
  await page.getByRole("link", { name: "Previous" }).click();
  await expect(page).toHaveURL(/before=/);
  const back = await page.locator(".table tbody .title a").evaluateAll((all) => all.map((link) => link.getAttribute("href")!));
  expect(back, "the way back leads through the same page").toEqual([...seen].slice(100, 150));
  await page.getByRole("link", { name: "From the start" }).click();
  await expect(page).toHaveURL(/\/inventory$/);
  await hydrated(page);
  await page.locator("thead").getByRole("link", { name: "Last seen", includeHidden: true }).dispatchEvent("click");
  await expect(page).toHaveURL(/sort=seen/);
});

test("an export holds exactly what is filtered", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Fabrikam");
  await page.goto(`${tenant}/inventory?type=settingsCatalogPolicy`);
  const csv = await page.request.get(new URL((await page.getByRole("link", { name: /^Export .+ as CSV$/ }).getAttribute("href"))!, server.url).href);
  expect(csv.headers()["content-type"]).toBe("text/csv; charset=utf-8");
  expect(csv.headers()["content-disposition"]).toMatch(/^attachment; filename="fabrikam-inventory-\d{4}-\d\d-\d\d\.csv"$/);
  const lines = (await csv.text()).trim().split("\n").filter((line) => line.startsWith('"item"'));
  const json = await page.request.get(new URL((await page.getByRole("link", { name: /^Export .+ as JSON$/ }).getAttribute("href"))!, server.url).href);
  const { items: rows } = (await json.json()) as { items: { policy_type: string }[] };
  expect(rows.length).toBeGreaterThan(50);
  await expect(page.locator("#list-total"), "the page says as many").toHaveText(`${rows.length} items`);
  expect(lines.length).toBe(rows.length);
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

test("a group leads to what it gets, and an item to its groups", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/inventory?type=settingsCatalogPolicy`);
  await page.locator(".table tbody tr", { hasText: /\d+ groups?/ }).first().locator(".title a").click();
  const item = (await page.getByRole("heading", { level: 1 }).innerText()).trim();
  const group = page.getByRole("region", { name: "Assigned to" }).getByRole("link").first();
  const name = (await group.innerText()).trim();
  await group.click();
  await expect(page).toHaveURL(/\/groups\//);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  const fold = page.locator("#by-type > summary");
  if (await fold.isVisible()) await fold.click();
  await page.getByRole("region", { name: "By type" }).getByRole("link", { name: "Settings catalog" }).click();
  await expect(page).toHaveURL(/type=settingsCatalogPolicy/);
  await expect(page.locator(".table tbody .title a", { hasText: item }).first()).toBeVisible();
  await expect(page.locator(".table tbody").getByText(/^(Included|Excluded)$/).first()).toBeVisible();
  await hydrated(page);
  await expectAccessible(page);
  // Its name finds it above the items.
  await page.goto(`${tenant}/inventory?q=${encodeURIComponent(name)}`);
  await page.getByRole("region", { name: "Groups" }).getByRole("link", { name }).first().click();
  await expect(page).toHaveURL(/\/groups\//);
  for (const [address, heading] of [["all-users", "All users"], ["all-devices", "All devices"], ["nobody", "Not assigned"]] as const) {
    await page.goto(`${tenant}/groups/${address}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(heading);
  }
});

test("the list is filtered by whom items are assigned to", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await openFilters(page);
  await page.getByRole("combobox", { name: "Assigned to" }).selectOption({ label: "Not assigned" });
  await expect(page).toHaveURL(/assigned=nobody/);
  await expect(page.locator('.table tbody td[data-label="Assigned to"]').first()).toContainText("not assigned");
});

test("a type that could not be read is never shown as empty", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Northwind");
  await expect(page.locator("#figures").getByText(/^[1-9]\d* could not be read/)).toBeVisible();
  await openCoverage(page);
  await expect(page.locator("#coverage").getByRole("link", { name: /^[1-9]\d* could not be read/ })).toBeVisible();
  await expect(page.locator(".faults"), "in words, with the permission by its name").toContainText(/[A-Z]\w+\.Read/);
  const cell = page.locator('.coverage [data-mark="failed"]').first();
  await cell.click();
  const tip = page.locator(".tip:popover-open");
  await expect(tip).toContainText("Could not be read");
  await expect(tip).toContainText(/permission/i);
  await page.keyboard.press("Escape");
  await expect(tip).toHaveCount(0);
});

test("the id of an item is copied, and custom endpoints have no admin center to lead to", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/inventory?type=conditionalAccessPolicy`);
  await page.locator(".table tbody .title a").first().click();
  await hydrated(page);
  await expect(page.getByRole("link", { name: /Open .*in Entra/ })).toHaveCount(0);
  const copy = page.getByRole("button", { name: /^Copy the ID/ });
  await copy.click();
  await expect(copy).toHaveAttribute("data-copied", /yes|no/);
  await expect(page.locator("#said")).toContainText("The ID is");
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
    await dropSession(page);
    await signIn(page, server, people.operator);
    await expect(page.getByRole("button", { name: /Northwind/ })).toBeVisible({ timeout: 2_000 });
  }).toPass();
});

test("a filter changes the list in its place: focus and scroll stay, and an arrow key chooses nothing yet", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Fabrikam");
  await hydrated(page);
  await openFilters(page);
  const state = page.getByRole("combobox", { name: "State" });
  await state.scrollIntoViewIfNeeded();
  await state.focus();
  // How far the page is scrolled, and where the field stands on the screen.
  const place = async () => [await page.evaluate(() => scrollY), Math.round((await state.boundingBox())!.y)];
  const before = await place();
  await page.evaluate(() => ((window as { same?: boolean }).same = true));
  await page.keyboard.press("ArrowDown");
  await expect(state).toHaveValue("present");
  await expect(page, "WCAG 3.2.2: moving through the values is no choice").toHaveURL(/\/inventory$/);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/inventory\?state=present$/);
  await expect(page.getByRole("link", { name: "Remove the filter Present" })).toBeVisible();
  await expect(state).toBeFocused();
  await expect(page.locator("#chips").getByText("Save this view")).toBeVisible();
  expect(await place(), "nothing comes above the field that was chosen from").toEqual(before);
  expect(await page.evaluate(() => (window as { same?: boolean }).same), "the page was not loaded again").toBe(true);
  await page.getByRole("link", { name: "Remove the filter Present" }).click();
  await expect(page).toHaveURL(/\/inventory$/);
  await expect(state).toHaveValue("");
  await page.getByLabel("Search name or id").pressSequentially("bitlocker");
  await expect(page, "what is typed is searched for").toHaveURL(/inventory\?q=bitlocker$/);
  await expect(page.getByLabel("Search name or id")).toBeFocused();
  await expect(page.locator("#list-total")).toHaveText(/^[1-9]\d* items?$/);
});

test("other lists change in their place as well, and what is picked is what was picked", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await page.goto(`${server.url}/`);
  await hydrated(page);
  await page.evaluate(() => ((window as { same?: boolean }).same = true));
  const boxes = page.locator('.table tbody input[type="checkbox"]');
  await page.getByRole("checkbox", { name: "Pick Fabrikam" }).check();
  const search = page.getByLabel("Search tenants");
  await search.pressSequentially("Contoso");
  await expect(page).toHaveURL(/\?q=Contoso$/);
  await expect(page.getByRole("checkbox", { name: "Pick Fabrikam" })).toHaveCount(0);
  await expect(search, "whoever types goes on typing").toBeFocused();
  await expect(page.getByRole("checkbox", { name: "Pick Contoso" }), "it stands where the other one stood").not.toBeChecked();
  await search.fill("");
  await expect(page).toHaveURL(/\/$/);
  await expect(boxes.and(page.locator(":checked"))).toHaveCount(0);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/runs`);
  await hydrated(page);
  await page.evaluate(() => ((window as { same?: boolean }).same = true));
  const state = page.getByRole("combobox", { name: "State" });
  await state.selectOption({ label: "Succeeded" });
  await expect(page).toHaveURL(/state=/);
  await page.getByRole("link", { name: "Clear" }).click();
  await expect(page).toHaveURL(/\/runs$/);
  await expect(state).toHaveValue("");
  expect(await page.evaluate(() => (window as { same?: boolean }).same), "the page was not loaded again").toBe(true);
});

test("every column sorts in both directions and says so", async ({ page, server, viewport }) => {
  test.skip((viewport?.width ?? 0) < 640, "cards have no columns");
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/inventory?state=present`);
  await hydrated(page);
  await page.getByRole("button", { name: "Columns" }).click();
  for (const name of ["Category", "First seen", "ID"]) await page.locator("#columns").getByLabel(name, { exact: true }).check();
  await page.locator("#columns").getByRole("button", { name: "Save" }).click();
  await expect(page, "the list is the one that it was").toHaveURL(/inventory\?state=present$/);
  const heads = ["Name", "Type", "Category", "State", "Assigned to", "Platform", "Last modified", "Last seen", "First seen", "ID"];
  await expect(page.locator("thead a")).toHaveText(heads);
  await page.reload();
  await expect(page.locator("thead a"), "columns are kept").toHaveText(heads);
  await hydrated(page);
  for (const name of heads) {
    const head = page.locator("thead th", { hasText: new RegExp(`^${name}$`) });
    const link = head.locator("a");
    if (name !== "Name") await link.dispatchEvent("click");
    await expect(head).toHaveAttribute("aria-sort", "ascending");
    const ascending = await page.locator(".table tbody tr").first().innerText();
    await link.dispatchEvent("click");
    await expect(head).toHaveAttribute("aria-sort", "descending");
    await expect(page.locator(".table tbody tr").first(), name).not.toHaveText(ascending);
  }
});

test("several items are picked, exported, and their types read again", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await expect(page.getByRole("button", { name: /^Export .+ as CSV$/ })).toBeHidden();
  const boxes = page.locator('.table tbody input[type="checkbox"]');
  const every = page.locator('[data-all="picked"]');
  const names = await page.locator(".table tbody .title").allInnerTexts();
  await boxes.nth(1).check();
  await boxes.nth(3).check();
  expect(await every.evaluate((box: HTMLInputElement) => [box.checked, box.indeterminate]), "some of them").toEqual([false, true]);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export 2 items as CSV" }).click();
  const lines = (await (await (await download).createReadStream()).toArray()).join("").trim().split("\n");
  expect(lines).toHaveLength(3);
  for (const at of [1, 3]) expect(lines.join("\n")).toContain(names[at].trim());
  await page.getByRole("button", { name: "Sync these types" }).click();
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]{36}/);
});

test("grouped by whom they are assigned to, an item stands below each of them, and a heading goes on over pages", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/inventory?type=settingsCatalogPolicy`);
  await hydrated(page);
  const total = await page.locator("#list-total").innerText();
  await openFilters(page);
  await page.getByRole("combobox", { name: "Group by" }).selectOption({ label: "By assigned group" });
  await expect(page).toHaveURL(/group=assigned/);
  await expect(page.locator("#list-total"), "an item is counted once").toHaveText(total);
  await expect(page.locator(".table .group th").first()).toContainText("All users");
  const placed = new Map<string, number>();
  const told = new Map<string, number>();
  for (;;) {
    const groups = await page.locator(".table tbody").evaluateAll((bodies) =>
      bodies.map((body) => {
        const head = body.querySelector(".group th")!;
        const count = head.querySelector(".count")!.textContent!;
        return [head.textContent!.replace(count, ""), parseInt(count), body.querySelectorAll("tr").length - 1] as const;
      }),
    );
    for (const [head, count, rows] of groups) {
      told.set(head, count);
      placed.set(head, (placed.get(head) ?? 0) + rows);
    }
    const next = page.getByRole("link", { name: "Next" });
    if ((await next.count()) === 0) break;
    const here = page.url();
    await next.click();
    await expect(page).not.toHaveURL(here);
    await page.waitForLoadState();
  }
  expect(placed, "every heading has as many rows as it says").toEqual(told);
  const heads = [...told.keys()];
  const excluded = heads.filter((head) => head.startsWith("Excluded: "));
  expect(excluded.length).toBeGreaterThan(0);
  expect(heads.at(-1), "whoever is assigned to nobody comes last").toBe("Not assigned");
  await expectAccessible(page);
});

test("a group tells how many it has", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/inventory?group=category&type=settingsCatalogPolicy`);
  const total = await page.locator("#list-total").innerText();
  await expect(page.locator(".table .group")).toHaveCount(1);
  await expect(page.locator(".table .group .count")).toHaveText(total);
});

test("a view is saved under a name, found again, renamed and deleted", async ({ page, server }) => {
  await signIn(page, server, people.owner);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/inventory?state=present&sort=type`);
  await page.getByText("Save this view").click();
  await page.getByLabel("Name of the view").fill("What is there");
  await page.locator("#chips").getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The view is saved.")).toBeVisible();
  await page.goto(`${tenant}/inventory`);
  await page.getByRole("navigation", { name: "Saved views" }).getByRole("link", { name: "What is there" }).click();
  await expect(page).toHaveURL(/inventory\?state=present&sort=type$/);
  await page.getByText("Manage views").click();
  await page.getByLabel("New name of What is there").fill("All that is there");
  await page.getByRole("button", { name: "Rename What is there" }).click();
  await expect(page.getByRole("navigation", { name: "Saved views" }).getByRole("link", { name: "All that is there" })).toBeVisible();
  // On every page of the tenant it is in the navigation: below the pages on a desk, behind a button elsewhere.
  const views = page.getByRole("group", { name: "Saved views" });
  await page.goto(`${tenant}/runs`);
  await hydrated(page);
  const button = page.getByRole("button", { name: "Views", exact: true });
  if (await button.isVisible()) await button.click();
  await expect(views.getByRole("link")).toHaveText(["All that is there"]);
  await expect(views.locator("[aria-current]")).toHaveCount(0);
  await expectAccessible(page);
  await views.getByRole("link").click();
  await expect(page).toHaveURL(/inventory\?state=present&sort=type$/);
  await hydrated(page);
  const current = page.locator("#side-views [aria-current]");
  await expect(current).toHaveText("All that is there");
  await page.getByRole("link", { name: /^Remove the filter Present/ }).click();
  await expect(page).not.toHaveURL(/state=present/);
  await expect(current, "another list is another view").toHaveCount(0);
  await page.getByText("Manage views").click();
  await page.getByRole("button", { name: "Delete All that is there" }).click();
  await expect(page.getByText("The view is deleted.")).toBeVisible();
  await expect(page.getByRole("link", { name: "All that is there" })).toHaveCount(0);
});

test("the coverage is one stop for the Tab key, shows its tips on focus, and closes them by Escape", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await openCoverage(page);
  await page.locator("#coverage .skip-link").focus();
  await page.keyboard.press("Tab");
  const cells = page.getByRole("toolbar", { name: "Coverage" }).getByRole("button");
  await expect(cells.first()).toBeFocused();
  await expect(page.locator(".tip:popover-open")).toHaveCount(1);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(cells.nth(2)).toBeFocused();
  await expect(page.locator(".tip:popover-open")).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(page.locator(".tip:popover-open")).toHaveCount(0);
  await page.keyboard.press("End");
  await expect(cells.last()).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await expect(page.getByRole("toolbar", { name: "Coverage" }).locator(":focus"), "not one more stop for each cell").toHaveCount(0);
});

test("a menu stays open when the pointer passes a mark of the coverage on its way there", async ({ page, server, viewport }) => {
  test.skip((viewport?.width ?? 0) < 640, "a finger passes nothing");
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await openCoverage(page);
  const cell = page.getByRole("toolbar", { name: "Coverage" }).getByRole("button").first();
  await cell.hover();
  await expect(page.locator(".tip:popover-open")).toHaveCount(1);
  await page.getByRole("button", { name: "Columns" }).click();
  await cell.hover();
  await expect(page.locator("#columns")).toBeVisible();
  await expect(page.locator(".tip:popover-open")).toHaveCount(0);
});

test("an entry of the legend shows the items of its types alone", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Northwind");
  await hydrated(page);
  await openCoverage(page);
  await page.locator(".legend").getByRole("link", { name: /could not be read/ }).click();
  await expect(page).toHaveURL(/inventory\?coverage=failed$/);
  await expect(page.getByRole("link", { name: /^Remove the filter Types could not be read/ })).toBeVisible();
  await page.locator(".legend").getByRole("link", { name: /could not be read/ }).click();
  await expect(page).toHaveURL(/\/inventory$/);
});
