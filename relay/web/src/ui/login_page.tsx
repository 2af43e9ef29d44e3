import { useState } from 'preact/hooks';
import { useApp } from './hooks';
import { Button, Message } from './parts';

const hostOf = (issuer: string): string => new URL(issuer).host;

export function LoginPage() {
  const app = useApp();
  const [isLeaving, setLeaving] = useState(false);
  const issuers = app.issuers();
  const calm = ['inactive', 'no_session', 'auth_too_old'].includes(app.reason);
  return (
    <main class="narrow" data-testid="login">
      <h1>Tillsyn</h1>
      <p>{app.providerName}</p>
      {app.reason && <Message reason={app.reason} testid="login-problem" tone={calm ? 'calm' : 'warn'} />}
      {issuers.map((issuer) => (
        <Button
          key={issuer.issuer} testid="login-start" kind="primary wide" data-issuer={issuer.issuer} disabled={isLeaving}
          onClick={() => {
            setLeaving(true);
            void app.logIn(issuer);
          }}
        >
          {issuers.length > 1 ? `Logga in med ${hostOf(issuer.issuer)}` : 'Logga in'}
        </Button>
      ))}
      <p class="quiet">Kameran öppnas bara på avtalad tid. Varje visning undertecknas med ditt namn och syns i loggen.</p>
    </main>
  );
}
