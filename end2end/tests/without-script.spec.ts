// Everything works without JavaScript and without WebAssembly.
import { demoPassword, dropSession, expect, expectFieldRefused, oneTimeCode, openFilters, openTenant, people, signIn, test } from "./fixtures";

test("a wrong password is told, the right one signs in, and signing out ends it", async ({ page, server }) => {
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail").fill(people.manager);
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("Sign-in failed");
  await page.getByLabel("E-mail").fill(people.manager);
  await page.getByLabel("Password").fill(demoPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/sign-in");
  await page.getByRole("button", { name: /account of/i }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
});

test("filter, sync with a form, see the run, mark its notifications as read", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  const tenant = await openTenant(page, server, "Contoso");
  await page.getByLabel("Search name or id").fill("bitlocker");
  await openFilters(page);
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page, "fields that are empty leave the address without a script, too").toHaveURL(/inventory\?q=bitlocker$/);
  await page.waitForLoadState();
  for (const name of await page.locator(".table tbody .title").allInnerTexts()) {
    expect(name.toLowerCase()).toContain("bitlocker");
  }
  await page.goto(`${tenant}/inventory`);
  await page.getByRole("link", { name: "Sync", exact: true }).click();
  await expect(page).toHaveURL(/\/sync$/);
  await page.getByRole("link", { name: "Only foundations" }).click();
  await expect(page).toHaveURL(/preset=foundations/);
  await page.getByRole("button", { name: "Start sync" }).click();
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]{36}/);
  await expect(async () => {
    await page.reload();
    await expect(page.locator("#run-head").getByText("Succeeded")).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await page.getByRole("link", { name: /Notifications, \d+ unread/ }).click();
  await expect(page).toHaveURL(/\/notifications/);
  await page.waitForLoadState();
  await expect(page.getByRole("link", { name: /^\d+ foundations: succeeded/ }).first()).toBeVisible();
  const marks = page.getByRole("button", { name: /^Mark as read: / });
  const unread = await marks.count();
  expect(unread).toBeGreaterThan(0);
  await marks.first().click();
  await expect(page).toHaveURL(`${tenant}/notifications`);
  await expect(marks).toHaveCount(unread - 1);
  if (unread > 1) await page.getByRole("button", { name: "Mark all as read" }).click();
  await expect(page.getByText("Nothing unread.")).toBeVisible();
});

test("several tenants are picked and synced by a form, and each is answered for", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await openTenant(page, server, "Contoso");
  await page.goto(`${server.url}/`);
  const names = () => page.locator(".tenants tbody .title a").allInnerTexts();
  for (const [head, first, second] of [["Last sync", "failed", "failed-last"], ["Last read", "oldest", "newest"], ["Tenant", "name", "name-desc"]]) {
    const column = page.getByRole("columnheader", { name: head, exact: true });
    await column.getByRole("link").click();
    await expect(page).toHaveURL(`${server.url}/?sort=${first}`);
    await expect(column).toHaveAttribute("aria-sort", "ascending");
    await column.getByRole("link").click();
    await expect(page).toHaveURL(`${server.url}/?sort=${second}`);
    await expect(column).toHaveAttribute("aria-sort", "descending");
  }
  expect(await names()).toEqual([...(await names())].sort().reverse());
  await page.goto(`${server.url}/?sort=name`);
  await page.getByRole("checkbox", { name: "Pick Contoso" }).check();
  await page.getByRole("checkbox", { name: "Pick Fabrikam" }).check();
  await page.getByRole("button", { name: "Sync these tenants" }).click();
  await expect(page).toHaveURL(/sort=name&started=/);
  await expect(page.getByRole("main").getByRole("status")).toHaveText("Started: Contoso, Fabrikam.");
  await page.getByRole("button", { name: "Sync these tenants" }).click();
  await expect(page.getByText("Pick at least one tenant.")).toBeVisible();
  await openTenant(page, server, "Fabrikam");
});

test("the profile and the colours are changed by forms", async ({ page, server }) => {
  await signIn(page, server, people.readonly);
  await page.goto(`${server.url}/me`);
  await page.getByLabel("Your name").fill("Remy R. Reader");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Your name is saved.")).toBeVisible();
  await expect(page.getByLabel("Your name")).toHaveValue("Remy R. Reader");
  await page.getByRole("main").getByRole("button", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("a second factor is set up, asked for and taken away, and a password confirmed, by forms", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await page.goto(`${server.url}/confirm?next=/me/second-factor`);
  await expect(page.getByLabel("Show what I type"), "it would do nothing").toBeHidden();
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expectFieldRefused(page, page.getByLabel("Password"), /not the one you sign in with/);
  await page.goto(`${server.url}/confirm?next=/me/second-factor`);
  await page.getByLabel("Password").fill(demoPassword);
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page).toHaveURL(/\/me\/second-factor$/);
  await page.getByRole("button", { name: "Begin" }).click();
  const key = (await page.locator(".secret-text").first().innerText()).replace(/\s/g, "");
  const codes = await page.locator(".recovery-codes code").allInnerTexts();
  await page.getByLabel("First code").fill(oneTimeCode(key));
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByText(/is asked for at every sign-in from now on/)).toBeVisible();
  await dropSession(page);
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail").fill(people.operator);
  await page.getByLabel("Password").fill(demoPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Code").fill(codes[0]);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  await page.goto(`${server.url}/me/second-factor`);
  await page.getByLabel("Code", { exact: true }).fill(codes[1]);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByText("The second factor is removed.")).toBeVisible();
});

