// Which Chromium the tests run in. Debian builds two of one source: the whole browser, and its headless shell, which is the same
// without windows, menus and what a person signs in to, and takes a quarter less of the processor. CHROMIUM names another.
import { existsSync } from "node:fs";

export const executable =
  process.env.CHROMIUM ?? ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));
