// A schedule on its page. Nothing here needs the script of the pages, but for keeping what was typed when it is refused.
import { expect, expectAccessible, expectFieldRefused, hydrated, openTenant, people, signIn, test } from "./fixtures";

// The refusals on purpose.
test.use({ expectedMessages: /status of 4(09|22)/ });

test("a schedule is changed on its page, and of two who do it at once the second is told", async ({ page, context, server }, info) => {
  const name = `Nightly of ${info.project.name}`;
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/schedules`);
  await hydrated(page);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Time of day").fill("03:10");
  await page.getByRole("combobox", { name: "Time zone" }).fill("Europe/Berlin");
  await page.getByRole("button", { name: "Add the schedule" }).click();
  await expect(page.getByText("The schedule is added.")).toBeVisible();
  await page.getByRole("link", { name, exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.locator(".table details ol li"), "the next times are told").toHaveCount(5);
  await expect(page.getByLabel("Time of day")).toHaveValue("03:10");
  await expect(page.getByRole("combobox", { name: "Time zone" })).toHaveValue("Europe/Berlin");
  await hydrated(page);
  await expectAccessible(page);

  // Somebody else has the same page open.
  const other = await context.newPage();
  await other.goto(page.url());
  await hydrated(other);

  const zone = page.getByRole("combobox", { name: "Time zone" });
  await zone.fill("Europe/Atlantis");
  await page.getByRole("button", { name: "Save the schedule" }).click();
  await expectFieldRefused(page, zone, /IANA/);
  await zone.fill("UTC");
  await page.getByLabel("When", { exact: true }).selectOption("weekly");
  await page.getByLabel("Monday").check();
  await page.getByRole("button", { name: "Save the schedule" }).click();
  await expect(page.getByText("The schedule is changed.")).toBeVisible();
  await expect(page.getByLabel("Monday")).toBeChecked();
  await expect(page.locator(".table details ol li").first()).toContainText("Mon");

  await other.getByLabel("Time of day").fill("05:00");
  await other.getByRole("button", { name: "Save the schedule" }).click();
  await expect(other.getByRole("alert").filter({ hasText: "load it again" })).toBeVisible();
  await expect(other.getByLabel("Time of day"), "what was typed is kept").toHaveValue("05:00");
  await other.close();

  await page.getByRole("button", { name: `Remove ${name}` }).click();
  await expect(page.getByText("The schedule is removed.")).toBeVisible();
});
