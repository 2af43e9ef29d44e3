// Notes, from outside a page, when it was pressed, what crossed its WebSocket and when it painted. Changes nothing.

export const addProbe = (page) => page.addInitScript(() => {
  const now = () => performance.now();
  const fresh = () => ({frames: [], paints: [], marks: {}});
  let noted = fresh();
  let pressed = null;
  const mark = (name, value = now()) => { noted.marks[name] ??= value; };
  globalThis.__take = () => { const out = noted; noted = fresh(); return out; };

  addEventListener('click', (event) => { if (event.target?.closest?.('[data-testid=look]')) pressed = now(); }, true);

  const noteIncoming = (data) => {
    if (data instanceof ArrayBuffer) {
      const view = new DataView(data);
      noted.frames.push({at: now(), bytes: data.byteLength, capture: Number(view.getBigUint64(5)), head: [...new Uint8Array(data, 13, 9)]});
    } else if (typeof data === 'string') {
      const {type, answer} = JSON.parse(data);
      if (type === 'offered') mark('offered');
      if (type === 'answer') { mark('answered'); mark('judged_raw', JSON.parse(answer.payload).mono); }
    }
  };
  const noteOutgoing = (data) => {
    if (typeof data !== 'string') return mark('opened');  // the first sign of life: the stream key is open
    if (!data.startsWith('{"type":"view"') && JSON.parse(data).type !== 'view') return;
    noted = fresh();
    mark('pressed', pressed);
    mark('sent');
  };
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({data}) => noteIncoming(data));
    }
    send(data) {
      noteOutgoing(data);
      super.send(data);
    }
  };
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
    draw.call(this, image, ...rest);
    if (image instanceof VideoFrame) noted.paints.push({at: now(), number: image.timestamp / 1000});
  };
});

export const take = (page) => page.evaluate(() => globalThis.__take());

// CTR of an SFrame object with KID 0 from its first bytes (RFC 9605 §4.3).
export function ctrOf([config, ...bytes]) {
  if ((config & 0x08) === 0) return config & 0x07;
  return bytes.slice(0, (config & 0x07) + 1).reduce((value, byte) => value * 256 + byte, 0);
}

// capture -> canvas in ms for each picture painted; `numberOf` gives a frame the number that it is painted under.
export function delays({frames, paints}, rawMinusPage, numberOf) {
  const captured = new Map(frames.map((frame, index) => [numberOf(frame, index), frame.capture]));
  return paints.filter(({number}) => captured.has(number)).map(({at, number}) => at + rawMinusPage - captured.get(number));
}
