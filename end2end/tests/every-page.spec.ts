// Every page, in both themes and at every size: nothing keeps anybody out, nothing runs over the edge, nothing is loaded
// that can wait, and the console stays silent (the fixture sees to that).
import { expect, expectAccessible, hydrated, openTenant, people, signIn, test } from "./fixtures";

for (const theme of ["light", "dark"] as const) {
  test(`every page is whole in the ${theme} theme`, async ({ page, server }) => {
    test.setTimeout(900_000);
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(`${server.url}/sign-in`);
    await expectWhole();
    await signIn(page, server, people.admin);
    const tenant = await openTenant(page, server, "Northwind");
    const item = await page.locator(".table tbody .title a").first().getAttribute("href");
    await page.goto(`${tenant}/runs`);
    const run = await page.locator(".table tbody .title a").first().getAttribute("href");
    const pages = [
      `${server.url}/`,
      `${tenant}/inventory`,
      `${tenant}/inventory?state=missing`,
      `${server.url}${item}`,
      `${tenant}/sync`,
      `${tenant}/runs`,
      `${server.url}${run}`,
      `${tenant}/audit`,
      `${tenant}/notifications`,
      `${tenant}/settings`,
      `${tenant}/settings/members`,
      `${server.url}/me`,
      `${server.url}/me/second-factor`,
      `${server.url}/confirm`,
      `${server.url}/admin/users`,
      `${server.url}/admin/tenants/new`,
      `${server.url}/admin/tenants`,
      `${server.url}/notifications`,
    ];
    for (const address of pages) {
      await test.step(address, async () => {
        await page.goto(address);
        await expectWhole();
      });
    }

    async function expectWhole() {
      await hydrated(page);
      await expect(page.locator("h1")).toHaveCount(1);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(over, "nothing runs over the edge").toBeLessThanOrEqual(0);
      const built = await page.evaluate(() =>
        performance.getEntriesByType("resource").filter(({ name }) => /\/pkg\/.*\.(js|wasm)$/.test(name)).map(({ name }) => name.replace(/.*\./, "")),
      );
      expect(built.sort(), "no part of the module is loaded before somebody asks for it").toEqual(["js", "wasm"]);
      await expectAccessible(page);
    }
  });
}

test("what is not there says so, in its frame and with its status", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Contoso");
  const none = "00000000-0000-7000-8000-000000000000";
  for (const [address, status] of [
    [`${server.url}/nothing/here`, 404],
    [`${server.url}/t/${none}/inventory`, 404],
    [`${tenant}/inventory/${none}`, 404],
    [`${tenant}/runs/${none}`, 404],
    [`${tenant}/sync`, 403],
    [`${server.url}/admin/users`, 403],
  ] as const) {
    const answer = await page.goto(address);
    expect(answer?.status(), address).toBe(status);
    await expect(page.locator("h1")).toHaveText(status === 404 ? "Not on this map" : "Your role does not reach here");
    await hydrated(page);
    await expectAccessible(page);
  }
});
test.use({ expectedMessages: /status of 40[34]/ });
