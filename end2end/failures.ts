// Says once more at the very end why tests failed, for readers who get only the last lines of an output.
import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

const escapes = /\u001b\[[0-9;]*m/g;
// An error begins with what was expected and what was tried; the excerpt of the test that follows is found by its line.
const lines = 12;

export default class Failures implements Reporter {
  private readonly failed: { test: TestCase; words: string }[] = [];

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.status === "passed" || result.status === "skipped") return;
    const seconds = Math.round(result.duration / 1000);
    const error = (result.error?.message ?? "no message").replace(escapes, "").split("\n").slice(0, lines);
    const title = `${test.titlePath().filter(Boolean).join(" › ")} (${result.status} after ${seconds} s)`;
    this.failed.push({ test, words: [title, ...error].join("\n    ") });
  }

  onEnd(_: FullResult): void {
    for (const { test, words } of this.failed) console.log(`\n${test.outcome() === "flaky" ? "Flaky" : "Failed"}: ${words}`);
  }
}
