import { useEffect, useState } from 'preact/hooks';
import type { App } from '../app';
import { placesOf, type Proposal, propose, signAndHand } from '../care/drafting';
import { b64, fromB64, randomBytes } from '../protocol/bytes';
import { type Json, type JsonObject, isObject, parseJson } from '../protocol/json';
import { nameHash } from '../protocol/order';
import type { OrderType } from '../protocol/payloads';
import { Problem } from '../protocol/problem';
import type { Role } from '../protocol/trust';
import { type FieldSpec, getPath, kForms, kTermMembers, setPath } from './forms';
import { useApp } from './hooks';
import { OrderWords } from './order_words';
import { Button, Field, valueOf } from './parts';
import type { SignState } from './sign_status';
import { chooseHub, chooseResident, templateFor } from './templates';
import { kRoleWords, kTypeWords } from './words';

interface Named {
  name: string;
  address: string;
  salt: string;
}

const pretty = (body: JsonObject): string => JSON.stringify(body, null, 1);

function FieldInput({ spec, body, onChange }: { spec: FieldSpec; body: JsonObject; onChange: (value: Json | undefined) => void }) {
  const shown = spec.show(getPath(body, spec.name));
  const [typed, setTyped] = useState(shown);
  const [isWrong, setWrong] = useState(false);
  // What changed elsewhere is shown; what is being typed stays as typed.
  useEffect(() => {
    if (JSON.stringify(spec.read(typed)) !== JSON.stringify(getPath(body, spec.name))) setTyped(shown);
  }, [shown]);
  const input = (event: Event): void => {
    const element = event.currentTarget as HTMLInputElement;
    const value = spec.kind === 'check' ? (element.checked ? 'ja' : '') : element.value;
    const read = spec.read(value);
    setTyped(value);
    setWrong(read === undefined && value !== '');
    onChange(read);
  };
  const shared = { 'data-testid': `field-${spec.name}`, 'aria-invalid': isWrong, onInput: input };
  return (
    <Field label={spec.label} {...(spec.hint ? { hint: spec.hint } : {})}>
      {spec.kind === 'lines' ? <textarea rows={3} value={typed} {...shared} />
        : spec.kind === 'check' ? <input type="checkbox" checked={typed === 'ja'} {...shared} />
          : <input type="text" autocomplete="off" inputMode={spec.kind === 'number' ? 'numeric' : 'text'} list={spec.list} value={typed} {...shared} />}
    </Field>
  );
}

function Lists({ app }: { app: App }) {
  const { book } = app.records;
  const bodies = book.all().map((order) => order.payload.body);
  const people = new Set(bodies.flatMap((body) => (body.type === 'grant' ? [body.person] : [])));
  return (
    <>
      <datalist id="residents">{[...app.residents.values()].map((r) => <option key={r.resident} value={r.resident}>{r.isVerified ? r.name : 'namnet är inte bekräftat'}</option>)}</datalist>
      <datalist id="hubs">{bodies.flatMap((body) => (body.type === 'device' ? [<option key={body.hub} value={body.hub}>{body.board}</option>] : []))}</datalist>
      <datalist id="people">{[...people].map((person) => <option key={person} value={person} />)}</datalist>
    </>
  );
}

interface Second {
  person: string;
  issuer: string;
  role: string;
}

// Who signs where: I in the first place that one of my roles fits, the second person in the other.
function signersFor(app: App, places: readonly (readonly Role[])[], second: Second) {
  const mine = app.rights().map((right) => right.role);
  const place = places.findIndex((roles) => roles.some((role) => mine.includes(role)));
  const at = place < 0 ? 0 : place;
  const role = places[at]!.find((candidate) => mine.includes(candidate)) ?? places[at]![0]!;
  const me = { ...app.session!.me, role };
  if (places.length === 1) return { signers: [me], others: [] as readonly Role[] };
  const others = places[1 - at]!;
  const other = { issuer: second.issuer, person: second.person, role: (others.includes(second.role as Role) ? second.role : others[0]) as Role };
  return { signers: at === 0 ? [me, other] : [other, me], others };
}

function tryPropose(app: App, body: Json, second: Second): { proposal?: Proposal; problem?: string; others: readonly Role[] } {
  const now = app.now();
  const { signers, others } = signersFor(app, placesOf(isObject(body) ? body : { type: 'grant' }, now), second);
  try {
    const proposal = propose(body, { provider: app.provider, book: app.records.book, signers, now });
    return { proposal, others };
  } catch (error) {
    return { problem: error instanceof Problem ? error.message : String(error), others };
  }
}

const kTypes = Object.keys(kForms) as OrderType[];

