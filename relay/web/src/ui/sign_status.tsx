import { useApp } from './hooks';
import { Message } from './parts';
import { explain } from './words';

export interface SignState {
  kind: '' | 'signing' | 'signed' | 'draft' | 'problem';
  hash?: string;
  draft?: string;
  reason?: string;
}

const kWords = {
  '': '', signing: 'Undertecknar …', signed: 'Undertecknat och infört i loggen.', draft: 'Undertecknat. Väntar på den andra personen.', problem: '',
};

// How a signing came out, and what the home has said since.
export function SignStatus({ state }: { state: SignState }) {
  const app = useApp();
  const receipt = state.hash ? app.records.find(state.hash)?.receipt : undefined;
  const marks = {
    'data-testid': 'sign-status', 'data-state': state.kind, 'data-reason': state.reason ?? '', 'data-hash': state.hash ?? '', 'data-draft': state.draft ?? '',
    'data-receipt': receipt?.verdict ?? '',
  };
  if (state.kind === 'problem') return <div {...marks}><Message reason={state.reason ?? ''} testid="sign-problem" tone="stop" /></div>;
  return (
    <p role="status" class={state.kind === 'signed' || state.kind === 'draft' ? 'message good' : 'quiet'} {...marks}>
      {kWords[state.kind]}
      {receipt?.verdict === 'accepted' && ' Gäller nu i hemmet.'}
      {receipt?.verdict === 'refused' && ` Hubben godtog den inte: ${explain(receipt.reason ?? '').title}`}
      {receipt?.verdict === 'waiting' && ` Gäller inte ännu i hemmet: ${explain(receipt.reason ?? '').title}`}
    </p>
  );
}
