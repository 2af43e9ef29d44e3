import { b64, base64, equal, fromB64, fromBase64, fromHex, hex, utf8 } from '@web/protocol/bytes';
import { openCheckpoint, openNote, parseCheckpoint, parseNote, parseVerifierKey } from '@web/protocol/checkpoint';
import { setupReceiver } from '@web/protocol/hpke';
import type { JsonObject } from '@web/protocol/json';
import { issuerKeyOf, openJws, parseJws } from '@web/protocol/jws';
import { pointOf, thumbprint, verifyEd25519, verifyP256 } from '@web/protocol/keys';
import { verifyConsistency, verifyInclusion } from '@web/protocol/merkle';
import { decodeHeader, Opener } from '@web/protocol/sframe';
import { vectors } from './vectors';

const succeeds = (promise: Promise<unknown>): Promise<boolean> => promise.then(() => true, () => false);

describe('base64url', () => {
  it('has one spelling a value', () => {
    expect(hex(fromB64('-_8'))).toBe('fbff');
    for (const text of ['-_9', '-_8=', '+/8', 'A', 'AA A', 'AAAAA', 'AB']) expect(() => fromB64(text), text).toThrow();
    expect(() => fromB64('AAAA', 2)).toThrow();
    expect(() => fromBase64('AB==')).toThrow();
    expect(() => fromBase64('AA')).toThrow();
  });
});

// ---- Wycheproof

interface Group<T> {
  tests: (T & { tcId: number; result: string; comment: string; flags: string[] })[];
  publicKey: { uncompressed: string; pk: string };
}

describe('ECDSA P-256, signatures of 64 bytes (Wycheproof)', () => {
  it('agrees with every vector', async () => {
    const { testGroups } = vectors<{ testGroups: Group<{ msg: string; sig: string }>[] }>(
      'wycheproof/ecdsa_secp256r1_sha256_p1363_test.json',
    );
    for (const { publicKey, tests } of testGroups) {
      const point = fromHex(publicKey.uncompressed);
      const jwk = { kty: 'EC', crv: 'P-256', x: b64(point.slice(1, 33)), y: b64(point.slice(33)) } as const;
      for (const { tcId, msg, sig, result, comment } of tests) {
        expect(await verifyP256(jwk, fromHex(msg), fromHex(sig)), `${tcId} ${comment}`).toBe(result === 'valid');
      }
    }
  });
});

describe('Ed25519 (Wycheproof)', () => {
  it('agrees with every vector', async () => {
    const { testGroups } = vectors<{ testGroups: Group<{ msg: string; sig: string }>[] }>('wycheproof/ed25519_test.json');
    for (const { publicKey, tests } of testGroups) {
      for (const { tcId, msg, sig, result, comment } of tests) {
        const good = await verifyEd25519(fromHex(publicKey.pk), fromHex(msg), fromHex(sig));
        expect(good, `${tcId} ${comment}`).toBe(result === 'valid');
      }
    }
  });
});

