// What a page really put on the screen, noted from outside: every picture painted, by its counter, and every blanking, with the
// machine's own time. Changes nothing but the clock that the page believes in: Date is `clockOffsetMs` wrong, as on a computer
// that is set wrong, and `setClock` sets it anew; performance.now() is monotonic there too, and left alone.
export function notePaint(page, {clockOffsetMs = 0} = {}) {
  return page.addInitScript((offset) => {
    const RealDate = Date;
    const noted = {painted: [], blanked: []};
    globalThis.__paint = noted;
    const drawImage = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (source, ...rest) {
      if (source instanceof VideoFrame) noted.painted.push({ctr: source.timestamp / 1000, at: RealDate.now()});
      return drawImage.call(this, source, ...rest);
    };
    const fillRect = CanvasRenderingContext2D.prototype.fillRect;
    CanvasRenderingContext2D.prototype.fillRect = function (...rest) {
      noted.blanked.push(RealDate.now());
      return fillRect.call(this, ...rest);
    };
    globalThis.__clockOffsetMs = offset;
    globalThis.Date = class extends RealDate {
      constructor(...parts) { super(...(parts.length === 0 ? [RealDate.now() + globalThis.__clockOffsetMs] : parts)); }
      static now() { return RealDate.now() + globalThis.__clockOffsetMs; }
    };
  }, clockOffsetMs);
}

export const setClock = (page, offsetMs) => page.evaluate((offset) => { globalThis.__clockOffsetMs = offset; }, offsetMs);

// -> {painted: [{ctr, at}], blanked: [at]} since the page was loaded, or since `forgetPaint`.
export const painted = (page) => page.evaluate(() => globalThis.__paint);
export const forgetPaint = (page) => page.evaluate(() => { globalThis.__paint.painted.length = 0; globalThis.__paint.blanked.length = 0; });

// The clear part of a frame, and its counter (RFC 9605 §4.3; KID 0).
export function readFrame(frame) {
  const flags = frame[4];
  const config = frame[13];
  const ctr = config & 8 ? Number(BigInt(`0x${frame.subarray(14, 15 + (config & 7)).toString('hex')}`)) : config & 7;
  return {isKey: (flags & 1) !== 0, isEnd: (flags & 2) !== 0, capture: Number(frame.readBigUInt64BE(5)), ctr};
}
