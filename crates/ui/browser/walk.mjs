// Walks a real server as somebody new would: from the one-time link to files in a bucket, and through
// every page, by the pages alone. Each page is checked in both languages, both colour schemes, wide
// and at 360 pixels. Needs the service that `.ci/seaweedfs` starts.
// Usage: node walk.mjs BINARY [--shots FOLDER]
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { TIMEOUT, launch, listen, look } from './checks.mjs';
import { manyFields } from './fields.mjs';
import { byKeyboard } from './keyboard.mjs';

const binary = path.resolve(process.argv[2]);
const asked = process.argv.indexOf('--shots');
const shots = asked > 0 ? path.resolve(process.argv[asked + 1]) : null;
const service = {
  endpoint: process.env.SEGUE_TEST_S3_ENDPOINT,
  key: process.env.SEGUE_TEST_S3_ACCESS_KEY,
  secret: process.env.SEGUE_TEST_S3_SECRET_KEY,
  bucket: process.env.SEGUE_TEST_S3_BUCKET,
};
// A service that knows roles, with a user who may do nothing yet.
const roles = {
  endpoint: process.env.SEGUE_WALK_ROLES_ENDPOINT,
  key: process.env.SEGUE_WALK_ROLES_ACCESS_KEY,
  secret: process.env.SEGUE_WALK_ROLES_SECRET_KEY,
  user: process.env.SEGUE_WALK_ROLES_USER,
  bucket: 'segue-by-role',
};
const password = 'a canary of four words';

/** A project with invented people, as a data engineer would leave it. */
function project() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'segue-walk-'));
  const countries = ['FR', 'BE', 'CH', 'DE', 'IT'];
  const lines = ['crm_id,email,first_name,country,points,modified_at'];
  for (let at = 1; at <= 150_000; at += 1) {
    const mail = at % 17 === 0 ? '' : `person.${at}@example.com`;
    lines.push(`C-${at},${mail},"Zoé ${at}",${countries[at % 5]},${(at * 7919) % 10_000},2026-01-0${1 + (at % 9)}T08:00:00Z`);
  }
  fs.writeFileSync(path.join(folder, 'people.csv'), `${lines.join('\n')}\n`);
  fs.writeFileSync(
    path.join(folder, 'segue.yaml'),
    `version: 1
name: Maison Aubert
datasets:
  people:
    location: people.csv
    identities: { crm_id: CRMID, email: Email }
    timestamp: modified_at
    labels: { first_name: [I2], email: [I1] }
policies:
  partners: { name: No first names to partners, marketing_actions: [partner-mailing], labels: [I2] }
segments:
  luxury: { name: Luxury audience, rule: "points >= 6000 AND country IN ('FR', 'BE', 'CH')" }
  newsletter: { name: Newsletter, rule: "points < 3000" }
`,
  );
  fs.mkdirSync(path.join(folder, 'outbox'));
  return folder;
}

