// What is asked of every page in a browser: no violation of WCAG 2.2 AA, no error on the console, no
// request to another origin, nothing wider than the window.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** A loaded machine is slow; a page that never comes is noticed all the same. */
export const TIMEOUT = 180_000;

/** Starts Debian's Chromium; what it writes goes into a folder that `close` removes. */
export async function launch() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'segue-browser-'));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    timeout: TIMEOUT,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', `--crash-dumps-dir=${profile}`],
  });
  const close = async () => {
    await browser.close();
    fs.rmSync(profile, { recursive: true, force: true });
  };
  return { browser, close };
}

/** Reports what a page says on the console and asks of other origins. */
export function listen(page, origin, report) {
  page.setDefaultTimeout(TIMEOUT);
  page.on('console', (message) => message.type() === 'error' && report(`console: ${message.text()}`));
  page.on('pageerror', (error) => report(`script: ${error.message}`));
  page.on('request', (request) => request.url().startsWith(origin) || report(`asks ${request.url()}`));
}

/** Looks at the page as it stands. */
export async function look(page, report) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (over > 0) report(`is ${over} pixels wider than the window`);
  await page.evaluate(axe);
  const found = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags }), rules);
  for (const violation of found.violations) {
    const node = violation.nodes[0];
    report(`${violation.id} (${violation.nodes.length}): ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`);
  }
}
