import { useState } from 'preact/hooks';
import { isObject } from '../protocol/json';
import type { Assignment } from '../protocol/payloads';
import { useApp } from './hooks';
import { Button } from './parts';

const kHubStates: Record<string, string> = {
  factory: 'ny', enrolled: 'ansluten', assigned: 'kopplad till brukare', accepted: 'godkänd', released: 'tagen ur bruk', '': 'okänt läge',
};

function TestLook({ home }: { home: Assignment }) {
  const app = useApp();
  if (!app.can('installer', home.group)) return null;
  return (
    <div class="act">
      <span class="quiet">Håll hubbens knapp intryckt i fem sekunder, sedan:</span>
      {home.cameras.map(({ id }) => (
        <Button key={id} testid="test-look" data-camera={id} disabled={!app.isOnline} onClick={() => app.lookForTest(home, id)}>
          {home.cameras.length > 1 ? `Provbild (${id})` : 'Provbild'}
        </Button>
      ))}
    </div>
  );
}

export function HubsPage() {
  const app = useApp();
  const [codes, setCodes] = useState<Record<string, string>>({});
  const devices = app.records.book.all().flatMap(({ payload: { body } }) => (body.type === 'device' ? [body] : []));
  async function makeCode(hub: string): Promise<void> {
    const answer = await app.api.call('POST', `/v1/hubs/${hub}/code`, {}).catch(() => null);
    setCodes({ ...codes, [hub]: isObject(answer) && typeof answer.code === 'string' ? answer.code : 'gick inte' });
  }
  return (
    <main data-testid="hubs">
      <h1>Hubbar</h1>
      {devices.length === 0 && <p>Inga hubbar är registrerade.</p>}
      <ul class="rows">
        {devices.map(({ hub, board }) => {
          const presence = app.hubs.get(hub);
          const home = app.records.book.assignmentOf(hub)?.payload.body;
          return (
            <li class="row" key={hub} data-testid="hub" data-hub={hub} data-online={String(presence?.isOnline ?? false)} data-hubstate={presence?.state ?? ''}>
              <div class="who"><strong class="code">{hub}</strong><span class="quiet">{board}, {kHubStates[presence?.state ?? '']}</span></div>
              <span class={presence?.isOnline ? 'tag good' : 'tag bad'}>{presence?.isOnline ? 'Svarar' : 'Svarar inte'}</span>
              {app.can('technician') && <Button testid="hub-code-make" onClick={() => void makeCode(hub)}>Ny engångskod</Button>}
              {home && <TestLook home={home} />}
              {codes[hub] && <output class="code" data-testid="hub-code">{codes[hub]}</output>}
            </li>
          );
        })}
      </ul>
    </main>
  );
}
