/** `npm run page` serves this folder. Both settings are for `tfhe`, which loads its WebAssembly and a worker by URL. */
import { defineConfig } from 'vite';

export default defineConfig({
  optimizeDeps: { exclude: ['tfhe'] },
  worker: { format: 'es' },
});
