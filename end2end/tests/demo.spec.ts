// What a newcomer finds after the first start: one tenant has moved on, and its findings tell what changed and who did it.
import { expect, expectAccessible, hydrated, people, Server, signIn, test } from "./fixtures";

test("the first start leaves findings with names and people, an accepted one, and one that came back", async ({ page }, info) => {
  test.skip(info.project.name !== "desktop", "one start is enough");
  test.setTimeout(240_000);
  const server = await Server.startMoving();
  try {
    await server.says("Query what was read");
    await signIn(page, server, people.operator);
    await page.goto(`${server.url}/`);
    await page.getByRole("link", { name: "Northwind", exact: true }).click();
    await page.waitForURL(/\/inventory$/);
    const findings = page.url().replace(/inventory$/, "findings");
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
  } finally {
    await server.discard();
  }
});
