// Tests against the built binary in Debian's Chromium. `end2end/run` starts nothing itself: the fixtures start one
// server per worker with its own data folder, so that tests may stop and restart it.
import { defineConfig, devices } from "@playwright/test";
import { executable } from "./chromium";

const chromium = {
  executablePath: executable,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

export default defineConfig({
  testDir: "./tests",
  outputDir: "./test-results",
  // Limits for what never comes, far beyond what a busy machine needs. Nothing waits for them to pass.
  timeout: 300_000,
  expect: { timeout: 60_000 },
  // Two servers and two browsers at a time: the machine of the continuous integration has two cores, and half of the time
  // a test waits.
  workers: 2,
  forbidOnly: !!process.env.CI,
  // A test that passes only the second time is wrong, or what it tests is: nobody overlooks it at their own machine. Elsewhere it is
  // told as flaky with what went wrong, and holds up nothing that it does not test.
  retries: process.env.CI ? 1 : 0,
  reporter: [["list"], ["./failures.ts"]],
  // A trace of every test costs a quarter of the time of all: `TRACE=retain-on-failure end2end/run -g NAME` when one fails.
  use: {
    launchOptions: chromium,
    actionTimeout: 60_000,
    trace: process.env.TRACE === "retain-on-failure" ? "retain-on-failure" : "off",
    screenshot: "only-on-failure",
    locale: "en-GB",
    timezoneId: "UTC",
  },
  projects: [
    { name: "desktop", use: { ...devices["Desktop Chrome"], viewport: { width: 1440, height: 900 } }, testIgnore: /without-script.*/ },
    { name: "phone", use: { ...devices["Pixel 7"], viewport: { width: 390, height: 844 } }, testIgnore: /without-script.*/ },
    {
      name: "no-script",
      use: { ...devices["Desktop Chrome"], javaScriptEnabled: false },
      testMatch: /without-script.*/,
    },
  ],
});
