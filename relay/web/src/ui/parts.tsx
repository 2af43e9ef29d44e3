import type { ComponentChildren, JSX } from 'preact';
import { explain } from './words';

// Small parts that several pages share.

export function Message({ reason, testid, tone = 'warn', children }: {
  reason: string; testid: string; tone?: 'warn' | 'stop' | 'calm'; children?: ComponentChildren;
}) {
  const { title, todo } = explain(reason);
  return (
    <div class={`message ${tone}`} role={tone === 'calm' ? 'status' : 'alert'} data-testid={testid} data-reason={reason}>
      <strong>{title}</strong> <span>{todo}</span>
      {children}
    </div>
  );
}

export function Button({ testid, kind = '', ...rest }: { testid: string; kind?: string } & JSX.ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" class={`button ${kind}`} data-testid={testid} {...rest} />;
}

export function Field({ label, children, hint }: { label: string; children: ComponentChildren; hint?: string }) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
      {hint && <small>{hint}</small>}
    </label>
  );
}

export const valueOf = (event: Event): string => (event.currentTarget as HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement).value;
