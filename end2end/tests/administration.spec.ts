// Connections, members, people and one's own profile.
import { demoPassword, expect, expectAccessible, expectFieldRefused, hydrated, openTenant, people, signIn, test } from "./fixtures";

test.use({ expectedMessages: /status of 4(09|22)/ });

test("a connection is edited by a manager; a wrong value is refused and nothing typed is lost", async ({ page, server }) => {
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/settings`);
  await hydrated(page);
  const id = page.getByLabel("Application (client) id");
  const right = await id.inputValue();
  await id.fill("not a guid");
  await page.getByLabel("Environment").selectOption("staging");
  await page.getByRole("button", { name: "Save" }).click();
  await expectFieldRefused(page, id, /Application \(client\) ID must be a GUID/);
  await expect(id).toHaveValue("not a guid");
  await id.fill(right);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").getByText(/connection is saved/)).toBeVisible();
  await expect(page.getByRole("button", { name: /Contoso/ })).toContainText(/staging/i);
});

test("the connection check names each missing permission with the types that need it, in one result", async ({ page, server }) => {
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Northwind");
  await page.goto(`${tenant}/settings`);
  await hydrated(page);
  await page.getByRole("button", { name: "Check the connection" }).click();
  // The page stays, follows the check, and has its result when it has ended.
  const connection = page.getByRole("region", { name: "Connection" });
  await expect(connection.getByText("The connection works, but permissions are missing.")).toBeVisible();
  await expect(connection.locator(".note")).toHaveCount(1);
  await expect(connection.getByText("DeviceManagementRBAC.Read.All")).toBeVisible();
  await expect(connection.getByText(/needed by .*Scope tags/)).toBeVisible();
  await page.goto(`${tenant}/sync`);
  await expect(page.getByText("DeviceManagementRBAC.Read.All").first()).toBeVisible();
});

test("the checks of a connection tick while they are made", async ({ page, server }) => {
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/settings`);
  await hydrated(page);
  await server.simulate("hold", { path: "deviceManagement/deviceConfigurations" });
  await page.getByRole("button", { name: "Check the connection" }).click();
  const connection = page.getByRole("region", { name: "Connection" });
  await expect(connection.getByText(/Checking the connection: \d+ of \d+ checks done/)).toBeVisible();
  await expect(connection.getByText("Permission GroupMember.Read.All")).toBeVisible();
  await server.simulate("release");
  await expect(connection.getByText("The connection works.")).toBeVisible();
  await expect(connection.getByText(/All \d+ permissions of the full inventory are granted/)).toBeVisible();
});

test("members come, change and go; a reader can only look", async ({ page, server, browser }) => {
  const reader = await (await browser.newContext()).newPage();
  await signIn(reader, server, people.readonly);
  const tenant = await openTenant(reader, server, "Contoso");
  await reader.goto(`${tenant}/settings/members`);
  await hydrated(reader);
  await expect(reader.getByRole("button", { name: /Remove/ })).toHaveCount(0);

  await signIn(page, server, people.owner);
  await page.goto(`${tenant}/settings/members`);
  await hydrated(page);
  const remove = page.getByRole("button", { name: "Remove Remy Reader", exact: true });
  await remove.click();
  const question = page.getByRole("dialog", { name: "Remove Remy Reader?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(question).toBeHidden();
  await remove.click();
  await question.getByRole("button", { name: "Yes, remove Remy Reader" }).click();
  await expect(page.getByRole("status").getByText(/The member is removed/)).toBeVisible();
  await hydrated(page);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("status").getByText(/with the same role as before/)).toBeVisible();
  expect((await reader.goto(`${tenant}/settings/members`))?.status(), "back again").toBe(200);
  await hydrated(reader);
  await hydrated(page);
  await page.getByLabel("E-mail").fill(people.readonly);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("alert").getByText("Remy Reader is a member already, with the role Read only.")).toBeVisible();
  await remove.click();
  await question.getByRole("button", { name: "Yes, remove Remy Reader" }).click();
  await expect(page.getByText("Remy Reader")).toHaveCount(0);
  await expect(reader.locator("h1"), "the open page says so by itself").toHaveText("Not found");
  expect((await reader.goto(`${tenant}/inventory`))?.status(), "gone for the reader").toBe(404);
  await page.getByLabel("E-mail").fill(people.readonly);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText("Remy Reader").first()).toBeVisible();
  expect((await reader.goto(`${tenant}/inventory`))?.status()).toBe(200);
  await reader.context().close();
});

