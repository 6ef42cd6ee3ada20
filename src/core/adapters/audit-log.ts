import { constants } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Audit, AuditEntry } from '../ports/audit.ts';
import { errno, onDisk } from './disk-errors.ts';
import { syncFolder } from './disk-file.ts';
import { who } from './who.ts';

const NEWLINE = 10;
const { O_APPEND, O_CREAT, O_RDWR } = constants;

/** The audit log of an installation: a JSON line for each entry in `.bifract/audit.log`, which is only ever added to. */
export class AuditLog implements Audit {
  readonly #folder: string;
  readonly #path: string;

  constructor(install: string) {
    this.#folder = join(install, '.bifract');
    this.#path = join(this.#folder, 'audit.log');
  }

  async append(entry: AuditEntry): Promise<void> {
    const { time, ...rest } = entry;
    const line = `${JSON.stringify({ time, ...who(), ...rest })}\n`;
    await onDisk(`Cannot write the audit log ${this.#path}`, async () => {
      await fs.mkdir(this.#folder, { mode: 0o700 }).catch((error: unknown) => {
        if (errno(error) !== 'EEXIST') throw error;
      });
      const isNew = await fs.stat(this.#path).then(
        () => false,
        () => true,
      );
      await using file = await fs.open(this.#path, O_APPEND | O_CREAT | O_RDWR, 0o600);
      // One write: lines of two processes must not run into each other.
      await file.write(`${(await isCut(file)) ? '\n' : ''}${line}`);
      await file.sync();
      if (isNew) await syncFolder(this.#folder);
    });
  }
}

/** A line that a power cut left half must not swallow the next. */
async function isCut(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}
