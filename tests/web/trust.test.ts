import { b64, utf8 } from '@web/protocol/bytes';
import { canonicalJson, type JsonObject, parseJson } from '@web/protocol/json';
import { isNewer, openBundle, openRootList, readFleetRoot } from '@web/protocol/trust';
import { at, makeRootKey, sealTrust, Town } from './town';

const reasonOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'accepted', (error: { reason?: string }) => error.reason ?? String(error));

describe('the root list', async () => {
  const town = await Town.found();
  const root = readFleetRoot(parseJson(canonicalJson(town.fleetRoot())));
  const open = (text: string) => reasonOf(openRootList(text, root));

  it('counts when enough different keys of the fleet root have signed it', async () => {
    const payload = town.rootListPayload();
    const [a, b, c] = town.roots as [never, never, never];
    expect(await open(await sealTrust('root-list', payload, [a, b]))).toBe('accepted');
    expect(await open(await sealTrust('root-list', payload, [c, await makeRootKey(), a]))).toBe('accepted');
    expect(await open(await sealTrust('root-list', payload, [a]))).toBe('bad_signature');
    expect(await open(await sealTrust('root-list', payload, [a, a]))).toBe('bad_signature');
    expect(await open(await sealTrust('root-list', payload, [a, await makeRootKey()]))).toBe('bad_signature');
    expect(await open(await sealTrust('bundle', payload, [a, b]))).toBe('bad_signature');
  });
  it('is refused when one bit of it was changed', async () => {
    const text = await town.rootListEnvelope();
    expect(await open(text.replace('nord', 'norD'))).toBe('bad_signature');
    expect(await open(text.replace('"threshold"', ''))).toBe('accepted');
  });
  it('is refused when its form is wrong', async () => {
    const wrong: JsonObject[] = [
      { expires_at: at(500 * 86400) }, { expires_at: at(-86500) }, { version: 0 }, { version: 1.5 }, { extra: 1 }, { floors: {} },
      { issuers: [] , bundle_keys: ['AA'] }, { relays: [{ host: 'x' }] }, { issued_at: '2026-11-22T20:15:00+00:00' }, { type: 'bundle' },
    ];
    for (const change of wrong) {
      const text = JSON.stringify(change).includes('1.5')
        ? await sealTrust('root-list', canonicalJson(town.rootListPayload()).replace('"version":3', '"version":1.5'), town.roots)
        : await town.rootListEnvelope(change);
      expect(['member', 'json', 'base64url'], JSON.stringify(change)).toContain(await open(text));
    }
    expect(await open(await town.rootListEnvelope({ format: 2 }))).toBe('unknown_format');
    const twice = canonicalJson(town.rootListPayload()).replace('"version":3', '"version":3,"version":4');
    expect(await open(await sealTrust('root-list', twice, town.roots))).toBe('json');
  });
  it('is what the app is built with: a fleet root of another form is refused', () => {
    for (const change of [{ threshold: 4 }, { threshold: 0 }, { keys: ['AA'] }, { format: 2 }, { keys: [b64(utf8('x'.repeat(32))), b64(utf8('x'.repeat(32)))] }]) {
      expect(() => readFleetRoot({ ...town.fleetRoot(), ...change } as unknown as JsonObject), JSON.stringify(change)).toThrow();
    }
  });
});

describe('the bundle', async () => {
  const town = await Town.found();
  const { rootList } = await town.trust();
  const open = (text: string) => reasonOf(openBundle(text, rootList));

  it('counts when a bundle key of the root list has signed it', async () => {
    expect(await open(await town.bundleEnvelope())).toBe('accepted');
    expect(await open(await sealTrust('bundle', town.bundlePayload(), [town.roots[0]!]))).toBe('bad_signature');
    expect(await open(await sealTrust('root-list', town.bundlePayload(), [town.bundleKey]))).toBe('bad_signature');
    expect(await open((await town.bundleEnvelope()).replace('counter', 'countex'))).toBe('bad_signature');
  });
  it('holds public keys only, and lives at most seven days', async () => {
    const key = (jwk: JsonObject): JsonObject => ({ issuers: [{ issuer: 'https://idp.example', keys: [{ jwk, not_before: at(0), not_after: null }] }] });
    expect(await open(await town.bundleEnvelope(key({ ...town.idpKey.jwk, kid: 'a', d: 'AA' })))).toBe('jwk');
    expect(await open(await town.bundleEnvelope(key({ kty: 'oct', kid: 'a', k: 'AA' })))).toBe('jwk');
    expect(await open(await town.bundleEnvelope({ expires_at: at(8 * 86400) }))).toBe('member');
    expect(await open(await town.bundleEnvelope({ counter: 0 }))).toBe('member');
  });
  it('is newer by root list version, then counter', () => {
    expect(isNewer({ root_list_version: 2, counter: 1 }, { root_list_version: 1, counter: 9 })).toBe(true);
    expect(isNewer({ root_list_version: 1, counter: 9 }, { root_list_version: 1, counter: 9 })).toBe(false);
    expect(isNewer({ root_list_version: 1, counter: 9 }, { root_list_version: 2, counter: 1 })).toBe(false);
  });
});
