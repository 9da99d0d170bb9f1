// A project with more fields than a page lays out: the rest comes as one scrolls, searches or types.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { listen } from './checks.mjs';

const FIELDS = 450;
/** Fields of each of two groups: more than a page begins with, in few entries. */
const IN_GROUP = 40;

/** Walks on a server of its own, which `serve` starts in a folder. */
export async function manyFields(browser, serve, password, report) {
  for (const grouped of [false, true]) await walk(browser, serve, password, report, grouped);
}

async function walk(browser, serve, password, report, grouped) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'segue-fields-'));
  const names = Array.from({ length: FIELDS }, (_, at) => `attribute_${at + 1}`);
  const group = Object.fromEntries(Array.from({ length: IN_GROUP }, (_, at) => [`field_${at + 1}`, at]));
  const person = grouped ? { id: 1, one: group, other: group } : Object.fromEntries([['id', 1], ...names.map((name, at) => [name, at])]);
  fs.writeFileSync(path.join(folder, 'people.jsonl'), `${JSON.stringify(person)}\n`);
  fs.writeFileSync(
    path.join(folder, 'segue.yaml'),
    'version: 1\nname: wide\ndatasets:\n  people: { location: people.jsonl, identities: { id: CRMID } }\nsegments:\n  all: { rule: "id >= 0" }\ndestinations:\n  disk: { location: outbox }\n',
  );
  fs.mkdirSync(path.join(folder, 'outbox'));
  const { child, link } = await serve(folder);
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 } });
  try {
    const page = await context.newPage();
    const { origin } = new URL(link);
    listen(page, origin, report);
    await page.goto(link);
    await page.getByLabel('User name').fill('camille');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Create the administrator' }).click();
    await page.waitForURL(`${origin}/`);

    const list = page.locator('#fields');
    const buttons = list.locator('button');
    if (grouped) {
      await page.goto(`${origin}/activate/attributes`);
      // All came, in groups that are closed; how many profiles have a value is told once the rest has come, too.
      await list.locator(`button[title="other.field_${IN_GROUP}"]`).waitFor({ state: 'attached' });
      assert.equal(await buttons.count(), 1 + 2 * IN_GROUP);
      await list.locator('button[title=id] .share', { hasText: '%' }).waitFor();
      await page.getByRole('searchbox', { name: 'Find a field' }).fill(`other.field_${IN_GROUP}`);
      await list.locator(`button[title="other.field_${IN_GROUP}"] .share`, { hasText: '%' }).waitFor();
      return;
    }
    const last = list.locator(`button[title=attribute_${FIELDS}]`);
    const search = page.getByRole('searchbox', { name: 'Find a field' });
    for (const place of ['/rule', '/activate/attributes']) {
      await page.goto(origin + place);
      // More than the first sixty came, and not all of them are laid out.
      await list.locator('button[title=attribute_90]').waitFor();
      assert.ok((await buttons.count()) < FIELDS / 2, `${place} lays out some of the fields`);
      // As one scrolls, the rest comes.
      while (!(await last.count())) await list.evaluate((it) => it.scrollTo(0, it.scrollHeight));
      assert.equal(await buttons.count(), FIELDS + 1, `${place} comes to all fields`);
      // A search looks through all of them, and gives them back.
      await search.fill(`_${FIELDS}`);
      assert.deepEqual(await buttons.evaluateAll((all) => all.map((it) => it.title)), [`attribute_${FIELDS}`]);
      await search.fill('no such field');
      await page.locator('.none-found').waitFor();
      assert.equal(await buttons.count(), 0);
      await search.fill('');
      await list.locator('button[title=id]').waitFor();
      assert.ok((await buttons.count()) < FIELDS / 2, `${place} begins anew`);
    }
    // A field that was never laid out is completed as well.
    await page.goto(`${origin}/rule`);
    await list.locator('button[title=attribute_90]').waitFor();
    const rule = page.locator('textarea#rule');
    await rule.fill('');
    await rule.pressSequentially(`attribute_${FIELDS}`.slice(0, -1));
    await page.getByRole('option', { name: `attribute_${FIELDS}`, exact: true }).click();
    assert.equal(await rule.inputValue(), `attribute_${FIELDS}`);
  } finally {
    await context.close();
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    await new Promise((ready) => child.once('exit', ready));
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
