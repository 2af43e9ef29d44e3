// Signs on the staff app's page "Underteckna", as the person whose task it is.
import {logIn, logOut, mark, newPage} from './chromium.mjs';

// Logs in as `name` in a browser of their own, does `tasks(page)` on the page, logs out.
export async function asPerson(browser, town, name, tasks) {
  const page = await newPage(browser);
  await logIn(page, town, name);
  const done = await tasks(page);
  await logOut(page);
  await page.context().close();
  return done;
}

// Composes the order `body` (its type's own members) and signs it. -> the order's hash, or the draft's id when `second`
// {person, role} has to sign as well.
export async function compose(page, body, {second, resident} = {}) {
  await mark(page, 'nav-sign').click();
  await mark(page, 'compose-type').selectOption(body.type);
  await page.locator('details:not([open]) > summary').first().click({timeout: 1000}).catch(() => {});
  await mark(page, 'compose-json').fill(JSON.stringify(body, null, 1));
  if (resident) {
    await mark(page, 'resident-name').fill(resident.name);
    await mark(page, 'resident-address').fill(resident.address);
  }
  if (second) {
    await mark(page, 'second-person').fill(second.person);
    if (second.role) await mark(page, 'second-role').selectOption(second.role);
  }
  const words = mark(page, 'compose-words');
  await words.waitFor();
  const shown = await words.innerText();
  await mark(page, 'compose-sign').click();
  const status = page.locator('[data-testid=sign-status]:is([data-state=signed],[data-state=draft],[data-state=problem])');
  await status.waitFor();
  const {state, reason, hash, draft} = await status.evaluate((element) => ({...element.dataset}));
  if (state === 'problem') throw new Error(`${body.type}: ${reason}`);
  return {hash, draft, shown};
}

// Signs every draft that waits for this person.
export async function signDrafts(page, count) {
  await mark(page, 'nav-sign').click();
  for (let i = 0; i < count; ++i) {
    const left = mark(page, 'draft-sign');
    await left.first().waitFor();
    const before = await left.count();
    await left.first().click();
    await page.waitForFunction((n) => document.querySelectorAll('[data-testid=draft-sign]').length < n, before);
  }
}
