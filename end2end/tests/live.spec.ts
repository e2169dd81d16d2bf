// The live stream through everything that happens to it: no network, a killed server, a hidden page, a session that ends.
import { demoPassword, expect, hydrated, metricsToken, openTenant, people, Server, signIn, test as base } from "./fixtures";
import type { Page } from "@playwright/test";

const test = base.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.discard();
    },
    { scope: "worker", timeout: 180_000 },
  ],
});
test.use({ expectedMessages: /net::ERR|Failed to load resource|status of 401|EventSource/ });

/** Starts a sync that stays where it is, with most types read, until the simulated cloud is told to go on. */
async function startEverything(page: Page, server: Server, email: string): Promise<string> {
  await signIn(page, server, email);
  const tenant = await openTenant(page, server, "Fabrikam");
  await hydrated(page);
  await server.simulate("hold", { path: "deviceManagement/configurationPolicies" });
  await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start sync" }).click();
  await expect(page.getByRole("progressbar")).toBeVisible();
  return tenant;
}

test.afterEach(({ server }) => server.simulate("release"));

test("a run is cancelled from its card", async ({ page, server }) => {
  await startEverything(page, server, people.operator);
  await page.getByRole("region", { name: "Runs in progress" }).getByRole("button", { name: "Cancel" }).click();
  const toast = page.getByRole("region", { name: "Everything: cancelled by you" });
  await expect(toast).toContainText(/\d+ of \d+ types read/);
  await expect(toast, "what a person stopped is no alarm").toHaveAttribute("data-tone", "idle");
});

test("a cancel that does not reach the server says so and stays", async ({ page, server }) => {
  await startEverything(page, server, people.operator);
  const widget = page.getByRole("region", { name: "Runs in progress" });
  await page.context().setOffline(true);
  await widget.getByRole("button", { name: "Cancel" }).click();
  await expect(widget.getByRole("alert")).toContainText("Not cancelled: the server cannot be reached.");
  await expect(widget.getByRole("button", { name: "Cancel" })).toBeEnabled();
  await page.context().setOffline(false);
  await widget.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("region", { name: "Everything: cancelled by you" })).toBeVisible();
});

test("a run goes with its person to every page, and stands on the inventory of the others", async ({ page, server, browser }) => {
  const tenant = await startEverything(page, server, people.operator);
  const widget = page.getByRole("region", { name: "Runs in progress" });
  for (const address of ["/", "/me", "/notifications"]) {
    await page.goto(`${server.url}${address}`);
    await expect(widget.getByRole("progressbar", { name: "Everything, Fabrikam" })).toBeVisible();
    await expect(page.getByRole("link", { name: /^Notifications/ })).toBeVisible();
  }
  const elsewhere = await openTenant(page, server, "Contoso");
  await expect(widget.getByRole("progressbar", { name: "Everything, Fabrikam" })).toBeVisible();

  const other = await (await browser.newContext()).newPage();
  await signIn(other, server, people.readonly);
  await other.goto(`${tenant}/inventory`);
  const line = other.locator("#readers");
  await expect(line).toContainText(/is reading Everything: \d+ of \d+ types/);
  await expect(other.getByRole("region", { name: "Runs in progress" })).toBeHidden();
  await other.goto(`${elsewhere}/inventory`);
  await expect(line).toBeEmpty();

  await page.goto(`${server.url}/me`);
  await hydrated(page);
  await widget.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("region", { name: "Everything: cancelled by you, Fabrikam" })).toBeVisible();
  await other.context().close();
});

test("a row of the tenants ticks and stays picked", async ({ page, server }) => {
  await startEverything(page, server, people.operator);
  await page.goto(`${server.url}/`);
  await hydrated(page);
  const row = page.locator("tr", { has: page.getByRole("link", { name: "Fabrikam", exact: true }) });
  await row.getByRole("checkbox", { name: "Pick Fabrikam" }).check();
  await expect(row.getByRole("progressbar")).toBeVisible();
  await server.simulate("release");
  await expect(row.getByRole("progressbar")).toHaveCount(0);
  await expect(row.getByRole("checkbox", { name: "Pick Fabrikam" })).toBeChecked();
});

test("a selection that is being read already leads to its run, and the page says so", async ({ page, server }) => {
  const tenant = await startEverything(page, server, people.operator);
  const run = await page.getByRole("region", { name: "Runs in progress" }).getByRole("link").first().getAttribute("href");
  await page.locator(".page-head").getByRole("link", { name: "Sync" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start sync" }).click();
  await expect(page).toHaveURL(`${server.url}${run}?done=already`);
  await expect(page.getByText(/already running/)).toBeVisible();
  await page.goto(`${tenant}/sync`);
  await hydrated(page);
  await page.getByRole("button", { name: "Start sync" }).press("Enter");
  await expect(page).toHaveURL(`${server.url}${run}?done=already`);
  await page.locator(".page-head").getByRole("button", { name: "Cancel" }).click();
  await expect(page.locator(".page-head").getByText("Cancelled by you")).toBeVisible();
});

test("a page without runs of its own says that it reconnects, too", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await page.context().setOffline(true);
  await expect(page.getByText("Reconnecting")).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByText("Reconnecting")).toBeHidden();
});

