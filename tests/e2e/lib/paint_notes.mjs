// What a page really put on the screen, noted from outside: every picture painted, by its counter, and every blanking, with the
// machine's own time. Changes nothing, but the clock that the page believes in if `clockOffsetMs` is given: Date alone, as on a
// computer that is set wrong; performance.now() is monotonic there too.
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
    if (offset === 0) return;
    globalThis.Date = class extends RealDate {
      constructor(...parts) { super(...(parts.length === 0 ? [RealDate.now() + offset] : parts)); }
      static now() { return RealDate.now() + offset; }
    };
  }, clockOffsetMs);
}

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
