import { ageBound, ClockWatch } from '@web/protocol/age';
import { b64, type Bytes, concat, randomBytes, signedBytes, u64, utf8 } from '@web/protocol/bytes';
import { openAnswer, openCountersign, openReceipt } from '@web/protocol/device';
import { makeViewerKey, setupReceiver } from '@web/protocol/hpke';
import type { JsonObject } from '@web/protocol/json';
import { LifeMaker, kNonePainted } from '@web/protocol/life';
import { Receiver } from '@web/protocol/receiver';
import { Opener } from '@web/protocol/sframe';
import { codecOf } from '@web/view/h264';
import { at, hpkeSeal, makeKey, sealFrame, Town, type FrameInput } from './town';

const town = await Town.found();
const hub = await town.hub();

describe('frames [VID-2]', async () => {
  const key = randomBytes(32);
  const stream = randomBytes(16);
  const frame = (input: Partial<FrameInput>) => sealFrame(key, stream, { ctr: 0, flags: 0, capture: 1000, ...input });
  const receiver = async () => new Receiver(await Opener.make(key, 0n), stream);
  const feed = async (r: Receiver, message: Bytes) => {
    const got = await r.receive(message);
    return 'dropped' in got ? got.dropped : `${got.picture.ctr}${got.picture.afterGap ? ' anew' : ''}`;
  };

  it('are shown from CTR 0, each one more', async () => {
    const r = await receiver();
    expect(await feed(r, await frame({ ctr: 0, flags: 1 }))).toBe('0 anew');
    expect(await feed(r, await frame({ ctr: 1 }))).toBe('1');
    expect(await feed(r, await frame({ ctr: 2, flags: 1 }))).toBe('2');
    expect(await feed(r, await frame({ ctr: 3 }))).toBe('3');
  });
  it('after a gap nothing is shown until an authentic key frame', async () => {
    const r = await receiver();
    await feed(r, await frame({ ctr: 0, flags: 1 }));
    for (const ctr of [13, 14, 15]) expect(await feed(r, await frame({ ctr }))).toBe('gap');
    expect(await feed(r, await frame({ ctr: 16, flags: 1 }))).toBe('16 anew');
    expect(await feed(r, await frame({ ctr: 17 }))).toBe('17');
  });
  it('a stream that does not begin with a key frame shows nothing', async () => {
    const r = await receiver();
    expect(await feed(r, await frame({ ctr: 0 }))).toBe('gap');
    expect(await feed(r, await frame({ ctr: 1 }))).toBe('gap');
  });
  it('a frame that was replayed or reordered is not shown again', async () => {
    const r = await receiver();
    const first = await frame({ ctr: 0, flags: 1 });
    const second = await frame({ ctr: 1 });
    await feed(r, first);
    expect(await feed(r, first)).toBe('replayed');
    expect(await feed(r, second)).toBe('1');
    expect(await feed(r, first)).toBe('replayed');
    expect(await feed(r, second)).toBe('replayed');
  });
  it('a frame with any bit changed is not shown, and those after it wait for a key frame', async () => {
    const message = await frame({ ctr: 1 });
    for (let i = 0; i < message.length; i++) {
      const r = await receiver();
      await feed(r, await frame({ ctr: 0, flags: 1 }));
      const changed = message.map((byte, k) => (k === i ? byte ^ 4 : byte));
      expect(['frame', 'sframe', 'sframe_kid', 'aead'], `byte ${i}`).toContain(await feed(r, changed));
      expect(await feed(r, await frame({ ctr: 2 }))).toBe('gap');
    }
  });
  it('a frame of another stream, key or length is not shown', async () => {
    const r = await receiver();
    const good = await frame({ ctr: 0, flags: 1 });
    expect(await feed(r, await sealFrame(key, randomBytes(16), { ctr: 0, flags: 1, capture: 1 }))).toBe('aead');
    expect(await feed(r, await sealFrame(randomBytes(32), stream, { ctr: 0, flags: 1, capture: 1 }))).toBe('aead');
    expect(await feed(r, concat(good, Uint8Array.of(0)))).toBe('frame');
    expect(await feed(r, good.slice(0, -1))).toBe('frame');
    expect(await feed(r, new Uint8Array())).toBe('frame');
    expect(await feed(r, await frame({ ctr: 0, flags: 4 }))).toBe('frame');
    expect(await feed(r, good)).toBe('0 anew');
  });
  it('time on the gate never runs backwards', async () => {
    const r = await receiver();
    await feed(r, await frame({ ctr: 0, flags: 1, capture: 2000 }));
    expect(await feed(r, await frame({ ctr: 1, capture: 1999 }))).toBe('capture');
  });
  it('tell their echo and the end', async () => {
    const r = await receiver();
    const got = await r.receive(await frame({ ctr: 0, flags: 3, echo: 9, data: new Uint8Array() }));
    expect('picture' in got && [got.picture.isEnd, got.picture.echo, got.picture.accessUnit.length]).toEqual([true, 9n, 0]);
  });
  it('after the decoder gave up, a key frame is needed', async () => {
    const r = await receiver();
    await feed(r, await frame({ ctr: 0, flags: 1 }));
    r.loseSync();
    expect(await feed(r, await frame({ ctr: 1 }))).toBe('gap');
    expect(await feed(r, await frame({ ctr: 2, flags: 1 }))).toBe('2 anew');
  });
});

