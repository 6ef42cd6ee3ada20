import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { entryCommand } from './entry.ts';

/** Variables that would win over the demo's `.env`, or lead a client elsewhere: to a real installation, at worst. */
const FOREIGN = /^(BIFRACT_|POSTGRES_|CLICKHOUSE_|PG[A-Z]+$)/;

/** An environment in which every program of ours works on the installation in `dir`, and on no other. */
export function demoEnvironment(
  environment: NodeJS.ProcessEnv,
  dir: string,
  programs: string[],
): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !FOREIGN.test(name));
  const path = [...programs, environment.PATH ?? ''].join(delimiter);
  return { ...Object.fromEntries(kept), BIFRACT_DIR: dir, PATH: path };
}

/** Makes a folder with a program `bifract` in it, which is this very one. */
export async function makeProgramFolder(folder: string): Promise<string> {
  const { command, args } = entryCommand('bifract');
  const words = [command, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const program = join(folder, 'bifract');
  await writeFile(program, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  await chmod(program, 0o700);
  return folder;
}
