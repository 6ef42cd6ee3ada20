import { basename } from 'node:path';
import type { OpenFolder } from '../files/open-folder.ts';
import { openState, trustedUsers } from '../state/open-state.ts';
import { isRunning } from '../state/process-identity.ts';
import { readHead } from './journal.ts';
import { isAbandoned } from './socket-client.ts';
import {
  hasTemporaryFolders,
  openTemporaryFolder,
  removeSocket,
  removeTemporaryFolder,
} from './socket-server.ts';

const DAY_MS = 86_400_000;
const MAX_AGE_MS = 90 * DAY_MS;
const ORPHAN_AGE_MS = 60_000;
const MAX_JOURNALS = 1_000;
/** Of all journals and their logs together. */
const MAX_TOTAL_BYTES = 256 << 20;
const JOURNAL = /^[\w-]{1,100}\.ndjson$/;
const LOG = /^[\w-]{1,100}\.log$/;
const SOCKET = /^[\w-]{1,100}\.sock$/;
/** A journal that was being rewritten. */
const TEMPORARY = /^\.[\w-]{1,100}(\.[0-9a-f]{12})?$/;

/** An entry of one of the folders. */
interface Found {
  name: string;
  /** Time of the last change, ms since the epoch. */
  changed: number;
  size: number;
}

/**
 * Removes the journals of old jobs, keeps a limited number, and removes sockets of processes that have ended. Does not
 * touch jobs whose process is running, nor anything with a name or of a type that this program does not create.
 */
export async function sweepJournals(install: string): Promise<void> {
  await using journals = await openState(install, 'journal');
  if (!journals) return;
  await using run = await openState(install, 'run');
  const sweep = new Sweep(install, journals, run);
  await sweep.all();
}

class Sweep {
  readonly #install: string;
  readonly #journals: OpenFolder;
  readonly #run: OpenFolder | undefined;

  constructor(install: string, journals: OpenFolder, run: OpenFolder | undefined) {
    this.#install = install;
    this.#journals = journals;
    this.#run = run;
  }

  async all(): Promise<void> {
    const files = await found(this.#journals, 'file');
    const journals = files.filter(({ name }) => JOURNAL.test(name));
    const known = new Set(journals.map(({ name }) => name));
    const sockets = this.#run ? await found(this.#run, 'socket') : [];
    await this.#removeOrphans(sockets, files, known);
    // A socket in a temporary folder is named only in the journal of its job.
    const elsewhere = await hasTemporaryFolders().catch(() => false);
    const names = new Set(sockets.map(({ name }) => name));
    const logs = new Map(files.map(({ name, size }) => [name, size]));
    let total = 0;
    journals.sort((a, b) => b.changed - a.changed);
    for (const [at, { name, changed, size }] of journals.entries()) {
      total += size + (logs.get(name.replace(/ndjson$/, 'log')) ?? 0);
      const old = at >= MAX_JOURNALS || total > MAX_TOTAL_BYTES || isOlder(changed, MAX_AGE_MS);
      const hasSocket = names.has(name.replace(/ndjson$/, 'sock'));
      if (old || hasSocket || elsewhere) await this.#cleanUpJob(name, old);
    }
  }

  /** Removes files without a journal, left by processes that crashed before they created it, or while they rewrote it. */
  async #removeOrphans(sockets: Found[], files: Found[], known: Set<string>): Promise<void> {
    const lost = ({ name }: Found) => !known.has(name.replace(/(sock|log)$/, 'ndjson'));
    for (const one of sockets.filter(({ name }) => SOCKET.test(name)).filter(lost)) {
      if (isOlder(one.changed, ORPHAN_AGE_MS)) await this.#run?.unlink(one.name);
    }
    for (const one of files.filter(({ name }) => LOG.test(name)).filter(lost)) {
      if (isOlder(one.changed, MAX_AGE_MS)) await this.#journals.unlink(one.name);
    }
    for (const { name, changed } of files.filter((one) => TEMPORARY.test(one.name))) {
      if (isOlder(changed, ORPHAN_AGE_MS)) await this.#journals.unlink(name);
    }
  }

  async #cleanUpJob(name: string, old: boolean): Promise<void> {
    const head = await readHead(this.#journals, name);
    if (head && (await isRunning(head.process))) return;
    if (this.#run) await removeSocket(this.#run, name.replace(/ndjson$/, 'sock'));
    if (head?.socket) await this.#removeTemporarySocket(head.socket).catch(() => undefined);
    const log = name.replace(/ndjson$/, 'log');
    if (old) await this.#journals.unlink(name);
    const output = await this.#journals.lstat(log);
    if (output?.isFile() && (old || output.size === 0)) await this.#journals.unlink(log);
  }

  /** The journal may name a socket of another installation: it is removed only if no process listens. */
  async #removeTemporarySocket(path: string): Promise<void> {
    await using folder = await openTemporaryFolder(path, await trustedUsers(this.#install));
    const name = basename(path);
    if (!folder || !(await folder.lstat(name))?.isSocket() || !(await isAbandoned(folder.at(name)))) return;
    await removeSocket(folder, name);
    await removeTemporaryFolder(path);
  }
}

/** The entries of one type. */
async function found(folder: OpenFolder, type: 'file' | 'socket'): Promise<Found[]> {
  const entries = (await folder.entries()).filter((entry) =>
    type === 'file' ? entry.isFile() : entry.isSocket(),
  );
  return Promise.all(
    entries.map(async ({ name }) => {
      const stats = await folder.lstat(name);
      return { name, changed: stats?.mtimeMs ?? Date.now(), size: stats?.size ?? 0 };
    }),
  );
}

/** False for a time in the future. */
function isOlder(changed: number, age_ms: number): boolean {
  return Date.now() - changed > age_ms;
}