describe('the answer', async () => {
  const viewer = await makeViewerKey();
  const orderHash = b64(randomBytes(32));
  const streamKey = randomBytes(32);
  const { enc, sealed, lifeKey } = await hpkeSeal(viewer.publicKey, Uint8Array.from(Buffer.from(orderHash, 'base64url')), streamKey);
  const payload = (more: JsonObject = {}): JsonObject => ({
    order: orderHash, resident: b64(randomBytes(16)), camera: 'cam1', viewer_key: b64(viewer.publicKey), decision: 'open', reason: null, mono: 5000,
    utc_ms: 1_800_000_000_000, clock: 'trusted', head: b64(randomBytes(32)), bundle: { root_list_version: 1, counter: 2 }, until_ms: 1_800_000_600_000,
    next_ms: null, stream: b64(randomBytes(16)), enc: b64(enc), sealed: b64(sealed), slots: [], ...more,
  });
  const open = async (more: JsonObject = {}, from = hub) => {
    try {
      await openAnswer(await from.seal('answer', payload(more)), hub.id, hub.key.jwk);
      return 'read';
    } catch (error) {
      return (error as { reason: string }).reason;
    }
  };

  it('counts under the hub\'s own key only', async () => {
    expect(await open()).toBe('read');
    expect(await open({}, await town.hub())).toBe('bad_signature');
    const receipt = await hub.seal('receipt', payload());
    await expect(openAnswer(receipt, hub.id, hub.key.jwk)).rejects.toThrow();
    const good = await hub.seal('answer', payload());
    await expect(openAnswer({ ...good, payload: String(good.payload).replace('open', 'opem') }, hub.id, hub.key.jwk)).rejects.toThrow();
    await expect(openAnswer(good, b64(randomBytes(32)), hub.key.jwk)).rejects.toThrow(/wrong_hub/);
  });
  it('open carries a key, closed carries none', async () => {
    expect(await open({ decision: 'closed', reason: 'outside_window', until_ms: null, stream: null, enc: null, sealed: null, next_ms: 7 })).toBe('read');
    expect(await open({ decision: 'closed' })).toBe('member');
    expect(await open({ sealed: null })).toBe('member');
    expect(await open({ until_ms: null })).toBe('member');
    expect(await open({ extra: 1 })).toBe('member');
    expect(await open({ format: 2 })).toBe('unknown_format');
  });
  it('its key opens for this order and this viewer only', async () => {
    const info = Uint8Array.from(Buffer.from(orderHash, 'base64url'));
    const context = await setupReceiver(enc, viewer, info);
    expect(await context.open(new Uint8Array(), sealed)).toEqual(streamKey);
    expect(await context.export(utf8('tillsyn life v1'), 32)).toEqual(lifeKey);
    await expect((await setupReceiver(enc, viewer, randomBytes(32))).open(new Uint8Array(), sealed)).rejects.toThrow();
    await expect((await setupReceiver(enc, await makeViewerKey(), info)).open(new Uint8Array(), sealed)).rejects.toThrow();
  });
  it('receipts and countersigns are read under the same key', async () => {
    const receipt = {
      order: orderHash, verdict: 'refused', reason: 'late', head: orderHash, slots: [{ slot: 'device', version: 1, order: orderHash }],
      formats: { order: [1], bundle: [1] }, time: at(0),
    };
    expect((await openReceipt(await hub.seal('receipt', receipt), hub.id, hub.key.jwk)).verdict).toBe('refused');
    expect((await openCountersign(await hub.seal('countersign', { order: orderHash, time: at(0) }), hub.id, hub.key.jwk)).order).toBe(orderHash);
    await expect(openReceipt(await hub.seal('receipt', { ...receipt, verdict: 'maybe' }), hub.id, hub.key.jwk)).rejects.toThrow();
    await expect(openCountersign(await hub.seal('countersign', { order: orderHash, time: at(0) }), hub.id, (await makeKey()).jwk)).rejects.toThrow();
  });
});