describe('JSON Web Signatures (RFC 7515, 7520; Wycheproof)', () => {
  const { files } = vectors<{ files: Record<string, unknown> }>('jose_rfc7515_7520_7638.json');
  const withKid = (compact: string, jwk: JsonObject): [string, JsonObject] => [compact, jwk];

  it('verifies our algorithms only', async () => {
    for (const [name, value] of Object.entries(files)) {
      if (!name.endsWith('.jwsc')) continue;
      const jwk = files[name.replace('.jwsc', '.jwk')] as JsonObject | undefined;
      const [compact, key] = withKid(String(value).trim(), publicOf(jwk));
      const header = JSON.parse(Buffer.from(compact.split('.')[0]!, 'base64url').toString()) as { alg: string; kid?: string };
      const ours = ['ES256', 'RS256', 'PS256'].includes(header.alg) && header.kid !== undefined;
      const good = await succeeds(Promise.resolve().then(() => openJws(parseJws(compact), issuerKeyOf(key))));
      expect(good, name).toBe(ours);
    }
  });
  it('knows a key by its thumbprint (RFC 7638 §3.1)', async () => {
    const jwk = Object.entries(files).find(([name]) => name.includes('7638') && name.endsWith('.jwk'))?.[1] as JsonObject;
    expect(b64(await thumbprint(jwk))).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });
  it('refuses what Wycheproof calls invalid', async () => {
    const { testGroups } = vectors<{
      testGroups: { public?: JsonObject; private?: JsonObject; tests: { tcId: number; jws: string; result: string; comment: string }[] }[];
    }>('wycheproof/json_web_signature_test.json');
    let accepted = 0;
    for (const group of testGroups) {
      for (const { tcId, jws, result, comment } of group.tests) {
        const good = await succeeds(Promise.resolve().then(() => openJws(parseJws(jws), issuerKeyOf(group.public ?? {}))));
        if (good) accepted++;
        if (result === 'invalid') expect(good, `${tcId} ${comment}`).toBe(false);
      }
    }
    expect(accepted).toBeGreaterThan(5);
  });
  it('refuses private, symmetric, short and misdirected keys', () => {
    const rsa = publicOf(files['rfc7515_A.2.jwk'] as JsonObject);
    expect(issuerKeyOf(rsa).algorithms).toEqual(['RS256', 'PS256']);
    expect(issuerKeyOf({ ...rsa, alg: 'PS256' }).algorithms).toEqual(['PS256']);
    const wrongs: JsonObject[] = [{ d: 'AQ' }, { use: 'enc' }, { key_ops: ['sign'] }, { alg: 'ES256' }, { e: 'AQ' }, { n: 'AQAB' }, { kty: 'oct' }];
    for (const bad of wrongs) {
      expect(() => issuerKeyOf({ ...rsa, ...bad }), JSON.stringify(bad)).toThrow();
    }
  });
});

function publicOf(jwk: JsonObject | undefined): JsonObject {
  const keep = ['kty', 'kid', 'crv', 'x', 'y', 'n', 'e', 'alg', 'use'];
  return Object.fromEntries(Object.entries(jwk ?? {}).filter(([name]) => keep.includes(name)));
}

// ---- HPKE

interface HpkeVector {
  aead_id: number; info: string; skRm: string; pkRm: string; enc: string;
  exports: { exporter_context: string; L: number; exported_value: string }[];
  encryptions: { aad: string; ct: string; pt: string }[];
}

