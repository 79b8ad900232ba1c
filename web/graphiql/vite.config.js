import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';

// Monaco carries code of others, which the list of bundled packages cannot know.
const monacoNotices = {
  name: 'monaco-notices',
  generateBundle() {
    const source = readFileSync('node_modules/monaco-editor/ThirdPartyNotices.txt', 'utf8');
    this.emitFile({ type: 'asset', fileName: 'MONACO_NOTICES.txt', source });
  },
};

export default defineConfig({
  // Relative addresses: the server may live behind a proxy under any path.
  base: './',
  plugins: [monacoNotices],
  worker: { format: 'es' },
  build: {
    outDir: '../static/graphiql',
    emptyOutDir: true,
    // Fonts as files: the content security policy refuses data: for them.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    license: { fileName: 'THIRD_PARTY_LICENSES.md' },
    modulePreload: { polyfill: false },
    // "use client" of React libraries means nothing in a page without server rendering.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
    sourcemap: false,
    target: 'es2022',
  },
});