export function Compose({ state, setState }: { state: SignState; setState: (state: SignState) => void }) {
  const app = useApp();
  const [body, setBody] = useState<JsonObject>(() => templateFor('schedule', app));
  const [json, setJson] = useState(() => pretty(body));
  const [named, setNamed] = useState<Named>({ name: '', address: '', salt: b64(randomBytes(32)) });
  const [second, setSecond] = useState<Second>({ person: '', issuer: app.session!.me.issuer, role: '' });
  const type = body.type as OrderType;

  const put = (next: JsonObject): void => {
    setBody(next);
    setJson(pretty(next));
    setState({ kind: '' });
  };
  const paste = (text: string): void => {
    setJson(text);
    setState({ kind: '' });
    try {
      const value = parseJson(text);
      if (isObject(value) && kTypes.includes(value.type as OrderType)) setBody(value);
    } catch {
      // shown as not readable below
    }
  };
  const change = (spec: FieldSpec, value: Json | undefined): void => {
    if (spec.name === 'resident' && typeof value === 'string' && app.residents.has(value)) return put(chooseResident(body, value, app));
    if (spec.name === 'hub' && typeof value === 'string') return put(chooseHub(body, value, app));
    if (spec.name === 'withdrawn' && value === true) {
      return put(Object.fromEntries(Object.entries({ ...body, withdrawn: true }).filter(([name]) => !kTermMembers.includes(name))));
    }
    if (spec.name === 'withdrawn') return put({ ...templateFor('consent', app), resident: body.resident ?? '', home: body.home ?? '', group: body.group ?? '' });
    put(setPath(body, spec.name, value));
  };
  const name = (next: Named): void => {
    setNamed(next);
    void nameHash(fromB64(next.salt, 32), next.name, next.address).then((hash) => {
      setBody((current) => {
        const changed = { ...current, name_hash: hash };
        setJson(pretty(changed));
        return changed;
      });
    });
  };

  let pasted: Json = null;
  try {
    pasted = parseJson(json);
  } catch {
    pasted = null;
  }
  const { proposal, problem, others } = tryPropose(app, pasted, second);
  const isWaiting = others.length > 0 && second.person.trim() === '';

  async function sign(): Promise<void> {
    const fresh = tryPropose(app, pasted, second).proposal;
    const session = app.session;
    if (!fresh || !session) return;
    setState({ kind: 'signing' });
    try {
      if (named.name !== '' && fresh.payload.body.type === 'consent' && fresh.payload.body.terms) {
        const { resident, group } = fresh.payload.body;
        await app.api.call('PUT', `/v1/residents/${resident}`, { group, ...named });
      }
      const handed = await signAndHand(app.api, fresh, session.me, session.key, session.idToken);
      setState(handed.kind === 'accepted' ? { kind: 'signed', hash: handed.hash } : { kind: 'draft', draft: handed.id });
      await app.reload();
    } catch (error) {
      setState({ kind: 'problem', reason: error instanceof Problem ? error.reason : 'internal' });
    }
  }

  return (
    <section aria-labelledby="compose">
      <h2 id="compose">Ny order</h2>
      <Lists app={app} />
      <Field label="Vad gäller det?">
        <select data-testid="compose-type" value={type} onChange={(event) => put(templateFor(valueOf(event) as OrderType, app))}>
          {kTypes.map((name_) => <option key={name_} value={name_}>{kTypeWords[name_]}</option>)}
        </select>
      </Field>
      {type === 'consent' && body.withdrawn !== true && (
        <div class="pair">
          <Field label="Brukarens namn"><input data-testid="resident-name" autocomplete="off" value={named.name} onInput={(event) => name({ ...named, name: valueOf(event) })} /></Field>
          <Field label="Adress"><input data-testid="resident-address" autocomplete="off" value={named.address} onInput={(event) => name({ ...named, address: valueOf(event) })} /></Field>
        </div>
      )}
      <div class="fields">
        {(kForms[type] ?? []).filter((spec) => body.withdrawn !== true || !kTermMembers.includes(spec.name.split('.')[0]!)).map((spec) => (
          <FieldInput key={`${type} ${spec.name}`} spec={spec} body={body} onChange={(value) => change(spec, value)} />
        ))}
      </div>
      {others.length > 0 && (
        <fieldset class="pair">
          <legend>Undertecknas också av</legend>
          <Field label="Person"><input data-testid="second-person" list="people" value={second.person} onInput={(event) => setSecond({ ...second, person: valueOf(event) })} /></Field>
          <Field label="Roll">
            <select data-testid="second-role" value={second.role || others[0]} onChange={(event) => setSecond({ ...second, role: valueOf(event) })}>
              {others.map((role) => <option key={role} value={role}>{kRoleWords[role]}</option>)}
            </select>
          </Field>
          <Field label="Inloggningstjänst">
            <select data-testid="second-issuer" value={second.issuer} onChange={(event) => setSecond({ ...second, issuer: valueOf(event) })}>
              {app.issuers().map(({ issuer }) => <option key={issuer} value={issuer}>{issuer}</option>)}
            </select>
          </Field>
        </fieldset>
      )}
      <details>
        <summary>Allt som text</summary>
        <textarea class="code" rows={12} spellcheck={false} aria-label="Order som JSON" data-testid="compose-json" value={json} onInput={(event) => paste(valueOf(event))} />
      </details>
      {proposal ? <OrderWords testid="compose-words" payload={proposal.payload} replaced={proposal.replaced} /> : <p class="quiet" data-testid="compose-problem">Inte färdigt ifyllt. <small>{problem}</small></p>}
      <Button testid="compose-sign" kind="primary big" disabled={!proposal || isWaiting || state.kind === 'signing' || !app.session?.maySign} onClick={() => void sign()}>
        Underteckna
      </Button>
    </section>
  );
}
