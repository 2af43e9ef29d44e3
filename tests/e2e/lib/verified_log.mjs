// A hub's own log, as hub_log.py prints it, from its first entry on: numbered, chained, signed by the device.
import assert from 'node:assert/strict';
import {createPublicKey, verify} from 'node:crypto';
import {hashOf, signedBytes, unb64} from './crypto.mjs';

// -> the payloads.
export function verifiedPayloads(events, deviceKey) {
  const key = createPublicKey({key: deviceKey, format: 'jwk'});
  let previous = null;
  return events.map(({payload, sig}, i) => {
    assert.ok(verify('sha256', signedBytes('event', payload), {key, dsaEncoding: 'ieee-p1363'}, unb64(sig)), `event ${i + 1} is signed`);
    const event = JSON.parse(payload);
    assert.equal(event.n, i + 1, 'numbered without a gap');
    assert.equal(event.prev, previous, `event ${i + 1} is chained`);
    previous = hashOf('event', payload);
    return payload;
  });
}
