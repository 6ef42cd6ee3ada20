import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Source files of our programs, from here. Only the first has parts that need more than type stripping. */
const SOURCES = {
  bifract: '../bifract.ts',
  'keeper-process': './keeper-process.ts',
  'chdb-server': './chdb-server.ts',
};

/**
 * The command that runs one of our own programs: the bundled file where there is one beside us, else its source,
 * through tsx where this Node does not read it by itself.
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
