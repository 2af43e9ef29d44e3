import { useState } from 'preact/hooks';
import { deleteDraft, type Draft, signDraft } from '../care/drafting';
import { slotKey } from '../protocol/order_book';
import { residentOf } from '../protocol/payloads';
import { Problem } from '../protocol/problem';
import { Compose } from './compose';
import { useApp } from './hooks';
import { OrderWords } from './order_words';
import { Button } from './parts';
import { SignStatus, type SignState } from './sign_status';

function DraftView({ draft, onDone }: { draft: Draft; onDone: (state: SignState) => void }) {
  const app = useApp();
  const { payload } = draft.order;
  const me = app.session!.me;
  const place = payload.signers.findIndex((signer) => signer.issuer === me.issuer && signer.person === me.person);
  const isMine = place >= 0 && !draft.signed[place];
  const key = slotKey(payload.body);

  async function act(action: () => Promise<SignState>): Promise<void> {
    const state = await action().catch((error: unknown): SignState => ({ kind: 'problem', reason: error instanceof Problem ? error.reason : 'internal' }));
    onDone(state);
    await app.reload();
  }
  async function sign(): Promise<SignState> {
    const handed = await signDraft(app.api, draft, app.session!.key, app.session!.idToken);
    return handed.kind === 'accepted' ? { kind: 'signed', hash: handed.hash } : { kind: 'draft', draft: handed.id };
  }
  return (
    <li class="card" data-testid="draft" data-id={draft.id} data-type={payload.body.type} data-resident={residentOf(payload.body) ?? ''}>
      <OrderWords testid="draft-words" payload={payload} replaced={key === null ? undefined : app.records.book.at(key)} />
      <div class="buttons">
        {isMine ? <Button testid="draft-sign" kind="primary" disabled={!app.session!.maySign} onClick={() => void act(sign)}>Underteckna</Button> : <span class="quiet">Väntar på den andra personen</span>}
        <Button testid="draft-delete" onClick={() => void act(() => deleteDraft(app.api, draft).then(() => ({ kind: '' })))}>Ta bort</Button>
      </div>
    </li>
  );
}

export function SignPage() {
  const app = useApp();
  const [state, setState] = useState<SignState>({ kind: '' });
  return (
    <main data-testid="sign">
      <h1>Underteckna</h1>
      <SignStatus state={state} />
      <section data-testid="drafts" aria-labelledby="h-drafts">
        <h2 id="h-drafts">Väntar på underskrift</h2>
        {app.drafts.length === 0 && <p class="quiet">Inget väntar på dig.</p>}
        <ul class="cards">{app.drafts.map((draft) => <DraftView key={draft.id} draft={draft} onDone={setState} />)}</ul>
      </section>
      <Compose state={state} setState={setState} />
    </main>
  );
}
