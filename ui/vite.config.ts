// Builds the page the engine serves, and proxies /api to a running engine while developing.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const engine = process.env.KHOR_ENGINE ?? 'http://127.0.0.1:17321';

export default defineConfig({
  // Absolute asset paths: with './' the assets of a deep link resolve wrongly.
  base: '/',
  plugins: [react()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: true },
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      // The engine only answers its own Host and Origin, so both are rewritten here.
      '/metrics': { target: engine, changeOrigin: true },
      '/api': { target: engine, changeOrigin: true, headers: { origin: engine } },
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
});
