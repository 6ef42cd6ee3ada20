import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The command that runs one of our own side programs: the bundled file where there is one beside us, else its
 * source, through tsx where this Node does not read TypeScript itself.
 */
export function entryCommand(name: 'keeper-process' | 'chdb-server'): { command: string; args: string[] } {
  const bundled = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  if (existsSync(bundled)) return { command: process.execPath, args: [bundled] };
  const source = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const loader = process.features.typescript
    ? ['--disable-warning=ExperimentalWarning']
    : ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
  return { command: process.execPath, args: [...loader, source] };
}
