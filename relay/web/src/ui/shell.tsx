import { useState } from 'preact/hooks';
import { useApp } from './hooks';
import { HubsPage } from './hubs_page';
import { LoginPage } from './login_page';
import { Button, Message } from './parts';
import { SignPage } from './sign_page';
import { TonightPage } from './tonight_page';
import { ViewPage } from './view_page';

type Page = 'tonight' | 'sign' | 'hubs';

function Top({ page, go }: { page: Page; go: (page: Page) => void }) {
  const app = useApp();
  const tab = (name: Page, words: string) => (
    <Button testid={`nav-${name}`} kind="tab" aria-current={page === name ? 'page' : undefined} onClick={() => go(name)}>{words}</Button>
  );
  return (
    <header class="top">
      <nav aria-label="Sidor">
        {tab('tonight', 'I natt')}
        {tab('sign', app.drafts.length > 0 ? `Underteckna (${app.drafts.length})` : 'Underteckna')}
        {(app.can('technician') || app.can('installer')) && tab('hubs', 'Hubbar')}
      </nav>
      <span class={app.isOnline ? 'tag good' : 'tag bad'} data-testid="connection" data-state={app.isOnline ? 'online' : 'offline'}>
        {app.isOnline ? 'Ansluten' : 'Ingen förbindelse'}
      </span>
      <span class="quiet" data-testid="who">{app.session?.me.person}</span>
      <Button testid="logout" onClick={() => void app.logOut()}>Logga ut</Button>
    </header>
  );
}

function Inside() {
  const app = useApp();
  const [page, go] = useState<Page>('tonight');
  if (app.view) return <ViewPage />;
  return (
    <>
      <Top page={page} go={go} />
      {page === 'tonight' && <TonightPage />}
      {page === 'sign' && <SignPage />}
      {page === 'hubs' && <HubsPage />}
    </>
  );
}

export function Shell() {
  const app = useApp();
  const warning = app.state === 'ready' || app.state === 'login' ? app.warning() : '';
  return (
    <div class="app" data-testid="app" data-state={app.state} data-reason={app.reason}>
      {warning && <Message reason={warning} testid="trust-warning" />}
      {app.state === 'starting' && <main class="narrow"><p role="status">Startar …</p></main>}
      {app.state === 'failed' && <main class="narrow"><h1>Tillsyn</h1><Message reason={app.reason} testid="failed" tone="stop" /></main>}
      {app.state === 'login' && <LoginPage />}
      {app.state === 'ready' && <Inside />}
    </div>
  );
}
