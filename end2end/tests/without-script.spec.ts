// Everything works without JavaScript and without WebAssembly.
import { expect, people, signIn, test } from "./fixtures";

test("sign in, see the tenants, sign out", async ({ page, server }) => {
  await signIn(page, server, people.manager);
  await expect(page.getByRole("heading", { name: "Fabrikam" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
});
