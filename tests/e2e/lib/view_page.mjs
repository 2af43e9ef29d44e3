// What a member of staff does with a view, and what the page then tells.
import {mark} from './chromium.mjs';
import {until} from './processes.mjs';

export const row = (page, resident) => page.locator(`[data-testid=row][data-resident="${resident}"]`);

export async function look(page, resident) {
  await row(page, resident).getByTestId('look').first().click();
}

// The view's data attributes, numbers as numbers.
export function viewState(page) {
  return mark(page, 'view').evaluate((element) => Object.fromEntries(Object.entries(element.dataset)
    .map(([name, value]) => [name, /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value])), undefined, {timeout: 5000}).catch(() => ({}));
}

export const untilView = (page, what, probe, ms = 20000) => until(`view: ${what}`, async () => {
  const state = await viewState(page);
  return probe(state) ? state : null;
}, ms, 50).catch(async (error) => { throw new Error(`${error.message}; the page says ${JSON.stringify(await viewState(page))}`); });

export const untilPainted = (page, count, ms = 30000) => untilView(page, `${count} pictures painted`, (state) => state.painted >= count, ms);
export const untilRefused = (page, ms = 20000) => untilView(page, 'refused', (state) => state.state === 'refused' || state.state === 'ended', ms);

// Notes, from inside the page, every change of the view's marks with the time: for what happens between two looks.
export function watchView(page) {
  return page.evaluate(() => {
    globalThis.__watched = [];
    const note = () => {
      const view = document.querySelector('[data-testid=view]');
      if (view) globalThis.__watched.push({at: Date.now(), ...view.dataset});
    };
    new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
    note();
  });
}
export const watched = (page) => page.evaluate(() => globalThis.__watched);

// A fingerprint of the pixels on the canvas, to tell whether the picture changed.
export const pixels = (page) => mark(page, 'picture').evaluate((canvas) => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  let lit = 0;
  for (let i = 0; i < data.length; i += 4) { sum = (sum * 31 + data[i] * 3 + data[i + 1] * 5 + data[i + 2]) >>> 0; lit += data[i] + data[i + 1] + data[i + 2] > 30 ? 1 : 0; }
  return {sum, lit: lit / (data.length / 4)};
});
