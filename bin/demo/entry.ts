import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Source files of the programs of this project. Only the first needs more than type stripping. */
const SOURCES = {
  bifract: '../bifract.ts',
  'supervisor-process': './supervisor-process.ts',
  'chdb-server': './chdb-server.ts',
};

/**
 * The command that runs a program of this project: the bundled file next to this one if there is one, else the source,
 * through tsx if Node cannot run it.
 */
export function entryCommand(name: keyof typeof SOURCES): { command: string; args: string[] } {
  const bundled = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  if (existsSync(bundled)) return { command: process.execPath, args: [bundled] };
  const source = fileURLToPath(new URL(SOURCES[name], import.meta.url));
  const loader =
    process.features.typescript && name !== 'bifract'
      ? ['--disable-warning=ExperimentalWarning']
      : ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
  return { command: process.execPath, args: [...loader, source] };
}
