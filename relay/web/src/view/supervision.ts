import { type Bytes, equal, fromB64, utf8 } from '../protocol/bytes';
import { ageBound, ClockWatch, kStaleMs } from '../protocol/age';
import { type Answer, openAnswer, type OpenView } from '../protocol/device';
import { makeViewerKey, setupReceiver, type ViewerKey } from '../protocol/hpke';
import type { Json, JsonObject } from '../protocol/json';
import type { P256Jwk } from '../protocol/keys';
import { kNonePainted, LifeMaker } from '../protocol/life';
import { orderHash } from '../protocol/order';
import { Problem, refused } from '../protocol/problem';
import { type Picture, Receiver } from '../protocol/receiver';
import { Opener } from '../protocol/sframe';
import { Player } from './player';

// One look: from the signed order to the last picture.

export type ViewState = 'asking' | 'waiting' | 'live' | 'blanked' | 'refused' | 'ended';

// Everything a supervision needs of the world around it.
export interface Surroundings {
  // The signed view order for this key; throws Problem if there can be none.
  makeOrder(viewerKey: Bytes): Promise<{ order: JsonObject; payloadText: string }>;
  // To the relay; false if the connection is down.
  send(message: JsonObject | Bytes): boolean;
  // What the answer must be signed with and about: from the resident's countersigned assignment.
  hub: string;
  deviceKey: P256Jwk;
  resident: string;
  camera: string;
  onChange(): void;
  // Whether this page asked for a view under this order: its answer may come when the next has been begun.
  isEarlierOrder(hash: string): boolean;
}

const kTickMs = 100;
const kLifeMs = 500;
const kAnswerMs = 20_000;
const kFirstPictureMs = 12_000;
const kEndSlackMs = 1500;
const kMaxQueued = 256; // frames that came before the answer was opened

export class Supervision {
  state: ViewState = 'asking';
  reason = '';
  answer: Answer | null = null;
  painted = 0;
  dropped = 0;
  order = '';
  nextMs: number | null = null;

  private last: Picture | null = null;
  private viewer: ViewerKey | null = null;
  private posted = 0;
  private answeredAt = 0;
  private receiver: Receiver | null = null;
  private life: LifeMaker | null = null;
  private player: Player | null = null;
  private untilMono = 0;
  private queue: Bytes[] = [];
  private work: Promise<void> = Promise.resolve();
  private readonly clocks = new ClockWatch(Date.now(), performance.now());
  private readonly timers: ReturnType<typeof setInterval>[] = [];

  constructor(private readonly around: Surroundings) {}

  // The canvas to paint on, once the page has one.
  attach(canvas: HTMLCanvasElement): void {
    this.player ??= new Player(canvas, (picture) => this.mayPaint(picture), (picture) => this.hasPainted(picture), () => this.lostSync());
  }

  get isRunning(): boolean {
    return this.state !== 'refused' && this.state !== 'ended';
  }

  get hasSeen(): boolean {
    return this.painted > 0;
  }

  // How old the picture on the screen is at most, in ms; null before the first.
  age(): number | null {
    return this.last && this.ageOf(this.last);
  }

  get ctr(): string {
    return this.last ? String(this.last.ctr) : '';
  }

  get capture(): string {
    return this.last ? String(this.last.capture) : '';
  }

  async start(): Promise<void> {
    try {
      this.viewer = await makeViewerKey();
      const { order, payloadText } = await this.around.makeOrder(this.viewer.publicKey);
      this.order = await orderHash(payloadText);
      this.posted = performance.now();
      if (!this.around.send({ type: 'view', order })) throw refused('relay_unreachable');
      this.timers.push(setInterval(() => this.tick(), kTickMs));
      this.around.onChange();
    } catch (error) {
      this.finish('refused', error instanceof Problem ? error.reason : 'internal');
    }
  }

  // What the relay said on the WebSocket.
  receive(message: JsonObject): void {
    if (!this.isRunning) return;
    if (message.type === 'offered' && this.state === 'asking') this.set('waiting');
    if (message.type === 'answer') this.enqueue(() => this.takeAnswer(message.answer ?? null));
    if (message.type === 'problem') this.finish('refused', typeof message.code === 'string' ? message.code : 'relay_error');
    if (message.type === 'end') this.finish('ended', this.endReason());
  }

  receiveFrame(message: Bytes): void {
    if (!this.isRunning) return;
    if (this.receiver) return this.enqueue(() => this.takeFrame(message));
    if (this.queue.length < kMaxQueued) this.queue.push(message);
  }

  connectionLost(): void {
    if (this.isRunning && this.posted > 0) this.finish('ended', 'relay_unreachable');
  }

  stop(reason = 'viewer_gone'): void {
    if (this.isRunning) this.finish('ended', reason);
  }

  // Frames are opened one after the other, in the sequence in which they came.
  private enqueue(task: () => Promise<void>): void {
    this.work = this.work.then(() => (this.isRunning ? task() : undefined)).catch((error: unknown) => {
      this.finish(this.answer ? 'ended' : 'refused', error instanceof Problem ? error.reason : 'internal');
    });
  }

