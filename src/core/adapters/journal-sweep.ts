import fs from 'node:fs/promises';
import { join } from 'node:path';
import { ownSockets, removeSocket } from './job-socket.ts';
import { isRunning } from './process-identity.ts';
import { readJournal } from './read-journal.ts';

const DAY_MS = 86_400_000;
const KEPT_MS = 14 * DAY_MS;
const STRAY_MS = 60_000;
const KEPT_COUNT = 100;

/**
 * Forgets jobs that ended long ago, or before many others, and removes the sockets of processes that died. Of a job
 * whose process runs nothing is touched.
 */
export async function sweepJournals(journals: string, run: string): Promise<void> {
  const all = await fs.readdir(journals);
  const names = all.filter((name) => name.endsWith('.ndjson'));
  const ages = await Promise.all(
    names.map(async (name) => {
      const { mtimeMs } = await fs.stat(join(journals, name)).catch(() => ({ mtimeMs: Date.now() }));
      return { name, mtimeMs };
    }),
  );
  ages.sort((a, b) => b.mtimeMs - a.mtimeMs);
  const sockets = new Set(await fs.readdir(run).catch(() => []));
  await removeStray(run, [...sockets], names, STRAY_MS);
  await removeStray(
    journals,
    all.filter((name) => name.endsWith('.log')),
    names,
    KEPT_MS,
  );
  // Which job has a socket in a folder of its own, only its journal tells.
  const elsewhere = (await ownSockets()).length > 0;
  for (const [at, { name, mtimeMs }] of ages.entries()) {
    const old = at >= KEPT_COUNT || Date.now() - mtimeMs > KEPT_MS;
    const left = sockets.has(name.replace(/ndjson$/, 'sock'));
    if (old || left || elsewhere) await tidy(join(journals, name), old);
  }
}

async function tidy(path: string, old: boolean): Promise<void> {
  const journal = await readJournal(path);
  if (journal && (await isRunning(journal.head.process))) return;
  if (journal?.head.socket) await removeSocket(journal.head.socket);
  const log = path.replace(/ndjson$/, 'log');
  if (old) await fs.rm(path, { force: true });
  if (old || (await isEmpty(log))) await fs.rm(log, { force: true });
}

async function isEmpty(path: string): Promise<boolean> {
  return fs.stat(path).then(
    ({ size }) => size === 0,
    () => false,
  );
}

/** What no journal names was left by a process that died between that and its journal. */
async function removeStray(
  folder: string,
  names: string[],
  journals: string[],
  age_ms: number,
): Promise<void> {
  const known = new Set(journals);
  for (const name of names) {
    const path = join(folder, name);
    if (known.has(name.replace(/(sock|log)$/, 'ndjson'))) continue;
    const { mtimeMs } = await fs.stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > age_ms) await fs.rm(path, { force: true });
  }
}
