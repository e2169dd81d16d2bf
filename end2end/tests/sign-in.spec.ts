// From the sign-in page to the tenants and out again.
import { demoPassword, expect, expectAccessible, hydrated, people, signIn, test } from "./fixtures";

test("the sign-in page is taken over without a word in the console", async ({ page, server }) => {
  await page.goto(`${server.url}/`);
  await expect(page).toHaveURL(/\/sign-in$/);
  await hydrated(page);
  await page.getByRole("button", { name: "Dark" }).click();
  await expect(page.getByRole("button", { name: "Dark" })).toHaveAttribute("aria-pressed", "true");
  await page.reload();
  await hydrated(page);
  await expect(page.getByRole("button", { name: "Dark" })).toHaveAttribute("aria-pressed", "true");
});

test("a wrong password and an unknown person get the same answer", async ({ page, server }) => {
  const messages: string[] = [];
  for (const [email, password] of [
    [people.owner, "not the password"],
    ["nobody@demo.example", demoPassword],
  ]) {
    await page.goto(`${server.url}/sign-in`);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    messages.push(await page.getByRole("alert").innerText());
  }
  expect(messages[0]).toEqual(messages[1]);
});

test("a person sees their tenants with what was read, and signs out", async ({ page, server }) => {
  await signIn(page, server, people.operator);
  await expect(page.getByRole("heading", { name: "Contoso" })).toBeVisible();
  await expect(async () => {
    await page.reload();
    await expect(page.getByText(/of 90 types read/).first()).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.goto(`${server.url}/`);
  await expect(page).toHaveURL(/\/sign-in$/);
});

test("a session outlives the server, killed or stopped", async ({ page, server }) => {
  await signIn(page, server, people.owner);
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await server.stop(signal);
    await server.launch();
    await page.goto(`${server.url}/`);
    await expect(page.getByRole("heading", { name: "Tenants" })).toBeVisible();
  }
});

for (const theme of ["light", "dark"] as const) {
  test(`nothing keeps anybody out in the ${theme} theme`, async ({ page, server }) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.goto(`${server.url}/sign-in`);
    await expectAccessible(page);
    await signIn(page, server, people.readonly);
    await expectAccessible(page);
  });
}
