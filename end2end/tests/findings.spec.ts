// What is decided about many findings at once.
import { expect, expectAccessible, hydrated, openTenant, people, Server, signIn, test } from "./fixtures";

test("more than a hundred findings are accepted at once only when their number is typed", async ({ page }, info) => {
  test.skip(info.project.name !== "desktop", "one cloud that moves on is enough");
  const server = await Server.start("--demo-objects", "1500");
  try {
    await signIn(page, server, people.operator);
    const tenant = await openTenant(page, server, "Contoso");
    await server.simulate("evolve", { steps: 8 });
    await page.goto(`${tenant}/sync`);
    await hydrated(page);
    await page.getByRole("button", { name: "Start sync" }).press("Enter");
    await page.waitForURL(/\/runs\//);
    const all = page.getByLabel(/^All \d+ that the filter finds/);
    await expect(async () => {
      await page.goto(`${tenant}/findings`);
      await expect(all).toHaveCount(1, { timeout: 1_000 });
    }).toPass();
    await hydrated(page);

    // No page holds them all: the filter does.
    const total = Number(/^All (\d+) /.exec((await page.locator("label", { has: all }).innerText()).trim())![1]);
    expect(total).toBeGreaterThan(100);
    await page.getByLabel("Pick all that are shown").check();
    await expect(page.getByLabel("Why this is all right")).toBeInViewport();
    await expectAccessible(page);

    const decide = async (number: string) => {
      await page.getByLabel("Why this is all right").fill("moved on purpose");
      await all.check();
      await page.getByLabel("For more than 100: type how many they are").fill(number);
      await page.getByRole("button", { name: "Accept", exact: true }).click();
    };
    for (const wrong of ["", String(total - 1)]) {
      await decide(wrong);
      await expect(page.getByText(`Confirmation must be ${total}, the number of findings`)).toBeVisible();
      await page.goto(`${tenant}/findings`);
      await hydrated(page);
      await expect(all, "nothing was accepted").toHaveCount(1);
      await page.getByLabel("Pick all that are shown").check();
    }
    await decide(String(total));
    await expect(page.getByRole("status").filter({ hasText: /accepted/i })).toBeVisible();
    await expect(page.getByText("Nothing new")).toBeVisible();
    await page.goto(`${tenant}/findings?status=acknowledged`);
    await expect(page.getByText(`All ${total} that the filter finds`)).toHaveCount(1);
  } finally {
    await server.discard();
  }
});
