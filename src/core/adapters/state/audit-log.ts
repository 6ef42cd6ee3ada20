import { constants } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Audit, AuditEntry } from '../../ports/audit.ts';
import { errno, onDisk } from '../disk/errors.ts';
import { syncFolder } from '../disk/file.ts';
import { currentUser } from './owner.ts';

const NEWLINE = 10;
const { O_APPEND, O_CREAT, O_RDWR } = constants;

/** The audit log of an installation: `.bifract/audit.log`, append-only, one JSON line per entry. */
export class AuditLog implements Audit {
  readonly #folder: string;
  readonly #path: string;

  constructor(install: string) {
    this.#folder = join(install, '.bifract');
    this.#path = join(this.#folder, 'audit.log');
  }

  async append(entry: AuditEntry): Promise<void> {
    const { time, ...rest } = entry;
    const line = `${JSON.stringify({ time, ...currentUser(), ...rest })}\n`;
    await onDisk(`Cannot write the audit log ${this.#path}`, async () => {
      await fs.mkdir(this.#folder, { mode: 0o700 }).catch((error: unknown) => {
        if (errno(error) !== 'EEXIST') throw error;
      });
      const isNew = await fs.stat(this.#path).then(
        () => false,
        () => true,
      );
      await using file = await fs.open(this.#path, O_APPEND | O_CREAT | O_RDWR, 0o600);
      // A single write, so that lines of two processes cannot mix.
      await file.write(`${(await isCut(file)) ? '\n' : ''}${line}`);
      await file.sync();
      if (isNew) await syncFolder(this.#folder);
    });
  }
}

/** Whether the last line is incomplete after a power failure. The next one must not be appended to it. */
async function isCut(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}
