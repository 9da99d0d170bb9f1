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
console.log('page                       first paint ms (median of 7)   answer ms   bytes');
for (const place of ['/', '/runs', '/activations', '/activations/daily', '/destinations', '/destinations/partner', '/segments', '/segments/s1', '/rule', '/activate/segments', '/activate/schedule', '/activate/attributes', '/activate/review', '/profiles', '/audit', '/settings']) {
  const paints = [];
  const answers = [];
  let bytes = 0;
  for (let time = 0; time < 7; time += 1) {
    const answer = await page.goto(origin + place);
    bytes = (await answer.body()).length;
    const times = await page.evaluate(async () => {
      const painted = () => performance.getEntriesByName('first-paint')[0]?.startTime;
      while (painted() === undefined) await new Promise((done) => setTimeout(done, 5));
      return [painted(), performance.getEntriesByType('navigation')[0].responseEnd];
    });
    paints.push(times[0]);
    answers.push(times[1]);
  }
  const median = (all) => Math.round(all.sort((a, b) => a - b)[3]);
  console.log(`${place.padEnd(26)} ${String(median(paints)).padStart(10)} ${String(median(answers)).padStart(30)} ${String(bytes).padStart(10)}`);
}
await close();
child.kill('SIGKILL');
fs.rmSync(folder, { recursive: true, force: true });
