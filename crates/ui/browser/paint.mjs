// Prints how soon each page is painted first, on loopback, with 10,000 runs, 500 segments and 2,000
// fields stored. It asserts nothing: times belong to a machine. Usage: node paint.mjs BINARY
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { TIMEOUT, launch } from './checks.mjs';

const binary = path.resolve(process.argv[2]);
const here = path.dirname(new URL(import.meta.url).pathname);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'segue-paint-'));
execFileSync('python3', [path.join(here, 'stored.py'), binary, folder], { stdio: 'inherit' });
const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--runs', '1'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
const lines = readline.createInterface({ input: child.stderr });
const link = await new Promise((ready) => lines.on('line', (line) => line.match(/http:\S+\/setup#\S+/) && ready(line.match(/http:\S+\/setup#\S+/)[0])));
const { browser, close } = await launch();
const page = await (await browser.newContext()).newPage();
page.setDefaultTimeout(TIMEOUT);
await page.goto(link);
await page.getByLabel('User name').fill('ann');
await page.getByLabel('Password').fill('a canary of four words');
await page.getByRole('button', { name: 'Create the administrator' }).click();
await page.waitForURL(`${new URL(link).origin}/`);
const origin = new URL(link).origin;
// A draft with every segment, for the steps of the wizard.
await page.goto(`${origin}/activate/segments`);
await page.waitForFunction(() => document.querySelectorAll('input[name=segment]').length >= 500);
await page.evaluate(() => document.querySelectorAll('input[name=segment]').forEach((box) => (box.checked = true)));
await page.getByRole('button', { name: 'Next', exact: true }).click();
await page.waitForURL(/schedule/);
// And one of a destination.
await page.goto(`${origin}/connect?preset=minio`);
await page.locator('#account').selectOption('store');
await page.getByRole('button', { name: 'Next', exact: true }).click();
await page.waitForURL(/connect\/place/);
// What a page asks for behind its first paint (fields, counts, first lines) is waited for before the next is
// opened, so that each is measured alone; how long it takes is told beside.
const quiet = () => page.waitForLoadState('networkidle');
await quiet();
await page.goto(`${origin}/runs`);
const run = await page.locator('main table a[href^="/runs/"]').first().getAttribute('href').then((path) => path.split('/').pop());
console.log('page                       first paint ms (median of 7)   answer ms   all there ms   bytes');
for (const place of ['/', '/runs', `/runs/${run}`, '/activations', '/activations/daily', '/destinations', '/destinations/partner', '/accounts/store', '/connect/account', '/connect/place', '/connect/format', '/connect/review', '/segments', '/segments/s1', '/rule', '/rule?segment=s1', '/activate/segments', '/activate/schedule', '/activate/attributes', '/activate/review', '/profiles', '/audit', '/settings']) {
  const paints = [];
  const answers = [];
  const wholes = [];
  let bytes = 0;
  for (let time = 0; time < 7; time += 1) {
    const answer = await page.goto(origin + place);
    bytes = (await answer.body()).length;
    await quiet();
    const times = await page.evaluate(async () => {
      const painted = () => performance.getEntriesByName('first-paint')[0]?.startTime;
      while (painted() === undefined) await new Promise((done) => setTimeout(done, 5));
      const ends = performance.getEntriesByType('resource').map((asked) => asked.responseEnd);
      const answered = performance.getEntriesByType('navigation')[0].responseEnd;
      return [painted(), answered, Math.max(answered, ...ends)];
    });
    paints.push(times[0]);
    answers.push(times[1]);
    wholes.push(times[2]);
  }
  const median = (all) => String(Math.round(all.sort((a, b) => a - b)[3]));
  console.log(`${place.slice(0, 25).padEnd(26)} ${median(paints).padStart(10)} ${median(answers).padStart(30)} ${median(wholes).padStart(14)} ${String(bytes).padStart(7)}`);
}
await close();
child.kill('SIGKILL');
fs.rmSync(folder, { recursive: true, force: true });
