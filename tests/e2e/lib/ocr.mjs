// Reads what is burnt into a picture, with tesseract(1).
import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';

function read(png, whitelist) {
  return execFileSync('tesseract', [png, 'stdout', '--psm', '7', '-c', `tessedit_char_whitelist=${whitelist}`, '--dpi', '150'],
    {stdio: ['ignore', 'pipe', 'ignore']}).toString().trim();
}

// Whether two codes are the same to tesseract, which among digits takes a J of this font for a 3 and a T for a 7.
const folded = (code) => code.replaceAll('J', '3').replaceAll('T', '7');
export const alike = (one, other) => folded(one) === folded(other);

// Paints a part of the canvas enlarged into a PNG: `part` gives {x, y, width, height} as fractions.
async function crop(canvas, part, path) {
  const url = await canvas.evaluate((source, {x, y, width, height}) => {
    const out = document.createElement('canvas');
    const scale = 2;
    out.width = source.width * width * scale;
    out.height = source.height * height * scale;
    out.getContext('2d').drawImage(source, source.width * x, source.height * y, source.width * width, source.height * height, 0, 0, out.width, out.height);
    return out.toDataURL('image/png');
  }, part);
  writeFileSync(path, Buffer.from(url.split(',')[1], 'base64'));
}

// -> {identifier, code, time (RFC 3339), viewer} as the screen shows them now. The boxes' places follow from the caption's
// font: letters 0.0331 of the height wide each, at 12 px from the edges.
export async function readCaption(canvas, {path, viewer}) {
  const {width, height} = await canvas.evaluate((source) => ({width: source.width, height: source.height}));
  const letter = (height * 0.055 * 0.602) / width;
  const edge = 12 / width;
  const top = {y: 8 / height, height: 0.075};
  const field = (from, count) => ({...top, x: Math.max(0, edge + letter * from - letter * 0.3), width: letter * (count + 0.6)});
  const alphabet = '2346789ACDEFHJKMNPRTWXY';
  await crop(canvas, field(0, 6), `${path}-identifier.png`);
  await crop(canvas, field(7, 4), `${path}-code.png`);
  await crop(canvas, field(12, 10), `${path}-date.png`);
  await crop(canvas, field(23, 8), `${path}-time.png`);
  await crop(canvas, {x: Math.max(0, edge - letter * 0.3), width: letter * (viewer.length + 0.6), y: 1 - 0.095, height: 0.09}, `${path}-viewer.png`);
  return {
    identifier: read(`${path}-identifier.png`, alphabet), code: read(`${path}-code.png`, alphabet),
    time: `${read(`${path}-date.png`, '0123456789-')}T${read(`${path}-time.png`, '0123456789:').slice(0, 8)}Z`, viewer: read(`${path}-viewer.png`, 'abcdefghijklmnopqrstuvwxyz.'),
  };
}
