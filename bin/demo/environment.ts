import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { entryCommand } from './entry.ts';

/** Variables that override the demo's `.env` or connect a client elsewhere, at worst to a real installation. */
const OVERRIDES = /^(BIFRACT_|POSTGRES_|CLICKHOUSE_|PG[A-Z]+$)/;

/** An environment in which this program works on the installation in `dir` only. */
export function demoEnvironment(
  environment: NodeJS.ProcessEnv,
  dir: string,
  programs: string[],
): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !OVERRIDES.test(name));
  const path = [...programs, environment.PATH ?? ''].join(delimiter);
  return { ...Object.fromEntries(kept), BIFRACT_DIR: dir, PATH: path };
}

/** Creates a folder with a `bifract` command that runs this program. */
export async function makeProgramFolder(folder: string): Promise<string> {
  const { command, args } = entryCommand('bifract');
  const quoted = [command, ...args].map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const program = join(folder, 'bifract');
  await writeFile(program, `#!/bin/sh\nexec ${quoted.join(' ')} "$@"\n`);
  await chmod(program, 0o700);
  return folder;
}
