import { fileURLToPath } from "node:url";
import sharp from "sharp";

/** Draws the page's icons from icon.svg. Icons that systems cut to a shape have the background up to the edge. */

const FOLDER = fileURLToPath(new URL("../demo/public/icons/", import.meta.url));
const GROUND = "#0f766e"; // as in icon.svg
/** A system may hide everything outside a disc of 80 % of a maskable icon. */
const SAFE = 0.8;

/**
 * @param {string} name
 * @param {number} size       in pixels, of the square
 * @param {{ fill?: number }} [options]  share of the square that the drawing fills; the background fills the square
 */
async function draw(name, size, { fill } = {}) {
  const drawn = Math.round(size * (fill ?? 1));
  const svg = sharp(`${FOLDER}icon.svg`, { density: (72 * drawn) / 64 }).resize(drawn, drawn);
  const icon = fill === undefined ? svg : svg.flatten({ background: GROUND }).extend(border(size - drawn));
  await icon.png({ compressionLevel: 9, palette: true, effort: 10 }).toFile(`${FOLDER}${name}.png`);
}

/** @param {number} pixels  in both directions together */
function border(pixels) {
  const before = Math.floor(pixels / 2);
  const after = pixels - before;
  return { top: before, left: before, bottom: after, right: after, background: GROUND };
}

await draw("icon-192", 192);
await draw("icon-512", 512);
await draw("icon-maskable-512", 512, { fill: SAFE });
await draw("apple-touch-icon", 180, { fill: 1 });
