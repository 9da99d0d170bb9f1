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

/** The width of a sheet of A4 between the margins of the stylesheet, in pixels. */
const SHEET = Math.round(((210 - 2 * 12) / 25.4) * 96);

/** Looks at the page as it is printed: nothing that is only for screens, nothing cut, nothing dark. */
export async function printed(page, report) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: SHEET, height: 1000 });
  await page.emulateMedia({ media: 'print' });
  const found = await page.evaluate(() => {
    const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && node.getBoundingClientRect().width > 1;
    const name = (node) => `${node.tagName.toLowerCase()}.${[...node.classList].join('.')} ${node.textContent.trim().slice(0, 40)}`;
    const all = [...document.body.querySelectorAll('*')].filter(seen);
    const wide = document.documentElement.scrollWidth - window.innerWidth;
    const problems = wide > 0 ? [`is printed ${wide} pixels wider than the sheet`] : [];
    for (const node of all) {
      if (node.matches('.side, .side *, .bar, .button, button[type=submit], .skip, dialog, [popover]') && !node.closest('.calendar')) problems.push(`prints ${name(node)}`);
      const { overflowX, overflowY } = getComputedStyle(node);
      const isCut = (overflowX !== 'visible' && node.scrollWidth > node.clientWidth + 1) || (overflowY !== 'visible' && node.scrollHeight > node.clientHeight + 1);
      if (isCut && !node.matches('input, select, textarea, .hidden, svg, svg *, .lane-name, option')) problems.push(`cuts ${name(node)}`);
    }
    const light = getComputedStyle(document.body).backgroundColor;
    const paper = document.createElement('canvas').getContext('2d');
    paper.fillStyle = light;
    paper.fillRect(0, 0, 1, 1);
    const [red, green, blue] = paper.getImageData(0, 0, 1, 1).data;
    if (Math.min(red, green, blue) < 240) problems.push(`is printed on ${light}`);
    return problems;
  });
  for (const text of new Set(found)) report(text);
  await page.emulateMedia({ media: null });
  await page.setViewportSize(size);
}