test("the page of a run tells what was seen so far, and not only at the end", async ({ page, server }) => {
  const tenant = await startEverything(page, server, people.operator);
  await page.goto(`${tenant}/runs`);
  await page.getByRole("main").getByRole("link", { name: "Everything" }).first().click();
  await expect(page.getByRole("region", { name: "Facts" })).toContainText(/[1-9][\d,]* seen/);
  await expect(page.locator(".page-head").getByText("Running")).toBeVisible();
  await page.locator(".page-head").getByRole("button", { name: "Cancel" }).click();
  await expect(page.locator(".page-head").getByText("Cancelled by you")).toBeVisible();
});

test("a page on which nothing moved is fetched once", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const tenant = await openTenant(page, server, "Contoso");
  const pages: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/inventory")) pages.push(request.url());
  });
  await page.goto(`${tenant}/inventory`);
  await page.locator("html[data-connected]").waitFor({ state: "attached" });
  // Whatever the snapshot set off was asked for before this.
  await page.evaluate(() => fetch("/healthz"));
  expect(pages).toHaveLength(1);
});

test("a refresh takes neither marked text nor an opened list, nor the focus", async ({ page, server }) => {
  const tenant = await startEverything(page, server, people.operator);
  await page.goto(`${tenant}/inventory`);
  await hydrated(page);
  const title = page.locator(".table tbody .title").nth(2);
  await title.selectText();
  const marked = await page.evaluate(() => String(getSelection()));
  expect(marked).not.toBe("");
  const refreshed = page.waitForResponse((response) => response.url() === `${tenant}/inventory` && response.request().headers()["x-tenantatlas-by-itself"] === "1");
  await server.simulate("release");
  await refreshed;
  await expect(page.getByRole("region", { name: /^Everything: / })).toBeVisible();
  expect(await page.evaluate(() => String(getSelection())), "the text is still marked").toBe(marked);
});

test("without a network the page says that it reconnects, and catches up by itself", async ({ page, server }) => {
  await startEverything(page, server, people.operator);
  await page.context().setOffline(true);
  await expect(page.getByText("Reconnecting")).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByText("Reconnecting")).toBeHidden();
  await server.simulate("release");
  await expect(page.getByRole("region", { name: /^Everything: / })).toBeVisible();
});

test("a server that is killed while the widget is open goes on with the run, and the page with it", async ({ page, server }, info) => {
  test.skip(info.project.name === "phone", "the lease takes half a minute to end, of whatever size the page is");
  await startEverything(page, server, people.manager);
  await server.stop("SIGKILL");
  await expect(page.getByText("Reconnecting")).toBeVisible();
  await server.launch();
  await expect(page.getByText("Reconnecting")).toBeHidden();
  // The lease of the killed process runs out after half a minute; then the run is taken up again.
  await expect(page.getByRole("region", { name: /^Everything: (succeeded|partially|failed)/ })).toBeVisible({ timeout: 120_000 });
  await page.goto(page.url());
  await hydrated(page);
  await expect(page.getByRole("region", { name: "Runs in progress" })).toBeHidden();
});

test("a hidden page gives its stream back and takes it again when it is seen", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  const open = async () => {
    const metrics = await (await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } })).text();
    return Number(/^event_streams_open (\d+)/m.exec(metrics)?.[1]);
  };
  await openTenant(page, server, "Contoso");
  await hydrated(page);
  await expect.poll(open).toBe(1);
  const show = (state: string) =>
    page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await show("hidden");
  await expect.poll(open).toBe(0);
  await show("visible");
  await expect.poll(open).toBe(1);
});

test("a session that ends in the middle of work leads to the sign-in page and back", async ({ page, server, browser }) => {
  await signIn(page, server, people.owner);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/runs`);
  await hydrated(page);
  const elsewhere = await (await browser.newContext()).newPage();
  await signIn(elsewhere, server, people.owner);
  await elsewhere.goto(`${server.url}/me`);
  await elsewhere.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(elsewhere).toHaveURL(/\/sign-in$/);
  await elsewhere.context().close();
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.getByLabel("E-mail").fill(people.owner);
  await page.getByLabel("Password").fill(demoPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(`${tenant}/runs`);
});
