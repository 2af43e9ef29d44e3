import { render } from 'preact';
import { App } from './app';
import './style.css';
import { AppContext } from './ui/hooks';
import { Shell } from './ui/shell';

const app = new App();
render(
  <AppContext.Provider value={app}>
    <Shell />
  </AppContext.Provider>,
  document.getElementById('root')!,
);
void (window.top === window ? app.start() : app.refuse('framed'));