describe('HPKE (RFC 9180)', () => {
  const usable = vectors<{ vectors: HpkeVector[] }>('hpke_rfc9180_p256_sha256_base.json').vectors.filter((v) => v.aead_id === 2);

  async function receiver(vector: HpkeVector) {
    const point = fromHex(vector.pkRm);
    const jwk = { kty: 'EC', crv: 'P-256', x: b64(point.slice(1, 33)), y: b64(point.slice(33)), d: b64(fromHex(vector.skRm)) };
    const ecdh = { name: 'ECDH', namedCurve: 'P-256' };
    return { privateKey: await crypto.subtle.importKey('jwk', jwk, ecdh, false, ['deriveBits']), publicKey: point };
  }

  it('opens and exports as the vectors say', async () => {
    expect(usable.length).toBeGreaterThan(0);
    for (const vector of usable) {
      const context = await setupReceiver(fromHex(vector.enc), await receiver(vector), fromHex(vector.info));
      const first = vector.encryptions[0]!;
      expect(hex(await context.open(fromHex(first.aad), fromHex(first.ct)))).toBe(first.pt);
      for (const { exporter_context, L, exported_value } of vector.exports) {
        expect(hex(await context.export(fromHex(exporter_context), L))).toBe(exported_value);
      }
    }
  });
  it('opens nothing that was changed', async () => {
    const vector = usable[0]!;
    const first = vector.encryptions[0]!;
    const own = await receiver(vector);
    const info = fromHex(vector.info);
    const flipped = (text: string) => fromHex(text).map((byte, i) => (i === 3 ? byte ^ 1 : byte));
    const open = async (enc: string, aad: Uint8Array<ArrayBuffer>, ct: Uint8Array<ArrayBuffer>, about = info) =>
      (await setupReceiver(fromHex(enc), own, about)).open(aad, ct);
    expect(await succeeds(open(vector.enc, fromHex(first.aad), fromHex(first.ct)))).toBe(true);
    expect(await succeeds(open(vector.enc, flipped(first.aad), fromHex(first.ct)))).toBe(false);
    expect(await succeeds(open(vector.enc, fromHex(first.aad), flipped(first.ct)))).toBe(false);
    expect(await succeeds(open(vector.enc, fromHex(first.aad), fromHex(first.ct), utf8('another order')))).toBe(false);
    expect(await succeeds(open(vector.pkRm, fromHex(first.aad), fromHex(first.ct)))).toBe(false);
    expect(await succeeds(open(hex(flipped(vector.enc)), fromHex(first.aad), fromHex(first.ct)))).toBe(false);
    expect(await succeeds(open('04' + '00'.repeat(64), fromHex(first.aad), fromHex(first.ct)))).toBe(false);
  });
  it('takes no point that Wycheproof calls invalid', async () => {
    const { testGroups } = vectors<{ testGroups: { tests: { public: string; result: string; comment: string }[] }[] }>(
      'wycheproof/ecdh_secp256r1_ecpoint_test.json',
    );
    const own = await receiver(usable[0]!);
    for (const { public: point, result, comment } of testGroups.flatMap((group) => group.tests)) {
      if (result !== 'invalid') continue;
      expect(await succeeds(setupReceiver(fromHex(point), own, utf8(''))), comment).toBe(false);
    }
  });
});

// ---- SFrame

interface SframeVectors {
  header: { kid: string | number; ctr: string | number; encoded: string }[];
  sframe: { cipher_suite: number; kid: string | number; ctr: string | number; base_key: string; metadata: string; ct: string; pt: string }[];
}

describe('SFrame (RFC 9605)', () => {
  const all = vectors<SframeVectors>('sframe_rfc9605.json', ['kid', 'ctr']);

  it('reads headers of every size, shortest spelling only', () => {
    for (const { kid, ctr, encoded } of all.header) {
      expect(decodeHeader(fromHex(encoded))).toEqual({ kid: BigInt(kid), ctr: BigInt(ctr), size: encoded.length / 2 });
      expect(() => decodeHeader(fromHex(encoded).slice(0, -1)), encoded).toThrow();
    }
    for (const text of ['0807', '090001', '8000', '90000900', '0a0001ff', '']) expect(() => decodeHeader(fromHex(text)), text).toThrow();
  });
  it('opens suite 5 and nothing that was changed', async () => {
    const [vector] = all.sframe.filter((v) => v.cipher_suite === 5);
    const opener = await Opener.make(fromHex(vector!.base_key), BigInt(vector!.kid));
    const ct = fromHex(vector!.ct);
    const metadata = fromHex(vector!.metadata);
    const opened = await opener.open(ct, metadata);
    expect([opened.ctr, hex(opened.plaintext)]).toEqual([BigInt(vector!.ctr), vector!.pt]);
    for (let i = 0; i < ct.length; i++) {
      const changed = ct.map((byte, k) => (k === i ? byte ^ 1 : byte));
      expect(await succeeds(opener.open(changed, metadata)), `byte ${i}`).toBe(false);
    }
    expect(await succeeds(opener.open(ct, metadata.slice(1)))).toBe(false);
    expect(await succeeds(opener.open(ct.slice(0, 10), metadata))).toBe(false);
  });
});

// ---- Merkle trees and checkpoints

interface MerkleVectors {
  transparency_dev: {
    inclusion: { leafIdx: string | number; treeSize: string | number; root: string; leafHash: string; proof: string[] | null; desc: string; wantErr: boolean }[];
    consistency: { size1: string | number; size2: string | number; root1: string; root2: string; proof: string[] | null; desc: string; wantErr: boolean }[];
  };
}

