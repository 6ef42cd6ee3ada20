import fs from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from '../state/process-identity.ts';
import { readJournal } from './journal.ts';
import { removeSocket, temporarySockets } from './socket-server.ts';

const DAY_MS = 86_400_000;
const MAX_AGE_MS = 14 * DAY_MS;
const ORPHAN_AGE_MS = 60_000;
const MAX_JOURNALS = 100;

/**
 * Removes the journals of old jobs, keeps a limited number, and removes sockets of processes that have ended. Does not
 * touch jobs whose process is running.
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
  await removeOrphans(run, [...sockets], names, ORPHAN_AGE_MS);
  await removeOrphans(
    journals,
    all.filter((name) => name.endsWith('.log')),
    names,
    MAX_AGE_MS,
  );
  // A socket in a temporary folder is named only in the journal of its job.
  const elsewhere = (await temporarySockets()).length > 0;
  for (const [at, { name, mtimeMs }] of ages.entries()) {
    const old = at >= MAX_JOURNALS || Date.now() - mtimeMs > MAX_AGE_MS;
    const hasSocket = sockets.has(name.replace(/ndjson$/, 'sock'));
    if (old || hasSocket || elsewhere) await cleanUpJob(join(journals, name), old);
  }
}

async function cleanUpJob(path: string, old: boolean): Promise<void> {
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

/** Removes files without a journal, left by processes that crashed before they created it. */
async function removeOrphans(
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
