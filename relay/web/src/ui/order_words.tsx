import { useEffect, useState } from 'preact/hooks';
import { hashOf } from '../care/residents';
import type { Order } from '../protocol/order';
import type { Payload } from '../protocol/payloads';
import { describe } from './describe';
import { useApp } from './hooks';
import { kTypeWords } from './words';

// Whether the name that is shown is the one that a consent's hash is about.
function NameCheck({ payload }: { payload: Payload }) {
  const app = useApp();
  const { body } = payload;
  const terms = body.type === 'consent' ? body.terms : null;
  const resident = body.type === 'consent' ? app.residents.get(body.resident) : undefined;
  const [matches, setMatches] = useState<boolean | null>(null);
  useEffect(() => {
    if (!terms || !resident) return setMatches(null);
    void hashOf(resident).then((hash) => setMatches(hash === terms.nameHash));
  }, [terms?.nameHash, resident?.name, resident?.address, resident?.salt]);
  if (matches === null) return null;
  return matches
    ? <p class="tag good" data-testid="name-check" data-state="match">Namn och adress är de som undertecknas</p>
    : <p class="message stop" role="alert" data-testid="name-check" data-state="mismatch">Namnet ovan är inte det som undertecknas.</p>;
}

// An order in plain words, what stands now beside what is new.
export function OrderWords({ payload, replaced, testid }: { payload: Payload; replaced: Order | undefined; testid: string }) {
  const app = useApp();
  // A consent brings its own hash to check the name against; every other order relies on the consent in force.
  const isConsent = payload.body.type === 'consent' && payload.body.terms !== null;
  const nameOf = (resident: string) => {
    const found = app.residents.get(resident);
    return found?.isVerified || isConsent ? found : undefined;
  };
  const lines = describe(payload, nameOf);
  const before = new Map(replaced ? describe(replaced.payload, nameOf).map(({ label, value }) => [label, value]) : []);
  return (
    <div data-testid={testid}>
      <table class="order">
        <caption>{kTypeWords[payload.body.type]}{payload.standing ? `, version ${payload.standing.version}` : ''}</caption>
        <thead><tr><th scope="col">Uppgift</th>{replaced && <th scope="col">Nu gäller</th>}<th scope="col">{replaced ? 'Nytt' : 'Värde'}</th></tr></thead>
        <tbody>
          {lines.map(({ label, value }) => (
            <tr key={label} class={replaced && before.get(label) !== value ? 'changed' : ''}>
              <th scope="row">{label}</th>
              {replaced && <td>{before.get(label) ?? '–'}</td>}
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <NameCheck payload={payload} />
    </div>
  );
}
