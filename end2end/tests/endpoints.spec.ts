// News of a tenant sent elsewhere. Nothing here needs the script of the pages.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, expectAccessible, openTenant, people, signIn, test } from "./fixtures";

// The refusal of an address on purpose.
test.use({ expectedMessages: /status of 422/ });

/** What a receiver was sent. */
type Received = { headers: Record<string, string | string[] | undefined>; body: string };

/** A receiver on this machine that takes everything, and what it was sent so far. */
async function receiver(): Promise<{ address: string; received: Received[]; close: () => void }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?sig=a-right`;
  return { address, received, close: () => server.close() };
}

test("an endpoint is added, tested, its log tells of it, and it is removed", async ({ page, server }, info) => {
  const sink = await receiver();
  const name = `Hooks of ${info.project.name}`;
  await signIn(page, server, people.manager);
  const tenant = await openTenant(page, server, "Contoso");
  await page.goto(`${tenant}/settings`);
  await page.getByRole("link", { name: "Endpoints", exact: true }).click();
  await expect(page).toHaveURL(`${tenant}/settings/endpoints`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Address", { exact: true }).fill("https://10.0.0.1/hook");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByLabel("Address", { exact: true })).toHaveAccessibleDescription(/must be one of the internet/);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Address", { exact: true }).fill(sink.address);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("status").filter({ hasText: "It is shown only now." })).toBeVisible();
  const secret = await page.locator("#endpoint-secret").innerText();
  expect(secret).toMatch(/^whsec_/);
  await expectAccessible(page);
  await page.reload();
  await expect(page.locator("#endpoint-secret"), "a secret is shown once").toHaveCount(0);
  await expect(page.locator("body"), "the address holds a right").not.toContainText("a-right");
  await page.getByRole("button", { name: `Test ${name}` }).click();
  await expect(page.getByText("The message is on its way.")).toBeVisible();
  await expect(async () => {
    await page.reload();
    await expect(page.locator("#log").getByText("Delivered (204).")).toBeVisible({ timeout: 1_000 });
  }).toPass();
  expect(sink.received).toHaveLength(1);
  const { headers, body } = sink.received[0];
  expect(JSON.parse(body).type).toBe("endpoint.test");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const tag = createHmac("sha256", Buffer.from(secret.replace("whsec_", ""), "base64")).update(signed).digest("base64");
  expect(headers["webhook-signature"]).toBe(`v1,${tag}`);
  await page.getByRole("button", { name: /^Send again: / }).click();
  await expect.poll(() => sink.received.length).toBe(2);
  expect(sink.received[1].headers["webhook-id"], "a message keeps its id").toBe(headers["webhook-id"]);
  await page.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByRole("button", { name: "Yes, remove it" }).click();
  await expect(page.getByText("The endpoint is removed.")).toBeVisible();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
  sink.close();
});
