// Debian's Chromium, headless, driven by Playwright.
import {chromium} from 'playwright-core';
import {spkiHash} from './certs.mjs';

// The run's certificate authority is not the system's: its servers' keys are pinned instead, so TLS is checked all the same.
export function launch(town, {headless = true, args = []} = {}) {
  const pins = [town.appTls, town.relayTls, town.idpTls].map(({cert}) => spkiHash(cert)).join(',');
  return chromium.launch({
    executablePath: '/usr/bin/chromium', headless,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', `--ignore-certificate-errors-spki-list=${pins}`, ...args],
  });
}

export async function newPage(browser, {width = 1200, height = 860} = {}) {
  const context = await browser.newContext({viewport: {width, height}, locale: 'sv-SE', timezoneId: 'Europe/Stockholm'});
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  return page;
}

export const mark = (page, id) => page.getByTestId(id);

// Through the identity provider's own page.
export async function logIn(page, town, name) {
  await page.goto(`${town.appOrigin}/`);
  await logInHere(page, name);
}

// On the page that shows the login.
export async function logInHere(page, name) {
  await mark(page, 'login-start').first().click();
  await page.locator('input[name=user]').fill(name);
  await page.getByRole('button', {name: 'Logga in'}).click();
  await page.locator('[data-testid=app][data-state=ready]').waitFor().catch(async (error) => {
    throw new Error(`${error.message}: ${page.url().split('?')[0]} ${await mark(page, 'app').evaluate((app) => JSON.stringify(app.dataset)).catch(() => 'no app')}`);
  });
}

export async function logOut(page) {
  await mark(page, 'logout').click();
  await mark(page, 'login').waitFor();
}