/** Starts the server and waits for the link that it prints. */
async function serve(folder) {
  const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--outbox', path.join(folder, 'outbox')], {
    cwd: folder,
    env: { ...process.env, AWS_ACCESS_KEY_ID: roles.key, AWS_SECRET_ACCESS_KEY: roles.secret, AWS_EC2_METADATA_DISABLED: 'true' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const lines = readline.createInterface({ input: child.stderr });
  const link = await new Promise((ready, failed) => {
    const late = setTimeout(() => failed(new Error('the server did not print its link')), TIMEOUT);
    lines.on('line', (line) => {
      const found = line.match(/http:\S+\/setup#\S+/);
      if (!found) return;
      clearTimeout(late);
      ready(found[0]);
    });
    child.on('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  });
  return { child, link };
}

/** Makes the bucket of a service that was just started, with a request signed by version 4. */
async function makeBucket(service) {
  const hash = (text) => crypto.createHash('sha256').update(text).digest('hex');
  const mac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();
  const url = new URL(`/${service.bucket}`, service.endpoint);
  const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${at.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const headers = { host: url.host, 'x-amz-content-sha256': hash(''), 'x-amz-date': at };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('');
  const asked = ['PUT', url.pathname, '', lines, names, hash('')].join('\n');
  const key = scope.split('/').reduce(mac, `AWS4${service.secret}`);
  const signature = mac(key, ['AWS4-HMAC-SHA256', at, scope, hash(asked)].join('\n')).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${service.key}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const answer = await fetch(url, { method: 'PUT', headers: { ...headers, authorization } });
  assert.ok(answer.ok || answer.status === 409, `the bucket is made: ${answer.status} ${await answer.text()}`);
}

/** Does in IAM what an administrator of the account would do by hand; the root key needs no secret there. */
async function administrate(action, fields) {
  const authorization = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0';
  const body = new URLSearchParams({ Version: '2010-05-08', Action: action, ...fields });
  const answer = await fetch(roles.endpoint, { method: 'POST', headers: { authorization }, body });
  const text = await answer.text();
  assert.ok(answer.ok, `${action}: ${answer.status} ${text}`);
  return text;
}

/**
 * The way to the service. It can be held: a run then waits for it and is seen while it goes on. It can be
 * cut: a run then fails, and waits for its next attempt.
 */
function way() {
  const { hostname, port } = new URL(service.endpoint);
  const pairs = new Set();
  let held = false;
  let cut = false;
  const door = net.createServer((client) => {
    if (cut) return client.destroy();
    const upstream = net.connect(Number(port), hostname);
    const pair = { client, upstream };
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    pairs.add(pair);
    if (!held) client.pipe(upstream);
    upstream.pipe(client);
  });
  return {
    open: () => new Promise((ready) => door.listen(0, '127.0.0.1', () => ready(`http://127.0.0.1:${door.address().port}`))),
    hold: () => {
      held = true;
      for (const { client, upstream } of pairs) client.unpipe(upstream);
    },
    release: () => {
      held = false;
      for (const { client, upstream } of pairs) client.pipe(upstream);
    },
    cut: () => {
      cut = true;
      for (const { client } of pairs) client.destroy();
    },
    mend: () => {
      cut = false;
    },
    close: () => {
      door.close();
      for (const { client } of pairs) client.destroy();
    },
  };
}

const problems = [];
const folder = project();
const there = way();
const endpoint = await there.open();
await makeBucket(service);
await makeBucket(roles);
const { child, link } = await serve(folder);
const origin = new URL(link).origin;
const { browser, close } = await launch();
const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, timezoneId: 'Europe/Paris', bypassCSP: false });
const page = await context.newPage();
let where = 'the walk';
const report = (text) => problems.push(`${where}: ${text}`);
listen(page, origin, report);

async function shot(name) {
  if (!shots) return;
  fs.mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
}
/** Waits until no run is under way. */
async function atRest() {
  await page.goto(`${origin}/runs`);
  const late = Date.now() + 90_000;
  while (await page.locator('table .badge', { hasText: /Waiting|Running|Publishing/ }).count()) {
    assert.ok(Date.now() < late, `runs that do not end: ${await page.locator('table').innerText()}`);
    await page.waitForTimeout(200);
    await page.reload();
  }
}
const title = async (text) => page.getByRole('heading', { level: 1, name: text }).waitFor();
const press = (name) => page.getByRole('button', { name, exact: true });

try {
  // From the link to the home page.
  await page.goto(link);
  await title('Welcome to Segue');
  assert.equal(new URL(page.url()).hash, '', 'the code does not stay in the address');
  await shot('set-up');
  await page.getByLabel('User name').fill('camille');
  await page.getByLabel('Password').fill(password);
  await press('Create the administrator').click();
  await page.getByText('Nothing has been sent yet').waitFor();

  // A segment is made of a rule, which is tried while it is typed; two people change it at once.
  await page.goto(`${origin}/segments`);
  await page.getByRole('link', { name: 'New segment' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill('Loyal');
  await page.locator('#rule').fill('points >= 9000');
  await page.getByText('Exact count').waitFor();
  await shot('segment-new');
  await press('Save as a segment').click();
  await title('Loyal');
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await title('Edit Loyal');
  const other = await context.newPage();
  await other.goto(`${origin}/segments/loyal/edit`);
  await other.locator('#rule').fill('points >= 9100');
  await other.getByRole('button', { name: 'Save changes' }).click();
  await other.getByText('Saved').waitFor();
  await other.close();
  await page.locator('#rule').fill('points >= 9200');
  await press('Save changes').click();
  await title('Loyal was changed meanwhile');
  await look(page, report);
  await shot('conflict');
  await press('Save my version').click();
  await page.getByText('Saved').waitFor();
  assert.ok((await page.locator('main').textContent()).includes('9200'), 'the version that was saved last');

  // A destination is connected. The lines are shown as they would be written, and at the end each
  // permission is tried.
  await page.goto(`${origin}/destinations`);
  await page.getByRole('link', { name: 'MinIO' }).click();
  await title('Connect a destination');
  await page.getByLabel('Access key id').fill(service.key);
  await page.getByLabel('Secret access key').fill(service.secret);
  await page.getByLabel('Endpoint').fill(endpoint);
  await shot('connect-account');
  await press('Next').click();
  await page.getByLabel('Name', { exact: true }).fill('Partner');
  await page.getByLabel('Bucket', { exact: true }).fill(service.bucket);
  await page.getByLabel('Folder').fill('walk/%SEGMENT_NAM%');
  await page.locator('#preview .note.bad', { hasText: 'SEGMENT_NAM' }).waitFor();
  await page.getByLabel('Folder').fill('walk/');
  await page.getByRole('button', { name: '%SEGMENT_NAME%' }).click();
  await page.locator('#preview .address', { hasText: 's3://' }).waitFor();
  await page.getByLabel('Marketing actions').fill('partner-mailing');
  await shot('connect-place');
  await press('Next').click();
  await page.locator('#preview pre', { hasText: 'crm_id,email' }).waitFor();
  await page.getByLabel('Delimiter').selectOption(';');
  await page.locator('#preview pre', { hasText: 'crm_id;email' }).waitFor();
  await shot('connect-format');
  // Leaving and coming back loses nothing.
  await page.goto(`${origin}/`);
  await page.goto(`${origin}/connect/place`);
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Partner');
  await page.goto(`${origin}/connect/review`);
  await shot('connect-review');
  await press('Connect and check').click();
  await page.getByText('s3:PutObject', { exact: true }).first().waitFor();
  await page.locator('#permissions .badge.live').first().waitFor({ state: 'detached' });
  await page.getByText('Ready: everything that is needed is permitted').waitFor();
  assert.ok(await page.locator('.badge.ok', { hasText: 'Granted' }).count() > 3, 'permissions are granted');
  await shot('destination-checked');

  // A folder of the server is a destination too; another folder than the operator allowed is refused.
  await page.goto(`${origin}/destinations`);
  await page.getByRole('link', { name: 'Local folder' }).click();
  await press('Next').click();
  await page.getByLabel('Name', { exact: true }).fill('Disk');
  await page.getByLabel('Folder of this machine').fill('/etc');
  await page.locator('#preview .note.bad', { hasText: 'not one that destinations may be in' }).waitFor();
  await page.getByLabel('Folder of this machine').fill(path.join(folder, 'outbox', 'disk'));
  await page.locator('#preview .address', { hasText: 'outbox/disk' }).waitFor();
  await shot('connect-folder');
  await press('Next').click();
  await press('Next').click();
  await press('Connect and check').click();
  await page.getByText('Ready: everything that is needed is permitted').waitFor();
  await shot('destination-folder');

  // By a role: its trust policy and external id stand there before it exists, are copied into the account
  // of the bucket, and then every permission is tried as the role.
  await page.goto(`${origin}/connect/account`);
  await page.getByLabel('Account', { exact: true }).selectOption('');
  await page.getByLabel('Service').selectOption('ceph');
  await page.getByLabel('Signs in with').selectOption('assume-role');
  const arn = 'arn:aws:iam::000000000000:role/segue-walk';
  await page.getByLabel('Role', { exact: true }).fill(arn);
  await page.getByLabel('Endpoint', { exact: true }).fill(roles.endpoint);
  const copied = async (name) => page.getByRole('button', { name, exact: true }).getAttribute('data-copy');
  await page.getByText('Trust policy of the role', { exact: true }).first().waitFor();
  const externalId = await copied('Copy the external id');
  const trust = await copied('Copy the trust policy');
  assert.match(externalId, /^segue-[0-9a-f-]{36}$/);
  assert.ok(trust.includes(externalId), 'the trust policy asks for the external id');
  await look(page, report);
  await shot('connect-role');
  const user = `arn:aws:iam::000000000000:user/${roles.user}`;
  await administrate('CreateRole', { RoleName: 'segue-walk', AssumeRolePolicyDocument: trust.replace('ARN-OF-WHO-RUNS-SEGUE', user) });
  const may = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: arn }] };
  await administrate('PutUserPolicy', { UserName: roles.user, PolicyName: 'segue', PolicyDocument: JSON.stringify(may) });
  await press('Next').click();
  await page.getByLabel('Name', { exact: true }).fill('By role');
  await page.getByLabel('Bucket', { exact: true }).fill(roles.bucket);
  await page.locator('#preview .address', { hasText: roles.bucket }).waitFor();
  await press('Next').click();
  await press('Next').click();
  const policy = await copied('Copy the policy');
  assert.ok(policy.includes('s3:PutObject'), 'the policy to paste');
  await shot('connect-role-review');
  await press('Connect and check').click();
  // Nothing is permitted yet, and each permission says so; then the policy is pasted, and all are.
  await page.locator('.badge.bad', { hasText: 'Missing' }).first().waitFor();
  await page.locator('#permissions .badge.live').first().waitFor({ state: 'detached' });
  await shot('destination-role-missing');
  await administrate('PutRolePolicy', { RoleName: 'segue-walk', PolicyName: 'segue', PolicyDocument: policy });
  await press('Check now').click();
  await page.getByText('Ready: everything that is needed is permitted').waitFor();
  await look(page, report);
  await shot('destination-role');

  // The account that was made on the way is changed: the secret that is kept stays.
  await page.goto(`${origin}/destinations`);
  await page.getByRole('link', { name: 'minio', exact: true }).click();
  await title('minio');
  await shot('account');
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.getByLabel('Signs in with').selectOption('assume-role');
  await page.getByLabel('Role', { exact: true }).waitFor({ state: 'visible' });
  assert.equal(await page.getByLabel('Access key id').isVisible(), false, 'what another way needs is hidden');
  await page.getByLabel('Signs in with').selectOption('access-key');
  await page.getByLabel('Region').fill('eu-west-3');
  await shot('account-edit');
  await press('Save changes').click();
  await page.getByText('eu-west-3').waitFor();

  // Segments are activated: when, under which names, with which columns, and how many rows that is.
  await page.goto(`${origin}/activations`);
  await page.getByRole('link', { name: 'Activate segments' }).first().click();
  await press('Next').click();
  await page.getByText('Tick at least one.').waitFor();
  await page.getByLabel('Luxury audience').check();
  await page.getByLabel('Newsletter').check();
  await page.getByLabel('Loyal').check();
  await page.getByLabel('Key').fill('partner-daily');
  // Exactly how many, and a few of them, masked.
  await page.getByText('Count and sample Luxury audience').click();
  await page.getByRole('heading', { name: 'Sample of members' }).waitFor();
  await page.getByText('Exact count').waitFor();
  assert.equal(await page.locator('#segments', { hasText: '@example.com' }).count(), 0, 'masked');
  await shot('activate-segments');
  await press('Next').click();
  await page.locator('#zone').fill('Europe/Pari');
  await page.locator('#preview .note.bad').first().waitFor();
  await page.locator('#zone').fill('Europe/Paris');
  await page.locator('#preview', { hasText: 'Europe/Paris' }).locator('li').first().waitFor();
  await page.locator('#preview .calendar .slot').first().waitFor();
  await page.locator('#at-0').fill('25:00');
  await page.locator('#preview .note.bad').first().waitFor();
  const line = page.locator('.exports [data-says="when"]').first();
  await page.locator('#at-0').fill('06:45');
  assert.match(await line.textContent(), /· 06:45$/, 'the line follows what is filled in below it');
  await page.locator('#frequency-0').selectOption('none');
  assert.doesNotMatch(await line.textContent(), /:/);
  await page.locator('#frequency-0').selectOption('daily');
  await page.locator('#at-0').fill('06:00');
  await page.locator('#preview .calendar .slot').first().waitFor();
  await shot('activate-schedule');
  // Two of the three get another time and name together; the third stays as it is.
  await page.getByText('For several segments at once').click();
  const bulk = page.locator('.bulk');
  await bulk.getByLabel('At', { exact: true }).fill('07:30');
  await press('Apply').click();
  await page.getByText('No segment is ticked.').waitFor();
  await page.getByLabel('Tick Luxury audience').check();
  await page.getByLabel('Tick Newsletter').check();
  await page.getByText('For several segments at once').click();
  assert.equal(await bulk.getByLabel('At', { exact: true }).inputValue(), '07:30', 'what was filled in is kept');
  await bulk.getByLabel('File name').fill('%SEGMENT_NAME%_%DATETIME(yyyy-MM-dd)%');
  await shot('activate-bulk');
  await press('Apply').click();
  await page.waitForURL(/from=0/);
  await page.locator('#at-0').waitFor();
  assert.deepEqual(await Promise.all([0, 1, 2].map((at) => page.locator(`#at-${at}`).inputValue())), ['07:30', '07:30', '06:00']);
  await page.locator('#preview', { hasText: /Luxury_audience_\d{4}-/ }).waitFor();
  await press('Next').click();
  await page.locator('#preview pre', { hasText: 'crm_id' }).waitFor();
  await page.locator('#fields .share', { hasText: '%' }).first().waitFor();
  const source = page.getByLabel('From', { exact: true }).first();
  await source.fill('crm_di');
  await page.locator('#preview .note.bad', { hasText: 'crm_di' }).waitFor();
  await page.locator('[data-row] input[aria-invalid=true]').first().waitFor();
  await source.fill('= upper(crm_id');
  await page.locator('#preview .note.bad').waitFor();
  await source.fill('crm_id');
  await page.locator('#preview pre', { hasText: 'crm_id' }).waitFor();
  // By keyboard alone.
  await page.getByRole('button', { name: 'Move down crm_id' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('#preview pre', { hasText: 'email;crm_id' }).waitFor();
  await page.getByLabel('Column', { exact: true }).first().fill('e_mail');
  await page.locator('#preview pre', { hasText: 'e_mail;crm_id' }).waitFor();
  await shot('activate-attributes');
  await press('Next').click();
  // A policy keeps a labelled field from what the destination is used for; nothing is saved before it is gone.
  await page.getByText('No first names to partners').waitFor();
  await page.locator('.policies .badge.bad', { hasText: 'Blocks' }).waitFor();
  await page.getByText('What would be sent of Luxury audience').waitFor();
  await look(page, report);
  await shot('activate-forbidden');
  await press('Finish').click();
  await page.locator('.notice', { hasText: 'first_name' }).waitFor();
  await press('Back').click();
  await page.getByRole('button', { name: 'Remove first_name' }).click();
  await page.locator('#preview pre', { hasText: 'e_mail' }).waitFor();
  await press('Next').click();
  await page.locator('.policies .badge.ok', { hasText: 'Holds' }).waitFor();
  await page.getByText('What would be sent of Luxury audience').waitFor();
  await page.getByText(/of [\d,]+ profiles/).first().waitFor();
  await shot('activate-review');
  await press('Finish').click();
  await page.getByText('Saved').waitFor();

  // Changed in the same steps, with nothing else lost.
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.getByRole('link', { name: 'Schedule' }).click();
  await page.locator('#end-0').fill('2030-12-31');
  await press('Next').click();
  await press('Next').click();
  await press('Save changes').click();
  await page.getByText('Saved').waitFor();

  // Run now, watched to its end without a reload by hand.
  there.hold();
  await page.getByRole('button', { name: 'Run now' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Run now' }).click();
  await page.waitForURL(/\/runs/);
  await page.locator('table').getByRole('link', { name: 'Luxury audience' }).first().click();
  // How far it is, is told while it goes on.
  await page.locator('[data-live]').first().waitFor();
  await shot('run-live');
  there.release();
  await page.locator('.title .badge', { hasText: 'Delivered' }).waitFor();
  await shot('run-delivered');
  const run = page.url();
  const listed = await page.locator('[data-copy^="s3://"]').count();
  assert.ok(listed >= 2, 'the page names the file and the manifest');

  // The run of a segment that is not delivered, as the list has it.
  const newest = (segment) => page.locator('tr', { hasText: segment }).filter({ hasNotText: 'Delivered' }).getByRole('link', { name: segment }).first();
  // The file of today is there, and its name has no time: the run says so and changes nothing.
  await atRest();
  await page.goto(`${origin}/activations/partner-daily`);
  await page.getByRole('main').getByRole('button', { name: 'Run now' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Run now' }).click();
  await page.waitForURL(/\/runs/);
  await newest('Newsletter').click();
  await page.locator('.title .badge', { hasText: 'Failed' }).waitFor();
  await page.getByText('already holds what run').waitFor();
  await look(page, report);
  await shot('run-name-taken');

  // The bucket is away: the run fails and says when it is tried again. Tried again by hand once the bucket
  // is back, its page follows it to its end without a reload. A run that is still under way would be cut,
  // and the one that is meant would wait behind it.
  await atRest();
  there.cut();
  await page.goto(`${origin}/activations/partner-daily`);
  await page.getByRole('main').getByRole('button', { name: 'Run now' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Run now' }).click();
  await page.waitForURL(/\/runs/);
  await newest('Loyal').click();
  await page.locator('.title .badge', { hasText: 'To be retried' }).waitFor({ timeout: 90_000 });
  await page.getByText('The next attempt begins').waitFor();
  await look(page, report);
  await shot('run-retrying');
  there.mend();
  await press('Try again').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Try again' }).click();
  await page.locator('.title .badge', { hasText: 'Delivered' }).waitFor();

  // A file goes out through the role, too.
  await page.goto(`${origin}/activations`);
  await page.getByRole('link', { name: 'Activate segments' }).first().click();
  await page.locator('#destination').selectOption({ label: 'By role' });
  await page.getByLabel('Loyal').check();
  await page.getByLabel('Key').fill('by-role');
  for (const step of ['schedule', 'attributes', 'review']) {
    await press('Next').click();
    await page.waitForURL(new RegExp(`/${step}`));
  }
  await page.getByText('What would be sent of Loyal').waitFor();
  await press('Finish').click();
  await page.getByText('Saved').waitFor();
  await page.getByRole('main').getByRole('button', { name: 'Run now' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Run now' }).click();
  await page.waitForURL(/\/runs/);
  await page.locator('.title .badge', { hasText: 'Delivered' }).waitFor();
  assert.ok((await page.locator(`[data-copy^="s3://${roles.bucket}/"]`).count()) >= 1, 'the page names the file in the bucket of the role');
  await shot('run-by-role');
  await page.goto(run);

  // The same files are made again; they are there, so nothing is written.
  await press('Replay').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
  await page.getByText('Nothing was written: the files are where they were delivered').waitFor();
  await shot('run-replayed');
  await page.goto(`${origin}/runs`);
  await page.getByLabel('Destination').selectOption('partner');
  await page.waitForURL(/destination=partner/);
  await page.locator('table').getByRole('link', { name: 'Luxury audience' }).first().waitFor();
  await page.goto(`${origin}/runs?destination=disk`);
  await page.getByText('No run matches these filters').waitFor();
  await page.goto(`${origin}/runs?from=2020-01-01&to=2020-01-31`);
  await page.getByText('No run matches these filters').waitFor();

  // Again, and this time from the run that is there.
  await page.goto(`${origin}/activations/partner-daily`);
  // A dialog and the menu by keyboard alone: opened, left, and the focus is where it was.
  await page.getByRole('button', { name: 'Pause' }).first().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Pause');
  await page.getByRole('button', { name: 'camille' }).focus();
  await page.keyboard.press('Enter');
  await press('Sign out').waitFor({ state: 'visible' });
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement.closest('#me') !== null), 'the menu is reached');
  await page.keyboard.press('Escape');
  await press('Sign out').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Pause' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Slots that come due are skipped until you enable it again').waitFor();
  await shot('activation-paused');
  await page.getByRole('button', { name: 'Enable' }).first().click();
  await page.getByText('Slots that come due are delivered again').first().waitFor();

  // A rule while it is typed: wrong at its place, completed, right.
  await page.goto(`${origin}/rule`);
  const rule = page.locator('#rule');
  await rule.pressSequentially('poi');
  await page.getByRole('option', { name: 'points' }).waitFor();
  await rule.press('Enter');
  await rule.pressSequentially(" >= 6000 AND contry = 'FR'");
  await page.locator('.excerpt mark', { hasText: 'contry' }).waitFor();
  await shot('rule-wrong');
  await rule.fill("points >= 6000 AND country = 'FR'");
  await page.getByText('Exact count').waitFor();
  await shot('rule-right');

  // One person, masked, then with real values.
  await page.goto(`${origin}/profiles`);
  await page.getByLabel('Kind of identity').selectOption('CRMID');
  await page.getByLabel('Identity', { exact: true }).fill('C-4');
  await press('Look up').click();
  await page.getByText('Values are masked').waitFor();
  assert.equal(await page.getByText('person.4@example.com').count(), 0, 'masked');
  await shot('profile-masked');
  await page.getByLabel('Identity', { exact: true }).fill('C-4');
  await page.getByLabel('Show real values').check();
  await press('Look up').click();
  await page.getByText('person.4@example.com').first().waitFor();

  // A colleague and a token.
  await page.goto(`${origin}/settings`);
  await press('Add a user').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('User name').fill('jules');
  await dialog.getByLabel('Password').fill('short');
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await page.getByText('a password has at least 12 characters').waitFor();
  await press('Add a user').click();
  await page.getByRole('dialog').getByLabel('User name').fill('jules');
  await page.getByRole('dialog').getByLabel('Password').fill(password);
  await page.getByRole('dialog').getByRole('button', { name: 'Add a user' }).click();
  await page.getByText('The user can sign in now').waitFor();
  // Who may do what is one table; somebody gets another role and keeps the password.
  await page.getByLabel('New role').waitFor();
  assert.equal(await page.locator('.rights tbody tr').count(), 6);
  await page.locator('#role-user').selectOption('jules');
  await page.getByLabel('New role').selectOption('operator');
  await press('Change the role').click();
  await page.locator('.rights tr', { hasText: 'Operator' }).getByText('jules').waitFor();
  await shot('settings-roles');
  await press('Create a token').click();
  await page.getByRole('dialog').getByLabel('What it is for').fill('airflow');
  await page.getByRole('dialog').getByRole('button', { name: 'Create a token' }).click();
  await page.getByText('Copy the token now').waitFor();

  // The main job again, by keyboard alone.
  await byKeyboard(page, origin, path.join(folder, 'outbox', 'keys'), report);

  // More fields than a page lays out.
  await manyFields(browser, serve, password, report);

  // Every page, in both languages and schemes, wide and narrow.
  const places = ['/', '/runs', '/runs?state=failed', new URL(run).pathname, '/activations', '/activations/partner-daily', '/destinations', '/destinations/partner', '/destinations/disk', '/accounts/minio', '/accounts/minio/edit', '/connect/account', '/connect/place', '/connect/format', '/activate/segments', '/segments', '/segments/luxury', '/segments/loyal/edit', '/rule?segment=luxury', '/activations/partner-daily/edit', '/destinations/partner/edit', '/profiles', '/audit', '/settings', '/nothing'];
  const cookies = (await context.cookies()).filter((cookie) => !['segue-lang', 'segue-scheme'].includes(cookie.name));
  let opened = 0;
  const sights = ['en', 'fr'].flatMap((lang) => ['light', 'dark'].flatMap((scheme) => [1360, 360].map((width) => [lang, scheme, width])));
  for (const [lang, scheme, width] of sights) {
    const each = await browser.newContext({ viewport: { width, height: 860 }, colorScheme: scheme, timezoneId: 'Europe/Paris', bypassCSP: true });
    await each.addCookies([...cookies, { name: 'segue-lang', value: lang, url: origin }]);
    const sheet = await each.newPage();
    sheet.setDefaultTimeout(TIMEOUT);
    sheet.on('pageerror', (error) => report(`script: ${error.message}`));
    sheet.on('request', (request) => request.url().startsWith(origin) || report(`asks ${request.url()}`));
    for (const place of places) {
      where = `${place} (${lang}, ${scheme}, ${width})`;
      const answer = await sheet.goto(origin + place);
      const expected = place === '/nothing' ? 404 : 200;
      if (answer.status() !== expected) report(`answers ${answer.status()}`);
      if ((await sheet.locator('html').getAttribute('lang')) !== lang) report('is in another language');
      if (lang === 'fr') {
        const english = await sheet.locator('main [lang="en"]').allTextContents();
        for (const text of english.filter((text) => text.trim() !== '')) report(`is partly English: ${text.slice(0, 120)}`);
      }
      await look(sheet, report);
      opened += 1;
      if (shots) {
        const name = place === '/' ? 'home' : place.slice(1).replace(/[/?=]/g, '-').replace(/^runs-[0-9a-f]{8}-.*/, 'run');
        await sheet.screenshot({ path: path.join(shots, `${name}-${lang}-${scheme}-${width}.png`), fullPage: true });
      }
    }
    await each.close();
  }
  where = 'the walk';
  await page.getByRole('button', { name: 'camille' }).click();
  await press('Sign out').click();
  await page.getByText('You are signed out').waitFor();
  await page.goto(`${origin}/runs?state=failed`);
  await page.getByLabel('User name').fill('jules');
  await page.getByLabel('Password').fill(password);
  await press('Sign in').click();
  await page.waitForURL(`${origin}/runs?state=failed`);
  assert.equal(await page.getByRole('link', { name: 'Audit log' }).count(), 0, 'an operator has no audit log');
  console.log(`walked from the link to a delivered run; ${opened} pages opened, ${problems.length} problems`);
} catch (error) {
  report(error.stack ?? String(error));
  const seen = await page.locator('main').innerText({ timeout: 5_000 }).catch(() => 'nothing');
  console.error(`the page was ${page.url()}, and showed:\n${seen.slice(0, 2_000)}`);
  await shot('failed').catch(() => {});
} finally {
  await close();
  there.close();
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
  await new Promise((ready) => child.once('exit', ready));
  fs.rmSync(folder, { recursive: true, force: true });
}
// The page that is not there is said to be missing on the console as well.
const real = problems.filter((problem) => !/status of (404|412|422)/.test(problem));
for (const problem of real) console.error(problem);
if (real.length > 0) process.exit(1);