describe('Merkle trees (RFC 6962) [AUD-1]', () => {
  const all = vectors<MerkleVectors>('rfc6962_merkle.json', ['leafIdx', 'treeSize', 'size1', 'size2']).transparency_dev;
  const hashes = (list: string[] | null) => (list ?? []).map((item) => new Uint8Array(Buffer.from(item, 'base64')));
  const hash = (text: string) => hashes([text])[0]!;

  it('verifies inclusion as the vectors say', async () => {
    expect(all.inclusion.length).toBeGreaterThan(50);
    for (const v of all.inclusion) {
      const proof = verifyInclusion(hash(v.leafHash), Number(v.leafIdx), Number(v.treeSize), hashes(v.proof), hash(v.root));
      expect(await succeeds(proof), v.desc).toBe(!v.wantErr);
    }
  });
  it('verifies consistency as the vectors say; an empty tree proves nothing', async () => {
    expect(all.consistency.length).toBeGreaterThan(50);
    for (const v of all.consistency) {
      const proof = verifyConsistency(Number(v.size1), Number(v.size2), hashes(v.proof), hash(v.root1), hash(v.root2));
      expect(await succeeds(proof), v.desc).toBe(!v.wantErr && Number(v.size1) > 0);
    }
  });
});

describe('signed notes and checkpoints (C2SP) [AUD-2]', () => {
  const { notes } = vectors<{ notes: { id: string; vkeys: string[]; note: string; expect: string }[] }>('c2sp_notes.json');

  it('agree with the published examples', async () => {
    for (const { id, vkeys, note, expect: expected } of notes) {
      expect(parseNote(note).signatures.length, id).toBeGreaterThan(0);
      for (const vkey of vkeys) {
        const isOurs = Buffer.from(vkey.split('+').slice(2).join('+'), 'base64')[0] === 1; // Ed25519
        const good = await succeeds(parseVerifierKey(vkey).then((key) => openNote(note, key)));
        expect(good, id).toBe(isOurs && expected.startsWith('verifies'));
      }
      if (expected.includes('checkpoint')) expect((await parseCheckpoint(parseNote(note).text)).size, id).toBe(20852163);
    }
  });
  it('refuse another text, key, name or form', async () => {
    const example = notes.find((n) => n.id === 'signed-note-example')!;
    const key = await parseVerifierKey(example.vkeys[0]!);
    expect(await succeeds(openNote(example.note, key))).toBe(true);
    const bad = [
      example.note.replace('example message', 'other message'), example.note.replace('\n\n', '\n'), example.note.slice(0, -1),
      example.note + example.note.split('\n\n')[1], example.note.replace('Uw2Q', 'Uw2R'), example.note.replace('— ', '- '),
    ];
    for (const note of bad) expect(await succeeds(openNote(note, key)), note).toBe(false);
    expect(await succeeds(openNote(example.note, { ...key, name: 'example.com/bar' }))).toBe(false);
    expect(await succeeds(openNote(example.note, { ...key, publicKey: new Uint8Array(32) }))).toBe(false);
    expect(await succeeds(openCheckpoint(example.note, key))).toBe(false);
  });
  it('have one spelling', async () => {
    const root = base64(new Uint8Array(32).fill(7));
    expect((await parseCheckpoint(`log\n7\n${root}\n`)).size).toBe(7);
    for (const text of [`log\n07\n${root}\n`, `log\n7\n${root}\nextension\n`, `log\n-1\n${root}\n`, `log\n9007199254740993\n${root}\n`, `log\n0\n${root}\n`, `log\n7\n${root}`]) {
      expect(await succeeds(parseCheckpoint(text)), text).toBe(false);
    }
  });
});

it('compares bytes by value', () => {
  expect(equal(utf8('a'), utf8('a'))).toBe(true);
  expect(equal(utf8('a'), utf8('ab'))).toBe(false);
  expect(pointOf({ kty: 'EC', crv: 'P-256', x: b64(new Uint8Array(32)), y: b64(new Uint8Array(32)) }).length).toBe(65);
});
