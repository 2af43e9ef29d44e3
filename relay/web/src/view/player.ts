import type { Picture } from '../protocol/receiver';
import { codecOf } from './h264';

// Decodes pictures and paints those that may still be shown. The canvas holds nothing else, ever.
export class Player {
  private decoder: VideoDecoder | null = null;
  private readonly decoding = new Map<number, Picture>();
  private readonly context: CanvasRenderingContext2D;

  // `mayPaint` is asked at the last moment; `onPainted` follows each picture painted.
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly mayPaint: (picture: Picture) => boolean,
    private readonly onPainted: (picture: Picture) => void,
    private readonly onFault: () => void,
  ) {
    this.context = canvas.getContext('2d', { alpha: false, desynchronized: true })!;
  }

  // Precondition: in sequence, and a key picture after each gap (see Receiver).
  decode(picture: Picture): void {
    if (picture.afterGap && !this.restart(picture)) return this.onFault();
    if (!this.decoder) return;
    const timestamp = Number(picture.ctr) * 1000;
    this.decoding.set(timestamp, picture);
    this.decoder.decode(new EncodedVideoChunk({ type: picture.isKey ? 'key' : 'delta', timestamp, data: picture.accessUnit }));
  }

  private restart(picture: Picture): boolean {
    const codec = codecOf(picture.accessUnit);
    if (codec === null) return false;
    this.close();
    const decoder = new VideoDecoder({
      output: (frame) => this.output(frame),
      error: () => this.fail(decoder),
    });
    decoder.configure({ codec, optimizeForLatency: true });
    this.decoder = decoder;
    return true;
  }

  private fail(decoder: VideoDecoder): void {
    if (this.decoder !== decoder) return;
    this.decoder = null;
    this.decoding.clear();
    this.onFault();
  }

  private output(frame: VideoFrame): void {
    const picture = this.decoding.get(frame.timestamp);
    this.decoding.delete(frame.timestamp);
    if (picture && this.mayPaint(picture)) {
      if (this.canvas.width !== frame.displayWidth) this.canvas.width = frame.displayWidth;
      if (this.canvas.height !== frame.displayHeight) this.canvas.height = frame.displayHeight;
      this.context.drawImage(frame, 0, 0);
      this.onPainted(picture);
    }
    frame.close();
  }

  blank(): void {
    this.context.fillStyle = '#000';
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  close(): void {
    this.decoding.clear();
    if (this.decoder && this.decoder.state !== 'closed') this.decoder.close();
    this.decoder = null;
  }
}
