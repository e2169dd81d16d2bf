// From the sign-in page to the tenants and out again.
import { demoPassword, dropSession, expect, hydrated, people, signIn, test } from "./fixtures";

test("the colours that a person chose stay, without a flash of the others", async ({ page, server }) => {
  await page.goto(`${server.url}/`);
  await expect(page).toHaveURL(/\/sign-in$/);
  await hydrated(page);
  await page.getByRole("button", { name: "Dark" }).click();
  await expect(page.getByRole("button", { name: "Dark" })).toHaveAttribute("aria-pressed", "true");
  await expect(async () => {
    const answer = await page.request.get(`${server.url}/sign-in`);
    expect(await answer.text()).toContain('data-theme="dark"');
  }).toPass();
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("a wrong password and an unknown person get the same answer, and what was typed stays", async ({ page, server }) => {
  const messages: string[] = [];
  for (const [email, password] of [
    [people.owner, "not the password"],
    ["nobody@demo.example", demoPassword],
  ]) {
    await page.goto(`${server.url}/sign-in`);
    await hydrated(page);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    messages.push(await page.getByRole("alert").getByText(/Sign-in failed/).innerText());
    await expect(page.getByLabel("E-mail")).toHaveValue(email);
  }
  expect(messages[0]).toEqual(messages[1]);
});
test.use({ expectedMessages: /status of 422/ });

test("a person sees their tenants with what was read, and signs out", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await expect(async () => {
    await page.goto(`${server.url}/`);
    await expect(page.getByRole("main").getByText(/^\d+ \/ 90$/).first()).toBeVisible({ timeout: 1_000 });
  }).toPass();
  for (const name of ["Contoso", "Fabrikam", "Northwind"]) {
    await expect(page.getByRole("link", { name, exact: true })).toBeVisible();
  }
  await hydrated(page);
  await page.getByRole("button", { name: /account of/i }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.goto(`${server.url}/me`);
  await expect(page).toHaveURL(/\/sign-in\?next=%2Fme$/);
});

test("a session outlives the server, killed or stopped", async ({ page, server }) => {
  const look = () => page.goto(`${server.url}/`);
  await signIn(page, server, people.owner);
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    // Nothing is open when the server goes: the console would say so.
    await page.goto("about:blank");
    await server.stop(signal);
    await server.launch();
    await look();
    await expect(page.getByRole("heading", { name: "Tenants" })).toBeVisible();
  }
});

test("signing in leads back to where a person wanted to go, and never to another site", async ({ page, server }) => {
  await page.goto(`${server.url}/me`);
  await page.getByLabel("E-mail").fill(people.manager);
  await page.getByLabel("Password").fill(demoPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/me$/);
  await dropSession(page);
  await page.goto(`${server.url}/sign-in?next=https://evil.example/`);
  await page.getByLabel("E-mail").fill(people.manager);
  await page.getByLabel("Password").fill(demoPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/sign-in");
  expect(new URL(page.url()).origin).toBe(server.url);
});
