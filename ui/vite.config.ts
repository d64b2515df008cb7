// Vite configuration: builds the web page that the engine serves. The development server forwards
// /api and /metrics to a running engine.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const engine = process.env.KHOR_ENGINE ?? 'http://127.0.0.1:17321';

/** Files that are smaller than this, in bytes, are not compressed, because they already fit into
 *  one network packet. */
const LEAST_BYTES = 1024;

/** Writes compressed copies of the text files. The engine sends them to browsers that accept
 *  compression. */
function precompress(): Plugin {
  let folder = '';
  return {
    name: 'precompress',
    apply: 'build',
    configResolved: ({ root, build }) => {
      folder = path.resolve(root, build.outDir);
    },
    closeBundle: () => {
      const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(js|css|html|svg)$/.test(name));
      for (const file of names.map((name) => path.join(folder, name))) {
        const content = readFileSync(file);
        if (content.length < LEAST_BYTES) continue;
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(content));
      }
    },
  };
}

export default defineConfig({
  // Use relative URLs, so that the page works behind a proxy that adds a path prefix. For a page at
  // a deeper path, the engine corrects these URLs.
  base: './',
  plugins: [react(), precompress()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: true },
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      // The engine rejects requests whose Host or Origin is not its own, so the development proxy
      // replaces both headers.
      '/metrics': { target: engine, changeOrigin: true },
      '/api': { target: engine, changeOrigin: true, headers: { origin: engine } },
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
});
