import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const pages = ['index.html', 'openapi.html'];

// The Go server embeds and sends the gzip form only, so nothing else is written.
function gzipOnly() {
  return {
    name: 'gzip-only',
    buildStart() {
      rmSync('dist/assets', { recursive: true, force: true });
      for (const page of pages) {
        rmSync(`dist/${page}.gz`, { force: true });
      }
    },
    writeBundle(_options, bundle) {
      for (const fileName of Object.keys(bundle)) {
        const built = `dist/${fileName}`;
        writeFileSync(`${built}.gz`, gzipSync(readFileSync(built), { level: 9 }));
        rmSync(built);
      }
    },
  };
}

export default defineConfig({
  base: './',
  worker: { format: 'es' },
  plugins: [gzipOnly()],
  build: {
    // dist/.keep must survive: without it a checkout that was never built would not compile.
    emptyOutDir: false,
    // An inlined icon would need a wider content security policy.
    assetsInlineLimit: (file) => (file.endsWith('.svg') ? false : undefined),
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      input: pages,
      onLog(level, log, report) {
        // Directives of React libraries mean nothing to a browser bundle.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') {
          report(level, log);
        }
      },
    },
  },
});
