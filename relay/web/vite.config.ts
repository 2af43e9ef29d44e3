import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const here = import.meta.dirname ?? resolve('.');

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    rollupOptions: { input: { index: resolve(here, 'index.html'), callback: resolve(here, 'callback.html') } },
  },
  resolve: { alias: { '@web': resolve(here, 'src') } },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  test: {
    globals: true, // the tests lie outside this package, so they cannot import its modules by name
    include: [resolve(here, '../../tests/web/**/*.test.ts')],
    setupFiles: [resolve(here, '../../tests/web/setup.ts')],
    testTimeout: 60_000,
  },
  server: { fs: { allow: [resolve(here, '../..')] } },
});
