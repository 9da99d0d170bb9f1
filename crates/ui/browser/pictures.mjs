// Pictures of pages: taken small, kept in the repository, and compared with what the pages look like now.
import fs from 'node:fs';
import path from 'node:path';

/** How much smaller than the page a picture is. */
const SCALE = 0.5;
/** How far a pixel may be off, of 255, before it counts as another one. */
const OFF = 24;
/** The share of pixels that may be other ones: letters are drawn a little differently by each version. */
const SHARE = 0.02;

/** Takes a picture of the page as it stands, as WebP. */
export async function take(page) {
  const session = await page.context().newCDPSession(page);
  const size = await page.evaluate(() => ({ width: document.documentElement.clientWidth, height: Math.min(document.documentElement.scrollHeight, 2_400) }));
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: 62,
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, ...size, scale: SCALE },
  });
  await session.detach();
  return Buffer.from(data, 'base64');
}

/** What is different from the picture that is kept, in words; nothing if it is the same for people. */
export async function compare(canvas, kept, taken) {
  if (!fs.existsSync(kept)) return 'has no picture yet';
  const found = await canvas.evaluate(
    async ([before, now, off]) => {
      const pixels = async (data) => {
        const image = new Image();
        image.src = `data:image/webp;base64,${data}`;
        await image.decode();
        const drawn = new OffscreenCanvas(image.width, image.height).getContext('2d');
        drawn.drawImage(image, 0, 0);
        return drawn.getImageData(0, 0, image.width, image.height);
      };
      const [one, other] = [await pixels(before), await pixels(now)];
      if (one.width !== other.width || Math.abs(one.height - other.height) > 12) return { size: `${other.width} × ${other.height}, was ${one.width} × ${one.height}` };
      const rows = Math.min(one.height, other.height);
      let count = 0;
      for (let at = 0; at < rows * one.width * 4; at += 4) {
        const apart = Math.max(...[0, 1, 2].map((colour) => Math.abs(one.data[at + colour] - other.data[at + colour])));
        if (apart > off) count += 1;
      }
      return { share: count / (rows * one.width) };
    },
    [fs.readFileSync(kept).toString('base64'), taken.toString('base64'), OFF],
  );
  if (found.size) return `has another size: ${found.size}`;
  if (found.share > SHARE) return `looks different: ${(found.share * 100).toFixed(1)} % of it`;
  return null;
}

/** Removes pictures of pages that are not there any more, and says which. */
export function forgotten(folder, names) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).filter((name) => name.endsWith('.webp') && !names.includes(path.basename(name, '.webp')));
}
