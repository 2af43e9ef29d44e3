import type { Row, RowState } from '../care/tonight';
import { formatDate } from '../protocol/time';
import { AlarmsPart } from './alarms_part';
import { useApp } from './hooks';
import { Button, Message } from './parts';
import { clock, dateAndClock, explain, when } from './words';

const kHeadings: Record<RowState, string> = {
  now: 'Nu', late: 'Försenade', unreachable: 'Går inte att nå', blocked: 'Kan inte ses', upcoming: 'Kommande', done: 'Klara',
};

const kOutcomeWords: Record<string, string> = {
  completed: 'Tillsyn utförd', 'not-seen': 'Syntes inte', unable: 'Gick inte', 'visit-taken': 'Besök taget', 'pause-known': 'Paus känd',
};

function stateWords(row: Row, now: number): string {
  const { window } = row;
  const times = window ? `${clock(window.start)}–${clock(window.end)}` : '';
  if (row.state === 'done' && row.outcome) return `${times} · ${kOutcomeWords[row.outcome.outcome.type]} av ${row.outcome.order.payload.signers[0]!.person}`;
  if (row.state === 'blocked') return explain(row.reason).title;
  if (!window) return row.next === null ? 'Inga tillsynstider' : `Nästa tid ${dateAndClock(row.next)}`;
  const tried = row.outcome ? ` · ${kOutcomeWords[row.outcome.outcome.type]}` : '';
  if (row.state === 'late') return `Skulle varit klar ${when(window.end, now)}${tried}`;
  return `${times}${tried}`;
}

// The resident has paused, and a window has begun: somebody has to speak with them, or go there.
const needsWord = (row: Row, now: number): boolean =>
  row.window !== null && row.state !== 'done' && row.reason === 'paused_by_resident' && row.window.start <= now;

// Late, or tried in vain: somebody has to go there.
const needsVisit = (row: Row): boolean =>
  row.window !== null && row.state !== 'done' && (row.state === 'late' || row.outcome?.outcome.type === 'unable' || row.outcome?.outcome.type === 'not-seen');

const kNoLook = ['consent_withdrawn', 'orders_withheld'];
const canLook = (row: Row): boolean => row.home !== null && row.nameProblem === '' && !kNoLook.includes(row.reason);

function RowView({ row }: { row: Row }) {
  const app = useApp();
  const name = row.person && row.nameProblem === '' ? row.person : null;
  const cameras = canLook(row) ? row.home!.cameras : [];
  return (
    <li
      class={`row ${row.state}`} data-testid="row" data-resident={row.resident} data-window={row.window?.window ?? ''}
      data-date={row.window ? formatDate(row.window.date) : ''} data-state={row.state} data-hub={row.hub ?? ''} data-online={String(row.isOnline)}
    >
      <div class="who">
        <strong data-testid="row-name">{name?.name ?? 'Namnet visas inte'}</strong>
        <span class="quiet">{name?.address}</span>
        {row.nameProblem && <Message reason={row.nameProblem} testid="row-warning" tone="stop" />}
        {row.state === 'blocked' && row.nameProblem === '' && <p class="quiet">{explain(row.reason).todo}</p>}
        {row.isPending && <span class="tag" data-testid="row-pending">Gäller inte ännu i hemmet</span>}
      </div>
      <div class="when">
        <span data-testid="row-state">{stateWords(row, app.now())}</span>
        <span class={row.isOnline ? 'tag good' : 'tag bad'}>{row.isOnline ? 'Hubben svarar' : 'Hubben svarar inte'}</span>
      </div>
      {app.can('operator', row.group) && (
        <div class="act">
          {needsWord(row, app.now()) && <Button testid="know-pause" onClick={() => void app.knowPause(row)}>Jag har talat med den boende</Button>}
          {(needsVisit(row) || needsWord(row, app.now())) && <Button testid="take-visit" onClick={() => void app.takeVisit(row)}>Jag åker dit</Button>}
          {cameras.map((camera) => (
            <Button
              key={camera.id} testid="look" kind={row.state === 'now' || row.state === 'late' ? 'primary' : ''} data-camera={camera.id}
              disabled={!app.isOnline} onClick={() => app.look(row, camera.id)}
            >
              {cameras.length > 1 ? `Titta (${camera.id})` : 'Titta'}
            </Button>
          ))}
        </div>
      )}
    </li>
  );
}

export function TonightPage() {
  const app = useApp();
  const rows = app.rows();
  const states = (Object.keys(kHeadings) as RowState[]).filter((state) => rows.some((row) => row.state === state));
  return (
    <main data-testid="tonight">
      <h1>I natt</h1>
      <AlarmsPart />
      {!app.isLoaded && <p>Hämtar listan …</p>}
      {app.isLoaded && rows.length === 0 && <p>Det finns ingen att se till i dina grupper.</p>}
      {states.map((state) => (
        <section key={state} aria-labelledby={`h-${state}`}>
          <h2 id={`h-${state}`}>{kHeadings[state]}</h2>
          <ul class="rows">{rows.filter((row) => row.state === state).map((row) => <RowView key={row.key} row={row} />)}</ul>
        </section>
      ))}
    </main>
  );
}
