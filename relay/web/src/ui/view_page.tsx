import { useEffect, useRef, useState } from 'preact/hooks';
import type { App, Looking } from '../app';
import { hasPersonalNumber } from '../care/outcomes';
import type { Supervision } from '../view/supervision';
import { useView } from './hooks';
import { Button, Field, Message, valueOf } from './parts';
import { clock, explain, when } from './words';

const kStateWords = { asking: 'Frågar hemmet …', waiting: 'Öppnar kameran …', live: 'Direktbild', blanked: 'Bilden är för gammal för att visas', refused: '', ended: '' };

function wordsOf(view: Supervision, now: number): string {
  if (view.state !== 'refused' && view.state !== 'ended') return kStateWords[view.state];
  const { title, todo } = explain(view.reason);
  const next = view.nextMs === null ? '' : ` Nästa tillsynstid är ${when(view.nextMs, now)}.`;
  return `${title} ${todo}${next}`;
}

function Picture({ app, view, looking }: { app: App; view: Supervision; looking: Looking }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => view.attach(canvas.current!), [view]);
  const home = looking.row.home!;
  const camera = home.cameras.find(({ id }) => id === looking.camera);
  const age = view.age();
  const isShown = view.state === 'live';
  return (
    <div class="stage">
      <div class={`frame ${isShown ? '' : 'hidden'}`}>
        <canvas ref={canvas} width={1280} height={720} data-testid="picture" role="img" aria-label="Direktbild från hemmet" />
        {!isShown && <p class="veil" role="status" data-testid="view-words">{wordsOf(view, app.now())}</p>}
      </div>
      <dl class="facts">
        <div><dt>Bildens ålder</dt><dd data-testid="age" data-age={age === null ? '' : Math.round(age)}>{isShown && age !== null ? `${(age / 1000).toFixed(1).replace('.', ',')} s` : '–'}</dd></div>
        <div><dt>Kamerans beteckning</dt><dd class="code" data-testid="identifier">{camera?.identifier}</dd></div>
        <div><dt>Brukarens kod</dt><dd class="code" data-testid="short-code">{home.code}</dd></div>
      </dl>
      <p class="quiet">Samma beteckning och kod ska stå i bilden. Stämmer de inte: sluta titta och åk dit.</p>
    </div>
  );
}

function Marks({ app, view, looking }: { app: App; view: Supervision; looking: Looking }) {
  const [note, setNote] = useState('');
  const [why, setWhy] = useState('');
  const { mark } = looking;
  const isBusy = mark.state === 'signing' || mark.state === 'proving';
  const canSee = view.hasSeen && view.answer?.open != null && !isBusy;
  return (
    <section class="marks" aria-label="Hur gick det?">
      <Field label="Anteckning (frivillig)" hint="Skriv inga personnummer och inget som hör hemma i journalen.">
        <textarea data-testid="note" maxLength={1000} rows={2} value={note} onInput={(event) => setNote(valueOf(event))} />
      </Field>
      {hasPersonalNumber(note) && <p class="message warn" role="alert" data-testid="note-warning">Det ser ut som ett personnummer. Ta bort det.</p>}
      <div class="buttons">
        <Button testid="mark-completed" kind="good big" disabled={!canSee} onClick={() => void app.mark('completed', note)}>Tillsyn utförd</Button>
        <Button testid="mark-not-seen" kind="big" disabled={!canSee} onClick={() => void app.mark('not-seen', note)}>Ser inte</Button>
      </div>
      <Field label="Varför gick det inte?">
        <input data-testid="unable-reason" maxLength={500} value={why} onInput={(event) => setWhy(valueOf(event))} />
      </Field>
      <Button testid="mark-unable" kind="big" disabled={isBusy || why.trim() === ''} onClick={() => void app.mark('unable', why.trim())}>
        Gick inte – någon åker dit
      </Button>
      {!canSee && !isBusy && <p class="quiet">Tillsyn utförd går att välja när en direktbild har visats.</p>}
      <MarkStatus looking={looking} />
    </section>
  );
}

const kMarkWords = {
  completed: 'Tillsyn utförd', 'not-seen': 'Ser inte: titta igen inom tiden, åk annars dit', unable: 'Gick inte: någon ska åka dit', 'visit-taken': 'Besök taget', 'pause-known': 'Paus känd', '': '',
};

function MarkStatus({ looking: { mark } }: { looking: Looking }) {
  const words = {
    '': '', signing: 'Undertecknar …', proving: 'Väntar på loggen …', proven: `${kMarkWords[mark.type]}. Undertecknat och infört i loggen.`, failed: '',
  };
  if (mark.state === 'failed') {
    return <div data-testid="mark-status" data-state="failed" data-reason={mark.reason} data-hash=""><Message reason={mark.reason} testid="mark-problem" tone="stop" /></div>;
  }
  return (
    <p class={mark.state === 'proven' ? 'message good' : 'quiet'} role="status" data-testid="mark-status" data-state={mark.state} data-reason="" data-hash={mark.hash}>
      {words[mark.state]}
    </p>
  );
}

export function ViewPage() {
  const app = useView();
  const view = app.view!;
  const looking = app.looking!;
  const { row } = looking;
  const age = view.age();
  return (
    <main
      class="view" data-testid="view" data-state={view.state} data-reason={view.reason} data-painted={view.painted} data-age={age === null ? '' : Math.round(age)}
      data-ctr={view.ctr} data-capture={view.capture} data-dropped={view.dropped} data-resident={row.resident} data-order={view.order}
      data-next={view.nextMs === null ? '' : new Date(view.nextMs).toISOString()}
    >
      <header class="over">
        <h1 data-testid="view-name">{looking.kind === 'test-view' ? 'Provbild' : row.person?.name}</h1>
        <p>{row.person?.address}</p>
        {row.window && <p>Tillsynstid {clock(row.window.start)}–{clock(row.window.end)}</p>}
        {row.isPending && <span class="tag">Gäller inte ännu i hemmet</span>}
      </header>
      <Picture app={app} view={view} looking={looking} />
      <div class="side">
        <div class="buttons">
          {view.isRunning
            ? <Button testid="view-stop" onClick={() => view.stop()}>Sluta titta</Button>
            : <Button testid="view-retry" kind="primary" disabled={!app.isOnline} onClick={() => app.lookAgain()}>Titta igen</Button>}
          <Button testid="view-close" onClick={() => app.closeView()}>Till listan</Button>
        </div>
        {row.window && <Marks app={app} view={view} looking={looking} />}
      </div>
    </main>
  );
}
