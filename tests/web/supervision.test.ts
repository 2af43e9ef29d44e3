import { b64, type Bytes, fromB64, randomBytes } from '@web/protocol/bytes';
import type { JsonObject } from '@web/protocol/json';
import { orderHash } from '@web/protocol/order';
import { type Surroundings, Supervision } from '@web/view/supervision';
import { hpkeSeal, type Hub, sealFrame, Town } from './town';

// A view up to the decoder, against a hub that signs for real; the relay between is this file.
const town = await Town.found();
const hub = await town.hub();

async function begin(isEarlierOrder = (_: string): boolean => false) {
  const sent: (JsonObject | Bytes)[] = [];
  const resident = b64(randomBytes(16));
  let viewerKey: Bytes = new Uint8Array();
  const text = `{"any":"${b64(randomBytes(8))}"}`;
  const around: Surroundings = {
    hub: hub.id, deviceKey: hub.key.jwk, resident, camera: 'cam1', onChange: () => undefined, isEarlierOrder,
    send: (message) => sent.push(message) > 0,
    makeOrder: (key) => {
      viewerKey = key;
      return Promise.resolve({ order: { payload: text }, payloadText: text });
    },
  };
  const view = new Supervision(around);
  await view.start();
  const order = await orderHash(text);
  const streamKey = randomBytes(32);
  const stream = randomBytes(16);
  const answer = async (more: JsonObject = {}, from: Hub = hub): Promise<void> => {
    const { enc, sealed } = await hpkeSeal(viewerKey, fromB64(order), streamKey);
    const payload: JsonObject = {
      order, resident, camera: 'cam1', viewer_key: b64(viewerKey), decision: 'open', reason: null, mono: 5000, utc_ms: 1_800_000_000_000,
      clock: 'trusted', head: b64(randomBytes(32)), bundle: null, until_ms: 1_800_000_600_000, next_ms: null, stream: b64(stream), enc: b64(enc),
      sealed: b64(sealed), slots: [], ...more,
    };
    view.receive({ type: 'answer', answer: await from.seal('answer', payload) });
    await vi.waitFor(() => expect(view.answer !== null || !view.isRunning).toBe(true), { timeout: 2000 }).catch(() => undefined);
    await new Promise((done) => setTimeout(done, 30));
  };
  return { view, sent, answer, stream, streamKey, outcome: () => [view.state, view.reason] };
}

const closed = { decision: 'closed', until_ms: null, stream: null, enc: null, sealed: null };

describe('one supervision [SES-1] [SES-7]', () => {
  it('opens under the assigned hub\'s answer, and says how far it has painted', async () => {
    const { view, sent, answer, outcome } = await begin();
    await answer();
    expect(outcome()).toEqual(['waiting', '']);
    expect(sent.filter((message) => message instanceof Uint8Array && message.length === 64).length).toBeGreaterThan(0);
    view.stop();
    expect(outcome()).toEqual(['ended', 'viewer_gone']);
    expect(sent.at(-1)).toEqual({ type: 'end' });
  });
  it('refuses an answer that another hub has signed', async () => {
    const { answer, outcome } = await begin();
    await answer({}, await town.hub());
    expect(outcome()).toEqual(['refused', 'answer_not_from_hub']);
  });
  it('refuses an answer to another order, key, resident or camera', async () => {
    const other: JsonObject[] = [
      { order: b64(randomBytes(32)) }, { viewer_key: b64(randomBytes(65)) }, { resident: b64(randomBytes(16)) }, { camera: 'cam2' },
    ];
    for (const change of other) {
      const { answer, outcome } = await begin();
      await answer(change);
      expect(outcome(), JSON.stringify(change)).toEqual(['refused', 'answer_not_ours']);
    }
  });
  it('passes over a late answer to an order of its own that it has given up', async () => {
    const old = b64(randomBytes(32));
    const { view, answer, outcome } = await begin((hash) => hash === old);
    await answer({ order: old });
    expect(outcome()).toEqual(['asking', '']);
    await answer();
    expect(outcome()).toEqual(['waiting', '']);
    view.stop();
  });
  it('refuses a key that was sealed for somebody else', async () => {
    const { answer, outcome } = await begin();
    await answer({ sealed: b64(randomBytes(48)) });
    expect(outcome()).toEqual(['ended', 'hpke']);
  });
  it('says why a hub keeps closed, and when it will open', async () => {
    const { view, answer, outcome } = await begin();
    await answer({ ...closed, reason: 'outside_window', next_ms: 1_800_000_900_000 });
    expect([...outcome(), view.nextMs]).toEqual(['refused', 'outside_window', 1_800_000_900_000]);
  });
  it('ends when the hub says so in the stream, and passes over what is not of it', async () => {
    const { view, answer, stream, streamKey, outcome } = await begin();
    await answer();
    view.receiveFrame(await sealFrame(randomBytes(32), stream, { ctr: 0, flags: 3, capture: 5100 }));
    await vi.waitFor(() => expect(view.dropped).toBe(1));
    expect(outcome()).toEqual(['waiting', '']);
    view.receiveFrame(await sealFrame(streamKey, stream, { ctr: 0, flags: 2, capture: 5100, data: new Uint8Array() }));
    await vi.waitFor(() => expect(outcome()).toEqual(['ended', 'hub_ended']));
  });
  it('ends at the window\'s end even if nobody says so [ENF-2]', async () => {
    const { answer, outcome } = await begin();
    await answer({ until_ms: 1_800_000_000_300 });
    await vi.waitFor(() => expect(outcome()).toEqual(['ended', 'window_end']), { timeout: 2000 });
  });
  it('says what the relay says, and that the connection broke', async () => {
    const refusedView = await begin();
    refusedView.view.receive({ type: 'problem', code: 'hub_silent' });
    expect(refusedView.outcome()).toEqual(['refused', 'hub_silent']);
    const lost = await begin();
    lost.view.connectionLost();
    expect(lost.outcome()).toEqual(['ended', 'relay_unreachable']);
  });
});