describe('signs of life', () => {
  it('are MACed over stream, rising counter and what was painted', async () => {
    const key = randomBytes(32);
    const stream = randomBytes(16);
    const life = await LifeMaker.make(key, stream);
    const mac = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    for (const [n, painted] of [[1, kNonePainted], [2, 7n]] as const) {
      const message = await life.next(painted, 100 * n);
      expect(message.length).toBe(64);
      expect(message.slice(0, 32)).toEqual(concat(stream, u64(n), u64(painted)));
      expect(await crypto.subtle.verify('HMAC', mac, message.slice(32), signedBytes('life', message.slice(0, 32)))).toBe(true);
    }
    expect([life.sent(0n), life.sent(1n), life.sent(2n), life.sent(3n)]).toEqual([undefined, 100, 200, undefined]);
  });
});

describe('how old a picture can be [VID-5]', () => {
  const posted = 10_000;
  it('the smaller of two bounds counts, neither trusts a wall clock', () => {
    expect(ageBound({ posted, mono: 500, capture: 700, echoSent: undefined }, 10_300)).toBe(100);
    expect(ageBound({ posted, mono: 500, capture: 700, echoSent: 10_250 }, 10_300)).toBe(50);
    expect(ageBound({ posted, mono: 500, capture: 700, echoSent: 10_100 }, 10_300)).toBe(100);
  });
  it('a delayed answer or stream makes the picture older, never younger', () => {
    expect(ageBound({ posted, mono: 500, capture: 500, echoSent: undefined }, posted + 5000)).toBe(5000);
    expect(ageBound({ posted, mono: 500, capture: 2500, echoSent: undefined }, posted + 9000)).toBe(7000);
    expect(ageBound({ posted, mono: 500, capture: 2500, echoSent: posted + 1000 }, posted + 9000)).toBe(7000);
  });
  it('clocks that part by a second are noticed', () => {
    const watch = new ClockWatch(1_000_000, 50);
    expect(watch.hasParted(1_060_999, 60_050)).toBe(false);
    expect(watch.hasParted(1_061_000, 60_050 - 50)).toBe(true);
    expect(watch.hasParted(1_059_000, 60_050)).toBe(true);
    expect(watch.hasParted(1_000_000 + 3_600_000, 3_600_050)).toBe(false);
  });
});

describe('the decoder is told', () => {
  it('the codec that the stream names', () => {
    expect(codecOf(Uint8Array.of(0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda))).toBe('avc1.42c01f');
    expect(codecOf(Uint8Array.of(0, 0, 1, 0x65, 1, 2, 3, 4))).toBeNull();
    expect(codecOf(Uint8Array.of(0, 0, 1, 0x67, 0x42))).toBeNull();
    expect(codecOf(new Uint8Array())).toBeNull();
  });
});
