// Opens every page of a folder in a browser, in both languages and colour schemes, wide and narrow, and
// fails on a violation of WCAG 2.2 AA, an error on the console, a request to another origin, a page that
// is wider than the window, one that is not fit to be printed, or one that looks different from its picture.
// Usage: node check.mjs FOLDER PICTURES [--renew] [--shots FOLDER]
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { TIMEOUT, launch, listen, look, printed } from './checks.mjs';
import { compare, forgotten, take } from './pictures.mjs';

const root = path.resolve(process.argv[2]);
const pictures = path.resolve(process.argv[3]);
const renews = process.argv.includes('--renew');
const asked = process.argv.indexOf('--shots');
const shots = asked > 0 ? path.resolve(process.argv[asked + 1]) : null;
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

/** Serves the folder as the product does, with its content security policy. */
function serve(request, response) {
  const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  const file = path.join(root, name);
  if (request.method === 'POST') {
    // Shares of values, which only a server knows.
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    return;
  }
  if (!file.startsWith(root) || !fs.existsSync(file) || fs.statSync(file).isDirectory()) {
    // The icon that browsers ask for by themselves, and streams that only a server has.
    response.writeHead(204).end();
    return;
  }
  const headers = { 'content-type': types[path.extname(file)], 'content-security-policy': policy };
  response.writeHead(200, headers).end(fs.readFileSync(file));
}

/** The pages of a set, by name. */
function pages(set) {
  const all = fs.readdirSync(path.join(root, set), { encoding: 'utf8' });
  return all.filter((name) => name.endsWith('.html')).map((name) => path.basename(name, '.html')).sort();
}

const server = http.createServer(serve).listen(0, '127.0.0.1');
await new Promise((ready) => server.once('listening', ready));
const origin = `http://127.0.0.1:${server.address().port}`;
const { browser, close } = await launch();
const problems = [];
let opened = 0;
if (renews) {
  fs.rmSync(pictures, { recursive: true, force: true });
  fs.mkdirSync(pictures, { recursive: true });
}
const blank = await (await browser.newContext()).newPage();
// Each page in both languages, both schemes, wide and narrow; the pictures are of the first two rows.
const views = [
  ['en', 'light', 1360, ''],
  ['fr', 'dark', 360, '-narrow'],
  ['fr', 'dark', 1360, null],
  ['files', 'light', 1360, null],
];
const pictured = [];
for (const [set, scheme, width, suffix] of views.filter(([, , , suffix]) => suffix !== null || !renews)) {
  // The checker is put into the page from outside, which the policy of the page forbids.
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: 'reduce', bypassCSP: true });
  const page = await context.newPage();
  let where = '';
  const report = (text) => problems.push(`${where}: ${text}`);
  listen(page, origin, report);
  for (const name of pages(set)) {
    where = `${set}/${name} (${scheme}, ${width})`;
    await page.goto(`${origin}/${set}/${name}.html`);
    opened += 1;
    if (suffix !== null) {
      const own = `${name}${suffix}`;
      const taken = await take(page);
      pictured.push(own);
      const kept = path.join(pictures, `${own}.webp`);
      if (renews) fs.writeFileSync(kept, taken);
      else {
        const different = await compare(blank, kept, taken);
        if (different) {
          report(`${different}; if it is meant so, renew the pictures with .ci/browser --renew`);
          const seen = path.join(root, 'different');
          fs.mkdirSync(seen, { recursive: true });
          fs.writeFileSync(path.join(seen, `${own}.webp`), taken);
        }
      }
    }
    // Whoever takes pictures wants to look at them first.
    if (!renews) await look(page, report);
    // Printed once in each language, out of the dark.
    if (!renews && scheme === 'dark' && width > 720) await printed(page, report);
    if (!renews && set === 'en') await printed(page, report);
    if (shots) {
      fs.mkdirSync(shots, { recursive: true });
      await page.screenshot({ path: path.join(shots, `${set}-${name}-${scheme}-${width}.png`), fullPage: true });
    }
  }
  await context.close();
}
for (const name of forgotten(pictures, pictured)) problems.push(`${name} is a picture of no page; renew the pictures`);
// With the policy in force, nothing of a page may be refused by it.
const context = await browser.newContext();
const strict = await context.newPage();
strict.setDefaultTimeout(TIMEOUT);
strict.on('console', (message) => message.type() === 'error' && problems.push(`${strict.url()}: ${message.text()}`));
for (const name of pages('en')) await strict.goto(`${origin}/en/${name}.html`);
await close();
server.close();
for (const problem of problems) console.error(problem);
console.log(`${opened} pages opened, ${pictured.length} ${renews ? 'pictures taken' : 'compared with their pictures'}, ${problems.length} problems`);
if (opened === 0 || problems.length > 0) process.exit(1);
