import { type Bytes, concat, u64, viewOf } from './bytes';
import { malformed } from './problem';

// How one encrypted picture travels (PROTOCOL.md, "A view's key and frames"); one WebSocket message is one frame.

const kMaxFrameLength = 131_072;
const kPrefixBytes = 4 + 1 + 8;
const kMinFrameLength = 1 + 8 + 1 + 16;
const kKeyFrame = 1;
const kEnd = 2;

export interface Frame {
  flags: number;
  isKey: boolean;
  isEnd: boolean;
  capture: bigint; // ms of the gate's monotonic clock
  object: Bytes; // the SFrame object
}

// Exactly one frame, no byte more or less. Throws malformed "frame".
export function decodeFrame(message: Bytes): Frame {
  if (message.length < kPrefixBytes) throw malformed('frame', 'cut short');
  const view = viewOf(message);
  const length = view.getUint32(0);
  const flags = view.getUint8(4);
  const fits = length >= kMinFrameLength && length <= kMaxFrameLength && message.length === length + 4;
  if (!fits || (flags & ~(kKeyFrame | kEnd)) !== 0) throw malformed('frame');
  return {
    flags,
    isKey: (flags & kKeyFrame) !== 0,
    isEnd: (flags & kEnd) !== 0,
    capture: view.getBigUint64(5),
    object: message.slice(kPrefixBytes),
  };
}

// What is authenticated beside the object: stream id ‖ flags ‖ capture time.
export const frameMetadata = (stream: Bytes, frame: Pick<Frame, 'flags' | 'capture'>): Bytes =>
  concat(stream, Uint8Array.of(frame.flags), u64(frame.capture));
