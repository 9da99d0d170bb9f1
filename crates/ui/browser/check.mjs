// Opens every page of a folder in a browser, in both colour schemes, wide and narrow, and fails on
// a violation of WCAG 2.2 AA, an error on the console, a request to another origin, or a page that
// is wider than the window. Usage: node check.mjs FOLDER [--shots FOLDER]
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { TIMEOUT, launch, listen, look } from './checks.mjs';

const root = path.resolve(process.argv[2]);
const shots = process.argv[3] === '--shots' ? path.resolve(process.argv[4]) : null;
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

/** Serves the folder as the product does, with its content security policy. */
function serve(request, response) {
  const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  const file = path.join(root, name);
  if (!file.startsWith(root) || !fs.existsSync(file) || fs.statSync(file).isDirectory()) {
    // The icon that browsers ask for by themselves, and streams that only a server has.
    response.writeHead(204).end();
    return;
  }
  const headers = { 'content-type': types[path.extname(file)], 'content-security-policy': policy };
  response.writeHead(200, headers).end(fs.readFileSync(file));
}

/** All pages of the folder. */
function pages() {
  const all = fs.readdirSync(root, { recursive: true, encoding: 'utf8' });
  return all.filter((name) => name.endsWith('.html')).sort();
}

const server = http.createServer(serve).listen(0, '127.0.0.1');
await new Promise((ready) => server.once('listening', ready));
const origin = `http://127.0.0.1:${server.address().port}`;
const { browser, close } = await launch();
const problems = [];
let opened = 0;
for (const scheme of ['light', 'dark']) {
  for (const width of [1360, 390]) {
    // The checker is put into the page from outside, which the policy of the page forbids.
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, bypassCSP: true });
    const page = await context.newPage();
    let where = '';
    const report = (text) => problems.push(`${where}: ${text}`);
    listen(page, origin, report);
    for (const name of pages()) {
      where = `${name} (${scheme}, ${width})`;
      await page.goto(`${origin}/${name}`);
      opened += 1;
      await look(page, report);
      if (shots) {
        const file = path.join(shots, `${name.replace(/\.html$/, '').replaceAll('/', '-')}-${scheme}-${width}.png`);
        await page.screenshot({ path: file, fullPage: true });
      }
    }
    await context.close();
  }
}
// With the policy in force, nothing of a page may be refused by it.
const context = await browser.newContext();
const strict = await context.newPage();
strict.setDefaultTimeout(TIMEOUT);
strict.on('console', (message) => message.type() === 'error' && problems.push(`${strict.url()}: ${message.text()}`));
for (const name of pages()) await strict.goto(`${origin}/${name}`);
await close();
server.close();
for (const problem of problems) console.error(problem);
console.log(`${opened} pages opened, ${problems.length} problems`);
if (opened === 0 || problems.length > 0) process.exit(1);
