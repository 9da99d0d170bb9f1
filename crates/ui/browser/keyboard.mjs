// The main job by keyboard alone: a destination, a rule, an activation through each step of the wizard, and a run. Every
// kind of control is reached by Tab, shows that it has the focus, is used by keys, and lets go again.
import assert from 'node:assert/strict';

/** How many stops a page may have on the way to what is wanted. */
const STOPS_MAX = 160;

/**
 * Walks with keys on a server on which somebody is signed in, and whose destination `disk` is a folder;
 * `folder` is one that another destination may be.
 */
export async function byKeyboard(page, origin, folder, report) {
  const press = (key, times = 1) => Array.from({ length: times }).reduce((before) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const type = (text) => page.keyboard.type(text);
  const button = (name) => page.getByRole('button', { name, exact: true });
  const link = (name) => page.getByRole('link', { name, exact: true });

  /** Presses Tab until something has the focus, and sees that it shows. */
  async function reach(wanted) {
    await wanted.first().waitFor();
    let last = null;
    for (let stop = 0; stop < STOPS_MAX; stop += 1) {
      const node = wanted.first();
      if (await node.evaluate((it) => it === document.activeElement)) {
        const shows = await node.evaluate((it) => {
          const own = getComputedStyle(it);
          return it.matches(':focus-visible') && own.outlineStyle !== 'none' && Number.parseFloat(own.outlineWidth) >= 2;
        });
        if (!shows) report(`${page.url()}: the focus does not show on ${await node.evaluate((it) => it.outerHTML.slice(0, 120))}`);
        return;
      }
      await press('Tab');
      const now = await page.evaluateHandle(() => document.activeElement);
      if (last && (await page.evaluate(([one, other]) => one === other && one !== document.body, [last, now]))) {
        throw new Error(`${page.url()}: Tab does not leave ${await now.evaluate((it) => it.outerHTML.slice(0, 120))}`);
      }
      last = now;
    }
    throw new Error(`${page.url()}: ${wanted} is not reached by Tab`);
  }
  const use = async (wanted, key = 'Enter') => {
    await reach(wanted);
    await press(key);
  };

  // The first stop leads to the content.
  await page.goto(`${origin}/`);
  await press('Tab');
  await press('Enter');
  assert.equal(new URL(page.url()).hash, '#content');

  // A destination is connected: Enter in a field goes on, an option is found by its first letters.
  await use(link('Destinations'));
  await use(page.getByRole('main').getByRole('link', { name: 'Local folder' }));
  await use(button('Next'));
  await reach(page.getByLabel('Name', { exact: true }));
  await type('Keys');
  await reach(page.getByLabel('Folder of this machine'));
  await type(folder);
  await page.locator('#preview .address', { hasText: folder }).waitFor();
  await press('Enter');
  await page.waitForURL(/\/format/);
  await page.locator('#preview pre', { hasText: 'crm_id,email' }).waitFor();
  await reach(page.getByLabel('Delimiter'));
  await type(';');
  assert.equal(await page.getByLabel('Delimiter').inputValue(), ';');
  await page.locator('#preview pre', { hasText: 'crm_id;email' }).waitFor();
  await use(button('Next'));
  await use(button('Connect and check'));
  await page.getByText('Ready: everything that is needed is permitted').waitFor();

  // A rule: a field is completed by arrows, Escape closes what is offered, and Tab leaves the editor.
  await page.goto(`${origin}/`);
  await use(link('Segments'));
  await use(link('New segment'));
  await reach(page.getByLabel('Name', { exact: true }));
  await type('By keys');
  await reach(page.locator('#rule'));
  await type('po');
  await page.getByRole('option', { name: 'points' }).waitFor();
  await press('Escape');
  await page.getByRole('option', { name: 'points' }).waitFor({ state: 'hidden' });
  await type('i');
  await page.getByRole('option', { name: 'points' }).waitFor();
  await press('ArrowDown');
  await press('Enter');
  await type(' >= 9900');
  await page.getByText('Exact count').waitFor();
  await use(button('Save as a segment'));
  await page.getByRole('heading', { level: 1, name: 'By keys' }).waitFor();

  // Segments are chosen; Enter in a search does not go on, Enter in a field does.
  await use(link('Activations'));
  await use(link('Activate segments'));
  await reach(page.locator('#destination'));
  await type('Disk');
  await reach(page.locator('#find-segment'));
  await type('By k');
  await press('Enter');
  await use(page.getByLabel('By keys'), 'Space');
  assert.ok(await page.getByLabel('By keys').isChecked());
  await page.locator('#destination').focus();
  await reach(page.locator('#key'));
  await type('keys');
  await press('Enter');
  await page.waitForURL(/\/schedule/);
  assert.equal(await page.locator('#preview .address').first().textContent().then((text) => text.includes('disk')), true, 'the destination was chosen');

  // A schedule: fields close and open, a list by keys, a macro by Enter.
  const fields = page.locator('.exports details');
  await use(page.locator('.exports summary'));
  assert.equal(await fields.getAttribute('open'), null);
  await press('Enter');
  await reach(page.locator('#frequency-0'));
  await press('Home');
  assert.equal(await page.locator('#frequency-0').inputValue(), 'none');
  await page.locator('#at-0').waitFor({ state: 'hidden' });
  await reach(page.locator('#file_name-0'));
  await press('End');
  await type('_');
  await use(page.getByRole('button', { name: '%RUN_ID%' }).last());
  assert.match(await page.locator('#file_name-0').inputValue(), /_%RUN_ID%$/);
  await use(button('Next'));

  // Columns: one is moved, one dropped and added again out of the tree, one marked.
  await page.locator('#preview pre', { hasText: 'crm_id' }).waitFor();
  await use(button('Move down crm_id'));
  await page.locator('#preview pre', { hasText: 'email,crm_id' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Move down crm_id', 'the focus stays with the row');
  await use(button('Remove country'));
  await page.locator('[data-row]').nth(4).waitFor();
  await page.getByRole('button', { name: 'Remove country' }).waitFor({ state: 'detached' });
  await use(page.locator('#fields button[title=country]'));
  await button('Remove country').waitFor();
  await reach(page.locator('#rule-1'));
  await press('ArrowDown');
  await use(button('Next'));
  await page.getByText('What would be sent of By keys').waitFor();
  await use(button('Finish'));
  await page.getByText('Saved').waitFor();

  // A dialog holds the focus, Escape gives it back, and the run is watched to its end.
  const opener = page.getByRole('main').getByRole('button', { name: 'Run now' });
  const dialog = page.getByRole('dialog');
  await use(opener);
  await dialog.waitFor();
  for (let stop = 0; stop < 5; stop += 1) {
    await press('Tab');
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('dialog') !== null), 'the dialog keeps the focus');
  }
  await press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Run now', 'the focus is where it was');
  await press('Enter');
  await use(dialog.getByRole('button', { name: 'Run now' }));
  await page.waitForURL(/\/runs/);
  await page.locator('.title .badge', { hasText: 'Delivered' }).waitFor();

  // On a narrow window the menu is opened, walked and left.
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 800 });
  await page.goto(`${origin}/runs`);
  await use(button('Open the menu'));
  await reach(link('Destinations'));
  await press('Escape');
  await link('Destinations').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()), 'Open the menu');
  await page.setViewportSize(size);
}
