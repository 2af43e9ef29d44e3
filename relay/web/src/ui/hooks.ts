import { createContext } from 'preact';
import { useContext, useEffect, useReducer } from 'preact/hooks';
import type { App } from '../app';

export const AppContext = createContext<App>(null as unknown as App);

function useChanges(subscribe: (listener: () => void) => () => void): void {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => subscribe(() => redraw(undefined as never)), []);
}

// The app; the component is drawn again whenever it changes.
export function useApp(): App {
  const app = useContext(AppContext);
  useChanges((listener) => app.subscribe(listener));
  return app;
}

// The same, and at each change of the running view too.
export function useView(): App {
  const app = useApp();
  useChanges((listener) => app.subscribeView(listener));
  return app;
}
