// What every browser test stands on: a real server with its own data folder, a page whose console must stay silent,
// and a check for accessibility in the theme at hand.
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const binary = process.env.TENANTATLAS_BINARY!;

/** The password of all demo users, set by `TENANTATLAS_DEMO_PASSWORD`. */
export const demoPassword = "demo-password";
/** What lets the tests read the metrics. */
export const metricsToken = "end2end-metrics-token";
/** The demo users, one per role. */
export const people = {
  owner: "owner@demo.example",
  manager: "manager@demo.example",
  operator: "operator@demo.example",
  readonly: "readonly@demo.example",
  admin: "admin@demo.example",
};

/** How long a server may take to start on a busy machine, milliseconds. */
const startLimit = 120_000;

/** A running `tenantatlas serve --demo`; it can be killed and started again on the same data and the same address. */
export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), "tenantatlas-"));
  output = "";
  /** The first start takes a free port, later ones the same. */
  private port = 0;
  private cloud = "";
  private process?: ChildProcess;
  private constructor(
    private readonly options: string[],
    /** Whether the cloud of the demo moves on by itself during the first start. */
    private readonly moving = false,
  ) {}

  /** Starts it; `options` go to the command line, such as `--demo-objects 4000` for syncs that can be watched. */
  static async start(...options: string[]): Promise<Server> {
    const server = new Server(options);
    await server.launch();
    return server;
  }

  /** Starts it as `make run` does: one of its tenants moves on during the first start. */
  static async startMoving(): Promise<Server> {
    const server = new Server([], true);
    await server.launch();
    return server;
  }

  /** Waits until it has said something. */
  async says(words: string): Promise<void> {
    await expect.poll(() => this.output, { timeout: 120_000 }).toContain(words);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async launch(): Promise<void> {
    const child = spawn(
      binary,
      ["serve", "--demo", ...(this.moving ? [] : ["--demo-still"]), ...this.options, "--data-dir", this.folder, "--listen", `127.0.0.1:${this.port}`],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, TENANTATLAS_DEMO_PASSWORD: demoPassword, TENANTATLAS_METRICS_TOKEN: metricsToken },
      },
    );
    let said = "";
    child.stdout!.on("data", (chunk) => {
      said += chunk;
      this.output += chunk;
    });
    child.stderr!.on("data", (chunk) => (this.output += chunk));
    this.process = child;
    for (const limit = Date.now() + startLimit; Date.now() < limit; ) {
      const ended = child.exitCode ?? child.signalCode;
      if (ended !== null) throw new Error(`the server ended with ${ended}:\n${this.output}`);
      // It accepts connections before it says where, and the simulated cloud comes last.
      const port = /Microsoft cloud: http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      const cloud = /The simulated cloud: (http:\S+) /.exec(said)?.[1];
      if (port && cloud) {
        this.port = Number(port);
        this.cloud = cloud;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the server did not become ready:\n${this.output}`);
  }

  /** Tells the simulated cloud what to do: `hold` answers, `release` them, set `faults` … (crates/graph-sim). */
  async simulate(control: string, body: object = {}): Promise<void> {
    const answer = await fetch(`${this.cloud}/_sim/${control}`, { method: "POST", body: JSON.stringify(body) });
    expect(answer.ok, `${control}: ${answer.status}`).toBe(true);
  }

  /** Ends the process: `SIGKILL` as a power cut does, `SIGTERM` as a service manager does. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  async discard(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Signs in through the form and waits for what comes after: the tenant used last, or all of the person's tenants. */
export async function signIn(page: Page, server: Server, email: string): Promise<void> {
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(demoPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

/** What an authenticator with this key (base 32) shows now: RFC 6238. */
export function oneTimeCode(key: string): string {
  const bits = [...key].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const tag = createHmac("sha1", bytes).update(counter).digest();
  const word = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff;
  return String(word % 1_000_000).padStart(6, "0");
}

/** Opens a tenant's inventory, once its first sync is through, and returns the address that all its pages begin with. */
export async function openTenant(page: Page, server: Server, name: string): Promise<string> {
  await expect(async () => {
    await page.goto(`${server.url}/`);
    const row = page.locator("tr", { has: page.getByRole("link", { name, exact: true }) });
    await expect(row.getByText(/^\d+ \/ \d+$/)).toBeVisible({ timeout: 1_000 });
    await expect(row.getByRole("progressbar")).toHaveCount(0, { timeout: 1_000 });
  }).toPass();
  await page.getByRole("link", { name, exact: true }).click();
  await page.waitForURL(/\/inventory$/);
  return page.url().replace(/\/inventory$/, "");
}

/** Opens the choices of a list where they are folded, on a phone. */
export async function openFilters(page: Page): Promise<void> {
  const fold = page.locator("#filter-choices > summary");
  if (await fold.isVisible()) await fold.click();
}

/** Opens the coverage where it is folded, on a phone. */
export async function openCoverage(page: Page): Promise<void> {
  const fold = page.locator("#coverage-fold > summary");
  if (await fold.isVisible()) await fold.click();
}

/** What is wrong with one field is told there, where the focus is, and once: above the form stands only that there is one. */
export async function expectFieldRefused(page: Page, field: Locator, words: RegExp): Promise<void> {
  await expect(field).toHaveAccessibleDescription(words);
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toBeFocused();
  await expect(page.getByText(words).filter({ visible: true })).toHaveCount(1);
  await expect(page.getByRole("alert").filter({ hasText: "One field needs attention." }).getByRole("link", { name: "Go to it" })).toBeVisible();
}

/**
 * Takes the session away. No page of theirs is open then: what it asked for next, such as its stream, would be refused, and
 * the console say so.
 */
export async function dropSession(page: Page): Promise<void> {
  await page.goto("about:blank");
  await page.context().clearCookies();
}

/** Waits until the browser has taken over what the server rendered. */
export async function hydrated(page: Page): Promise<void> {
  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
}

/** Fails when axe finds a violation of WCAG 2.2 AA on the page as it stands. */
export async function expectAccessible(page: Page, without: string[] = []): Promise<void> {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  await expectNoViolation(page, (axe) => axe.withTags(tags).disableRules(without));
}

/** The same for the rules that look at colours: what else there is of a page is the same in every theme. */
export async function expectContrast(page: Page): Promise<void> {
  await expectNoViolation(page, (axe) => axe.withRules(["color-contrast", "link-in-text-block"]));
}

async function expectNoViolation(page: Page, narrowed: (axe: AxeBuilder) => AxeBuilder): Promise<void> {
  // What is in order is not described, which is most of a page; and no frame of another origin asks for a second page.
  const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).setLegacyMode();
  const result = await narrowed(axe).analyze();
  const found = result.violations.map(
    (violation) => `${violation.id}: ${violation.help}\n  ${violation.nodes.map((node) => node.target.join(" ")).join("\n  ")}`,
  );
  expect(found, found.join("\n")).toEqual([]);
}

/** Messages of the console that a test expects, such as the failed request while the server is down. */
type Expected = { expectedMessages: RegExp };

export const test = base.extend<Expected, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.discard();
    },
    { scope: "worker", timeout: 180_000 },
  ],
  expectedMessages: [/(?!)/, { option: true }],
  page: async ({ page, expectedMessages }, use) => {
    const messages: string[] = [];
    page.on("console", (message) => messages.push(`${message.type()}: ${message.text()} (${message.location().url})`));
    page.on("pageerror", (error) => messages.push(`uncaught: ${error.message}`));
    await use(page);
    // Chromium says so when a test types before the browser has come to setting the focus itself.
    // And of the passage from one page to the next, which it leaves out where a page comes later than it waits.
    const harmless = /Autofocus processing was blocked|Transition was (aborted|skipped)/;
    const unexpected = messages.filter((message) => !expectedMessages.test(message) && !harmless.test(message));
    expect(unexpected, "the console stays silent").toEqual([]);
  },
});

export { expect };
