// Builds the page that the engine serves. In development, passes /api on to a running engine.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const engine = process.env.KHOR_ENGINE ?? 'http://127.0.0.1:17321';

/** Shorter files are not compressed, bytes. They fit into one network packet. */
const LEAST_BYTES = 1024;

/** Writes compressed copies of the text files. The engine sends them to browsers that accept
 *  them. */
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
  // Relative addresses, so that the page works below the path of a proxy. In pages with a deeper
  // address, the engine corrects the relative addresses.
  base: './',
  plugins: [react(), precompress()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: true },
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      // The engine accepts only its own Host and Origin, so the proxy replaces both.
      '/metrics': { target: engine, changeOrigin: true },
      '/api': { target: engine, changeOrigin: true, headers: { origin: engine } },
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
});