test("a member is removed after a question and comes back, somebody is invited, and a credential shows its own fields, by forms", async ({ page, server }, info) => {
  await signIn(page, server, people.owner);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/settings/members`);
  await page.getByRole("button", { name: "Remove Remy", exact: false }).first().click();
  const question = page.getByRole("dialog", { name: /Remove Remy/ });
  await expect(question).toBeVisible();
  await question.getByRole("button", { name: /Yes, remove/ }).click();
  await expect(page.getByText(/The member is removed/)).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText(/with the same role as before/)).toBeVisible();
  const email = `invited-${info.project.name}@demo.example`;
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.locator("#invitation-link")).toContainText("/invitation/");
  await page.getByRole("button", { name: `Take back the invitation of ${email}` }).click();
  await expect(page.getByText(/The invitation is taken back/)).toBeVisible();

  await page.goto(`${tenant}/settings`);
  await expect(page.getByRole("textbox", { name: "Client secret" })).toBeVisible();
  await page.getByRole("radio", { name: /Certificate/ }).check();
  await expect(page.getByRole("textbox", { name: "Client secret" })).toBeHidden();
  await expect(page.getByLabel("Certificate (PEM)")).toBeVisible();
});

test("a link to the next page, a wrong value, and a place that is not there", async ({ page, server }) => {
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Fabrikam");
  await page.getByRole("link", { name: "Next" }).click();
  await expect(page).toHaveURL(/after=/);
  await page.goto(`${tenant}/settings`);
  await page.getByLabel("Application (client) id").fill("not a guid");
  await page.getByRole("button", { name: "Save" }).click();
  await expectFieldRefused(page, page.getByLabel("Application (client) ID"), /Application \(client\) ID must be a GUID/);
  expect((await page.goto(`${tenant}/runs/nothing`))?.status()).toBe(404);
});
test("a schedule that is refused keeps what was typed, and an endpoint is changed, by forms", async ({ page, server }, info) => {
  const name = `By hand on ${info.project.name}`;
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/schedules`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("When", { exact: true }).selectOption("weekly");
  await page.getByLabel("Time of day").fill("04:15");
  await page.getByLabel("Tuesday").check();
  const zone = page.getByRole("combobox", { name: "Time zone" });
  await zone.fill("Europe/Atlantis");
  await page.getByRole("button", { name: "Add the schedule" }).click();
  await expectFieldRefused(page, zone, /IANA/);
  await expect(page, "the page is that of the form, and nothing that was typed stands in its address").toHaveURL(new RegExp(`${tenant}/schedules\\?(?!.*Atlantis)`));
  await expect(zone).toHaveValue("Europe/Atlantis");
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue(name);
  await expect(page.getByLabel("When", { exact: true })).toHaveValue("weekly");
  await expect(page.getByLabel("Time of day")).toHaveValue("04:15");
  await expect(page.getByLabel("Tuesday")).toBeChecked();
  await zone.fill("Europe/Nowhere");
  await page.getByRole("button", { name: "Add the schedule" }).click();
  await expect(page.getByLabel("Time of day"), "a second time as well").toHaveValue("04:15");
  await zone.fill("Europe/Berlin");
  await page.getByRole("button", { name: "Add the schedule" }).click();
  await expect(page.getByText("The schedule is added.")).toBeVisible();
  await page.getByRole("button", { name: `Remove ${name}` }).click();
  await expect(page.getByText("The schedule is removed.")).toBeVisible();

  await page.goto(`${tenant}/settings/endpoints`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Address", { exact: true }).fill("http://127.0.0.1:9/hook?sig=a-right");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("status").filter({ hasText: "It is shown only now." })).toBeVisible();
  await page.getByRole("link", { name: `Change ${name}` }).click();
  await expect(page.getByRole("heading", { name: "Change the endpoint" })).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill(`${name}, renamed`);
  for (const box of await page.getByRole("group", { name: "Events" }).getByRole("checkbox").all()) await box.uncheck();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: "must name one or more" })).toBeVisible();
  await expect(page.getByLabel("Name", { exact: true }), "it is kept").toHaveValue(`${name}, renamed`);
  await page.getByRole("group", { name: "Events" }).getByRole("checkbox").first().check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("link", { name: `${name}, renamed`, exact: true })).toBeVisible();
  await page.getByRole("button", { name: `Remove ${name}, renamed` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Yes, remove it" }).click();
  await expect(page.getByText(`${name}, renamed`)).toHaveCount(0);
});

// The answer 404 itself is a message of the console.
test.use({ expectedMessages: /status of 404/ });