test("somebody without an account is invited by a link that is shown once and works once", async ({ page, server, browser }, info) => {
  const email = `invited-${info.project.name}@demo.example`;
  await signIn(page, server, people.owner);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/settings/members`);
  await hydrated(page);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Role", { exact: true }).selectOption("operator");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const shown = page.locator("#invitation-link");
  const link = (await shown.innerText()).trim();
  expect(link).toMatch(/^http:.*\/invitation\/[0-9a-f]{64}$/);
  expect(page.url(), "it is in no address").not.toContain("invitation/");
  await hydrated(page);
  await expectAccessible(page);
  await page.reload();
  await expect(page.getByRole("button", { name: `Take back the invitation of ${email}` })).toBeVisible();
  await expect(shown).toHaveCount(0);

  const guest = await (await browser.newContext()).newPage();
  await guest.goto(link);
  await hydrated(guest);
  await expect(guest.getByText("invites you to Contoso, with the role Operator.")).toBeVisible();
  await expectAccessible(guest);
  await guest.getByLabel("Your name").fill("Ina Vited");
  await guest.getByLabel("Password", { exact: true }).fill("password1234");
  await guest.getByRole("button", { name: "Create account" }).click();
  await expect(guest.getByLabel("Password", { exact: true })).toHaveAttribute("aria-invalid", "true");
  await expect(guest.getByLabel("Your name"), "nothing typed is lost").toHaveValue("Ina Vited");
  await guest.getByLabel("Password", { exact: true }).fill("a long sentence of hers");
  await guest.getByRole("button", { name: "Create account" }).click();
  await guest.waitForURL(/\/inventory/);
  expect((await guest.goto(link))?.status(), "once").toBe(404);
  await expect(guest.getByText(/Ask whoever sent it for a new one/)).toBeVisible();
  await guest.context().close();
  await page.reload();
  await expect(page.getByRole("row", { name: /Ina Vited/ })).toContainText(email);
});

test("an administrator adds a person and a tenant, and removes the tenant by its name", async ({ page, server, browser }, info) => {
  const email = `new-${info.project.name}@demo.example`;
  await signIn(page, server, people.admin);
  await page.goto(`${server.url}/admin/users`);
  await hydrated(page);
  await page.getByLabel("Name", { exact: true }).fill("Nora New");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("First password").fill(demoPassword);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText(email).first()).toBeVisible();
  const other = await (await browser.newContext()).newPage();
  await signIn(other, server, email);
  await expect(other.getByText("No tenants yet")).toBeVisible();
  await other.context().close();

  const name = `Tailspin ${info.project.name}`;
  await page.goto(`${server.url}/admin/tenants/new`);
  await hydrated(page);
  const certificate = page.getByLabel("Certificate (PEM)");
  const secret = page.getByRole("textbox", { name: "Client secret" });
  await expect(certificate, "what is not chosen is not there").toBeHidden();
  await expect(secret).toBeHidden();
  await page.getByRole("button", { name: "Make the certificate" }).click();
  await page.waitForURL(/certificate=/);
  await hydrated(page);
  const script = page.locator("#script-azure-cli-made");
  await expect(script).toContainText("98830695-27a2-44f7-8c18-0c3ebc9698f6 # GroupMember.Read.All");
  await expect(script).toContainText("-----BEGIN CERTIFICATE-----");
  await expect(page.locator("body"), "a private key never leaves the server").not.toContainText("BEGIN PRIVATE KEY");
  await expectAccessible(page);
  await page.getByText("A certificate or a client secret of your own").click();
  await page.getByRole("radio", { name: /Own certificate/ }).check();
  await expect(certificate).toBeVisible();
  await expect(script).toBeHidden();
  await page.getByRole("radio", { name: /Client secret/ }).check();
  await expect(certificate).toBeHidden();
  await expect(script).toBeHidden();
  await expect(page.locator("#script-azure-cli-secret")).toBeVisible();
  await expect(page.getByLabel("Sign-in endpoint")).toBeHidden();
  await page.getByLabel("Microsoft cloud").selectOption({ label: "Custom endpoints" });

  // Everything that is wrong is told at once, each beside its field.
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Directory (tenant) ID").fill("nonsense");
  await page.getByLabel("Application (client) ID").fill("nonsense");
  await page.getByRole("button", { name: "Add the tenant" }).click();
  await expect(page.getByRole("alert").getByText(/fields need attention/)).toBeVisible();
  for (const field of ["Directory (tenant) ID", "Application (client) ID", "Sign-in endpoint"]) {
    await expect(page.getByLabel(field)).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByLabel(field)).toHaveAccessibleDescription(new RegExp(field.replace(/[()]/g, "\\$&")));
  }
  await expect(secret).toHaveAccessibleDescription(/Enter the value of the client secret/);
  await expect(page.getByLabel("Directory (tenant) ID")).toBeFocused();
  await expectAccessible(page);

  await page.getByLabel("Directory (tenant) ID").fill(crypto.randomUUID());
  await page.getByLabel("Application (client) ID").fill(crypto.randomUUID());
  await page.getByLabel("Sign-in endpoint").fill("http://127.0.0.1:9/login");
  await page.getByLabel("Microsoft Graph endpoint").fill("http://127.0.0.1:9/graph");
  await secret.fill("a secret that nobody sees again");
  await page.getByRole("button", { name: "Add the tenant" }).click();
  await expect(page.getByText("The tenant is added.")).toBeVisible();
  // It is checked without being asked for, and nothing listens there.
  await expect(page.getByRole("region", { name: "Connection" }).getByText("The connection does not work.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Start the first sync" })).toHaveCount(0);
  expect(await page.content()).not.toContain("a secret that nobody sees again");
  await hydrated(page);
  const toast = page.getByRole("region", { name: /^Connection check/ });
  if (await toast.isVisible()) await toast.getByRole("button", { name: "Close" }).click();
  await page.getByLabel(/Type the name of the tenant/).fill("Tailspin");
  await page.getByRole("button", { name: "Remove the tenant" }).click();
  await expectFieldRefused(page, page.getByLabel(/Type the name of the tenant/), /must be the name of the tenant/);
  await page.getByLabel(/Type the name of the tenant/).fill(name);
  await page.getByRole("button", { name: "Remove the tenant" }).click();
  await expect(page.getByText(/removed/)).toBeVisible();
  await expect(page.getByRole("heading", { name })).toHaveCount(0);
});

test("a new password ends every other session and keeps this one", async ({ page, server, browser }, info) => {
  const email = `changing-${info.project.name}@demo.example`;
  await signIn(page, server, people.admin);
  await page.goto(`${server.url}/admin/users`);
  await hydrated(page);
  await page.getByLabel("Name", { exact: true }).fill("Carla Changing");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("First password").fill(demoPassword);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText(email).first()).toBeVisible();
  const [one, other] = [await (await browser.newContext()).newPage(), await (await browser.newContext()).newPage()];
  await signIn(one, server, email);
  await signIn(other, server, email);
  await one.goto(`${server.url}/me`);
  await hydrated(one);
  await one.getByLabel("Current password").fill("not the password");
  await one.getByLabel("New password").fill("a much longer sentence");
  await one.getByRole("button", { name: "Change the password" }).click();
  await expectFieldRefused(one, one.getByLabel("Current password"), /Current password is not/);
  await expect(one.locator("[aria-invalid]")).toHaveCount(1);
  await one.getByLabel("Current password").fill(demoPassword);
  await one.getByLabel("New password").fill("a much longer sentence");
  await one.getByRole("button", { name: "Change the password" }).click();
  await expect(one.getByText(/password is changed/)).toBeVisible();
  await other.goto(`${server.url}/me`);
  await expect(other).toHaveURL(/\/sign-in/);
  await one.context().close();
  await other.context().close();
});

test("the audit log tells who did what and that nothing in it was changed", async ({ page, server }) => {
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/settings`);
  await hydrated(page);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(/connection is saved/)).toBeVisible();
  await page.goto(`${tenant}/audit?actor=marek`);
  await expect(page.getByText(/Verified up to entry/)).toBeVisible();
  const entry = page.locator(".audit-entry").first();
  await expect(entry).toContainText("Marek Manager changed the connection");
  await expect(entry).toContainText("tenant.updated");
  await entry.locator("summary").click();
  await expect(entry.getByText("manager@demo.example")).toBeVisible();
});

test("an administrator says how long things are kept; a wrong number is refused at its field", async ({ page, server }) => {
  await signIn(page, server, people.admin);
  await page.goto(`${server.url}/admin/users`);
  await page.getByRole("link", { name: "Retention" }).click();
  await hydrated(page);
  const runs = page.getByLabel("Runs", { exact: true });
  const before = await runs.inputValue();
  // What the browser would refuse by itself is typed as a script would.
  await runs.evaluate((field: HTMLInputElement) => field.removeAttribute("max"));
  await runs.fill("3651");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expectFieldRefused(page, runs, /1 to 3650 days/);
  await runs.fill(before === "179" ? "180" : "179");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Your choice is saved.")).toBeVisible();
  await expectAccessible(page);
  await runs.fill(before);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(runs).toHaveValue(before);
});
