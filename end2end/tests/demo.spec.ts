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
    const rows = page.locator("#findings tbody tr");
    expect(await rows.count()).toBeGreaterThan(5);
    await expect(page.getByText(/types? (is|are) not comparable/)).toBeVisible();
    await expect(rows.filter({ hasText: "New again" }).filter({ hasText: "Accepted was content" })).toHaveCount(1);
    await expect(rows.filter({ hasText: /By: .*@northwind\.example/ }).first()).toBeVisible();
    await expect(rows.filter({ hasText: "Modified" }).filter({ hasText: "→" }).first()).toBeVisible();
    await expect(rows.filter({ hasText: "Settings not named" })).toHaveCount(0);
    await expectAccessible(page);

    // Another choice changes the list in its place.
    await page.evaluate(() => ((window as { same?: boolean }).same = true));
    await page.getByLabel("Status").selectOption({ label: "Accepted" });
    await expect(page).toHaveURL(/status=acknowledged/);
    await expect(rows).toHaveCount(1);
    await page.locator("#filters").getByRole("link", { name: "Clear" }).click();
    await expect(page).toHaveURL(/findings$/);
    await expect(rows.nth(5)).toBeVisible();
    expect(await page.evaluate(() => (window as { same?: boolean }).same), "the page was not loaded again").toBe(true);

    // Through the rows by keys, to what accepts one of them.
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

    await page.goto(`${findings}?status=acknowledged`);
    await hydrated(page);
    await expect(rows).toHaveCount(2);
    await page.keyboard.press("j");
    await page.keyboard.press("u");
    await expect(rows).toHaveCount(1);

    await page.goto(`${findings}?status=open&group=person`);
    await hydrated(page);
    const group = page.locator("details.finding-group").filter({ hasText: "@northwind.example" }).first();
    await group.locator("summary").click();
    await expect(group.getByRole("row").nth(1)).toBeVisible();
    await expectAccessible(page);

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
