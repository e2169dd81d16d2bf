// The second factor: set up, asked for at sign-in, recovery codes, taken away; and the password confirmed again.
import { demoPassword, expect, expectAccessible, expectFieldRefused, hydrated, oneTimeCode, people, signIn, test } from "./fixtures";

test.use({ expectedMessages: /status of 4(03|22)/ });

test("a password is shown as it is typed when the person wants to see it", async ({ page, server }) => {
  await page.goto(`${server.url}/sign-in`);
  const password = page.getByLabel("Password");
  await password.fill("something");
  await expect(password).toHaveAttribute("type", "password");
  await page.getByLabel("Show what I type").check();
  await expect(password).toHaveAttribute("type", "text");
  await page.getByLabel("Show what I type").uncheck();
  await expect(password).toHaveAttribute("type", "password");
});

test("confirming the password leads back and replaces the session", async ({ page, server }) => {
  await signIn(page, server, people.owner);
  const before = (await page.context().cookies()).find((cookie) => cookie.name === "tenantatlas_session");
  await page.goto(`${server.url}/confirm?next=/me`);
  await hydrated(page);
  await expectAccessible(page);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expectFieldRefused(page, page.getByLabel("Password"), /not the one you sign in with/);
  await page.getByLabel("Password").fill(demoPassword);
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page).toHaveURL(`${server.url}/me`);
  const after = (await page.context().cookies()).find((cookie) => cookie.name === "tenantatlas_session");
  expect(after?.value).not.toEqual(before?.value);
});

test("a second factor is set up, asked for, replaced by a recovery code once, and taken away", async ({
  page,
  server,
  browser,
}, info) => {
  const email = `factor-${info.project.name}@demo.example`;
  await signIn(page, server, people.admin);
  await page.goto(`${server.url}/admin/users`);
  await hydrated(page);
  await page.getByLabel("Name", { exact: true }).fill("Fiona Factor");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("First password").fill(demoPassword);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText(email).first()).toBeVisible();

  const own = await (await browser.newContext()).newPage();
  await signIn(own, server, email);
  await own.goto(`${server.url}/me/second-factor`);
  await own.getByRole("button", { name: "Begin" }).click();
  await hydrated(own);
  await expect(own.getByRole("img", { name: /QR code/ })).toBeVisible();
  await expectAccessible(own);
  const key = (await own.locator(".secret-text").first().innerText()).replace(/\s/g, "");
  const codes = await own.locator(".recovery-codes code").allInnerTexts();
  expect(codes).toHaveLength(10);
  await own.getByLabel("First code").fill("000000");
  await own.getByRole("button", { name: "Turn on" }).click();
  await expectFieldRefused(own, own.getByLabel("First code"), /does not fit/);
  await own.getByLabel("First code").fill(oneTimeCode(key));
  await own.getByRole("button", { name: "Turn on" }).click();
  await expect(own.getByText(/second factor is on. It is asked for/)).toBeVisible();
  expect(await own.content()).not.toContain(codes[0]);

  const next = await (await browser.newContext()).newPage();
  const begin = async () => {
    await next.goto(`${server.url}/sign-in?next=/me`);
    await next.getByLabel("E-mail").fill(email);
    await next.getByLabel("Password").fill(demoPassword);
    await next.getByRole("button", { name: "Sign in" }).click();
    await expect(next).toHaveURL(/\/sign-in\/code/);
    await hydrated(next);
  };
  await begin();
  await expectAccessible(next);
  await next.goto(`${server.url}/me`);
  await expect(next, "the password alone opens nothing").toHaveURL(/\/sign-in\?/);
  await begin();
  await next.getByLabel("Code").fill(codes[0]);
  await next.getByRole("button", { name: "Sign in" }).click();
  await expect(next).toHaveURL(`${server.url}/me`);
  await next.context().clearCookies();
  await begin();
  await next.getByLabel("Code").fill(codes[0]);
  await next.getByRole("button", { name: "Sign in" }).click();
  await expectFieldRefused(next, next.getByLabel("Code"), /does not fit/);
  await next.getByLabel("Code").fill(codes[1]);
  await next.getByRole("button", { name: "Sign in" }).click();
  await expect(next).toHaveURL(`${server.url}/me`);
  await next.context().close();

  // Anew rather than reloaded: its address would still say that something was saved.
  await page.goto(`${server.url}/admin/users`);
  await hydrated(page);
  const row = page.locator("tr", { hasText: email });
  await row.locator("summary").click();
  await row.getByRole("button", { name: /^Remove the second factor of / }).click();
  await expect(page.getByText("The users are saved.")).toBeVisible();
  await own.goto(`${server.url}/me`);
  await expect(own, "their sessions have ended").toHaveURL(/\/sign-in/);
  await signIn(own, server, email);
  await own.context().close();

  await hydrated(page);
  await row.locator("summary").click();
  const typed = row.getByLabel(/^To remove /);
  await typed.fill("somebody.else@demo.example");
  await row.getByRole("button", { name: /^Remove Fiona/ }).click();
  await expect(row.getByText(/must be the e-mail address/)).toBeVisible();
  await typed.fill(email);
  await row.getByRole("button", { name: /^Remove Fiona/ }).click();
  await expect(page.getByText(/The person is removed/)).toBeVisible();
  await expect(page.getByText(email)).toHaveCount(0);
});
