// Every page, in both themes and at every size: nothing keeps anybody out, nothing runs over the edge, nothing is loaded
// that can wait, and the console stays silent (the fixture sees to that).
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { executable } from "../chromium";
import { expect, expectAccessible, expectContrast, hydrated, openTenant, people, signIn, test } from "./fixtures";

// Every page for people who are signed in, as the application declares it: a new one is looked at without being listed here.
const routes = readFileSync(new URL("../../app/src/routes.rs", import.meta.url), "utf8");
const declared = [...routes.matchAll(/^ {4}"(\/\S*)" => \S+, Rule::(?!Public)/gm)].map(([, path]) => path);

function idIn(address: string | null): string {
  return address!.split("?")[0].split("/").pop()!;
}

/** Sees to it that a policy has a version. */
async function keepVersion(page: Page, item: string): Promise<void> {
  await page.goto(item);
  await hydrated(page);
  if (await page.getByRole("link", { name: "Version 1", exact: true }).isVisible()) return;
  await page.getByRole("button", { name: "Keep a version now" }).click();
  await expect(page.getByText(/^1 object read: /)).toBeVisible();
}

/** Sees to it that the tenant has a schedule; answers its address. */
async function keepSchedule(page: Page, tenant: string): Promise<string> {
  await page.goto(`${tenant}/schedules`);
  await hydrated(page);
  const first = page.locator(".table tbody .title a").first();
  if (!(await first.isVisible())) {
    await page.getByLabel("Name", { exact: true }).fill("Nightly");
    await page.getByRole("button", { name: "Add the schedule" }).click();
    await expect(page.getByText("The schedule is added.")).toBeVisible();
  }
  return (await first.getAttribute("href"))!;
}

test("the pages are read from where they are declared", () => {
  expect(declared).toContain("/t/:tenant/settings/members");
  expect(declared.length).toBeGreaterThan(15);
});

// The rules of accessibility are checked on a desk and a phone, those of colours in both themes. What axe reads is the same in
// the other ways, in which the question is what fits.
for (const [way, media, size, rules] of [
  ["in the light theme", { colorScheme: "light" }, undefined, expectAccessible],
  ["in the dark theme", { colorScheme: "dark" }, undefined, expectContrast],
  ["in forced colors", { forcedColors: "active" }, undefined, undefined],
  // 1280 by 1024 at 400 %: WCAG 1.4.10.
  ["magnified to 400 %", {}, { width: 320, height: 256 }, undefined],
  ["on a tablet", {}, { width: 820, height: 1180 }, undefined],
] as const) {
  test(`every page is whole ${way}`, async ({ page, server }, info) => {
    test.skip(size !== undefined && info.project.name !== "desktop", "the size is its own");
    test.setTimeout(900_000);
    await page.emulateMedia(media);
    if (size) await page.setViewportSize(size);
    await page.goto(`${server.url}/sign-in`);
    await expectWhole();
    await signIn(page, server, people.admin);
    const tenant = await openTenant(page, server, "Northwind");
    await page.goto(`${tenant}/inventory?type=settingsCatalogPolicy`);
    // The last: versions.spec.ts counts the versions of the first ones, and may share the server.
    const item = await page.locator(".table tbody .title a").last().getAttribute("href");
    await keepVersion(page, new URL(item!, server.url).href);
    await page.goto(`${tenant}/runs`);
    const run = await page.locator(".table tbody .title a").first().getAttribute("href");
    const schedule = await keepSchedule(page, tenant);
    const ids: Record<string, string> = {
      tenant: idIn(tenant), item: idIn(item), run: idIn(run), schedule: idIn(schedule), group: "all-devices", version: "1",
    };
    const idOf = (name: string) => {
      expect(Object.keys(ids), "what stands for it in an address?").toContain(name);
      return ids[name];
    };
    const pages = [
      ...declared.map((path) => server.url + path.replace(/:(\w+)/g, (_, name: string) => idOf(name))),
      // The same with something else to show.
      `${tenant}/inventory?group=type&coverage=read&q=a`,
      `${tenant}/inventory?state=missing`,
      `${tenant}/groups/none`,
      `${tenant}/policy-settings?q=block`,
      `${server.url}/settings?q=block`,
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
      const sideways = await page.locator(".table-wrap").evaluateAll((tables) =>
        tables.filter((table) => table.scrollWidth > table.clientWidth && getComputedStyle(table).overflowX === "auto").length,
      );
      expect(sideways, "no table is moved sideways to be read").toBe(0);
      const unfolded = await page.evaluate(() => {
        const folded = [...document.querySelectorAll<HTMLDetailsElement>(":is(.folds, .disclosure):not([open])")];
        for (const fold of folded) fold.open = true;
        const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        for (const fold of folded) fold.open = false;
        return over;
      });
      expect(unfolded, "nor when everything that folds lies open").toBeLessThanOrEqual(0);
      const boxes = await page.evaluate(() => {
        // Words of the frame, such as that of the navigation at the side, put whatever else has them over the page.
        const frame = new Set([...document.querySelectorAll(".frame > :is(header, nav, main, .skip)")].flatMap((part) => [...part.classList]));
        const strayed = [...document.querySelectorAll("#main [class]")].filter((one) => [...one.classList].some((word) => frame.has(word)));
        const icons = [...document.querySelectorAll('svg[viewBox="0 0 24 24"]')].filter((one) => {
          const { width, height } = one.getBoundingClientRect();
          return Math.max(width, height) > (one.matches(".empty > *") ? 48 : 32);
        });
        const told = (one: Element) => `${one.parentElement!.tagName}.${one.parentElement!.getAttribute("class")} ${one.outerHTML.slice(0, 80)}`;
        return { strayed: strayed.map(told), icons: icons.map(told) };
      });
      expect(boxes.strayed, "nothing on a page is taken for a part of the frame").toEqual([]);
      expect(boxes.icons, "no icon is drawn larger than one").toEqual([]);
      const built = await page.evaluate(() =>
        performance.getEntriesByType("resource").filter(({ name }) => /\/pkg\/.*\.(js|wasm)$/.test(name)).map(({ name }) => name.replace(/.*\./, "")),
      );
      expect(built.sort(), "no part of the module is loaded before somebody asks for it").toEqual(["js", "wasm"]);
      await rules?.(page);
    }
  });
}