  private async takeAnswer(envelope: Json): Promise<void> {
    if (this.answer) return;
    const answer = await this.checkedAnswer(envelope);
    if (!answer) return;
    this.answer = answer;
    this.answeredAt = performance.now();
    const { open } = this.answer;
    if (!open) {
      this.nextMs = this.answer.nextMs;
      return this.finish('refused', this.answer.reason || 'internal');
    }
    await this.openStream(this.answer, open);
    this.set('waiting');
  }

  // An answer counts only if this resident's own hub gave it to this order and this key; null for one to an earlier order
  // of this page, which has come late.
  private async checkedAnswer(envelope: Json): Promise<Answer | null> {
    const { hub, deviceKey, resident, camera } = this.around;
    const answer = await openAnswer(envelope, hub, deviceKey).catch((error: unknown) => {
      throw refused('answer_not_from_hub', String(error));
    });
    if (answer.order !== this.order && this.around.isEarlierOrder(answer.order)) return null;
    const isOurs = answer.order === this.order && equal(answer.viewerKey, this.viewer!.publicKey);
    if (!isOurs || answer.resident !== resident || answer.camera !== camera) throw refused('answer_not_ours');
    return answer;
  }

  private async openStream(answer: Answer, open: OpenView): Promise<void> {
    if (answer.utcMs === null) throw refused('clock_untrusted');
    this.untilMono = answer.mono + (open.untilMs - answer.utcMs);
    const context = await setupReceiver(open.enc, this.viewer!, fromB64(this.order, 32));
    const streamKey = await context.open(new Uint8Array(), open.sealed);
    if (streamKey.length !== 32) throw refused('hpke');
    this.life = await LifeMaker.make(await context.export(utf8('tillsyn life v1'), 32), open.stream);
    this.receiver = new Receiver(await Opener.make(streamKey, 0n), open.stream);
    streamKey.fill(0);
    this.timers.push(setInterval(() => void this.sendLife(), kLifeMs));
    await this.sendLife();
    for (const message of this.queue.splice(0)) this.enqueue(() => this.takeFrame(message));
  }

  private async takeFrame(message: Bytes): Promise<void> {
    const received = await this.receiver!.receive(message);
    if ('dropped' in received) {
      this.dropped++;
      return;
    }
    if (received.picture.isEnd) return this.finish('ended', this.endReason());
    this.player?.decode(received.picture);
  }

  private async sendLife(): Promise<void> {
    if (!this.isRunning || !this.life) return;
    const message = await this.life.next(this.last?.ctr ?? kNonePainted, performance.now());
    this.around.send(message);
  }

  private ageOf(picture: Picture): number {
    const echoSent = picture.echo === 0n ? undefined : this.life?.sent(picture.echo);
    return ageBound({ posted: this.posted, mono: this.answer!.mono, capture: picture.capture, echoSent }, performance.now());
  }

  private mayPaint(picture: Picture): boolean {
    if (this.clocks.hasParted(Date.now(), performance.now())) this.finish('ended', 'clock_parted');
    return this.isRunning && !this.isOver() && picture.capture < this.untilMono && this.ageOf(picture) <= kStaleMs;
  }

  private hasPainted(picture: Picture): void {
    this.last = picture;
    this.painted++;
    if (this.state === 'live') return this.around.onChange();
    this.set('live');
  }

  private lostSync(): void {
    this.dropped++;
    this.receiver?.loseSync();
  }

  // Whether the window is over here: reckoned from when the answer came, so at most its way from the hub late.
  private isOver(): boolean {
    const { answer } = this;
    return answer?.open != null && performance.now() - this.answeredAt >= this.untilMono - answer.mono;
  }

  // The hub has ended it: because the window is over, or for a reason of its own.
  private endReason(): string {
    const left = this.answer ? this.untilMono - this.answer.mono - (performance.now() - this.answeredAt) : Infinity;
    return left < kEndSlackMs ? 'window_end' : 'hub_ended';
  }

  private tick(): void {
    if (!this.isRunning) return;
    const waited = performance.now() - this.posted;
    if (this.clocks.hasParted(Date.now(), performance.now())) return this.finish('ended', 'clock_parted');
    if (this.isOver()) return this.finish('ended', 'window_end');
    if (!this.answer && waited > kAnswerMs) return this.finish('refused', 'no_answer');
    if (this.receiver && !this.last && performance.now() - this.answeredAt > kFirstPictureMs) return this.finish('ended', 'no_picture');
    const age = this.age();
    if (age !== null && age > kStaleMs && this.state === 'live') {
      this.player?.blank();
      this.set('blanked');
    }
    this.around.onChange();
  }

  private set(state: ViewState): void {
    this.state = state;
    this.around.onChange();
  }

  private finish(state: 'refused' | 'ended', reason: string): void {
    if (!this.isRunning) return;
    this.state = state;
    this.reason = reason;
    for (const timer of this.timers) clearInterval(timer);
    this.queue = [];
    this.player?.blank();
    this.player?.close();
    if (this.posted > 0) this.around.send({ type: 'end' });
    this.receiver = null;
    this.life = null;
    this.viewer = null;
    this.around.onChange();
  }
}