test("in forced colors the cells of the coverage are told apart by a sign", async ({ page, server }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Northwind");
  const signs = await page.locator(".coverage .cell").evaluateAll((cells) =>
    cells.map((cell) => [(cell as HTMLElement).dataset.mark!, getComputedStyle(cell, "::before").content.split(" / ")[0]]),
  );
  const of = new Map(signs as [string, string][]);
  expect(of.size, "several outcomes are there").toBeGreaterThan(1);
  expect(new Set(of.values()).size, JSON.stringify([...of])).toBe(of.size);
});

test("on paper there is the page and nothing to press", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Contoso");
  await page.emulateMedia({ media: "print" });
  await expect(page.locator(".top")).toBeHidden();
  await expect(page.locator(".side")).toBeHidden();
  await expect(page.locator(".filters")).toBeHidden();
  await expect(page.locator(".table tbody tr").first()).toBeVisible();
});

test("notifications are told in the zone of the person, as other times are", async ({ page, browser, server }) => {
  await signIn(page, server, people.owner);
  // A second browser of theirs is told to them.
  const far = await (await browser.newContext({ timezoneId: "Pacific/Kiritimati", locale: "en-GB" })).newPage();
  await signIn(far, server, people.owner);
  await far.goto(`${server.url}/notifications`);
  await hydrated(far);
  const time = far.locator(".notification time").first();
  await expect(time).toHaveText(/^(just now|\d+ (min|h) ago)$/);
  await expect(time).toHaveAttribute("title", /\(UTC\+14\), .* UTC$/);
  await far.context().close();
});

test("an open drawer reaches the edge where scroll bars take room, and the page stays in its place", async ({ playwright, server }, info) => {
  test.skip(info.project.name !== "desktop", "scroll bars of a phone take no room");
  const options = { executablePath: executable, args: ["--no-sandbox"], ignoreDefaultArgs: ["--hide-scrollbars"] };
  const browser = await playwright.chromium.launch(options);
  const page = await browser.newPage();
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  const measure = () =>
    page.evaluate(() => ({
      room: innerWidth - document.documentElement.clientWidth,
      top: innerWidth - document.querySelector(".top")!.getBoundingClientRect().right,
      main: document.querySelector("#figures")!.getBoundingClientRect().right,
    }));
  const before = await measure();
  expect(before.room, "a scroll bar takes room").toBeGreaterThan(0);
  await page.getByRole("link", { name: /^Notifications/ }).click();
  const drawer = page.getByRole("dialog", { name: "Notifications" });
  await expect(drawer).toBeVisible();
  await expect.poll(() => drawer.evaluate((one) => innerWidth - one.getBoundingClientRect().right)).toBe(0);
  const open = await measure();
  expect([open.room, open.top]).toEqual([0, 0]);
  expect(open.main, "nothing moves below it").toBeCloseTo(before.main, 0);
  await browser.close();
});

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
    await expect(page.locator("h1")).toHaveText(status === 404 ? "Not found" : "No access");
    expect(await page.locator("#request-id").innerText(), "what to report").toBe(answer?.headers()["x-request-id"]);
    await hydrated(page);
    await expect(page.getByRole("link", { name: /^Notifications/ }), "what is live is there as on any page").toBeVisible();
    await expectAccessible(page);
  }
  await page.goto(`${tenant}/inventory/${none}`);
  await page.getByRole("link", { name: "Back to Inventory" }).click();
  await expect(page).toHaveURL(`${tenant}/inventory`);
});
test.use({ expectedMessages: /status of 40[34]/ });
