import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Audit, AuditEntry } from '../../ports/audit.ts';
import { makeState, onState } from './open-state.ts';
import { currentUser } from './owner.ts';

const NAME = 'audit.log';
const NEWLINE = 10;

/** The audit log of an installation: `.bifract/audit.log`, append-only, one JSON line per entry. */
export class AuditLog implements Audit {
  readonly #install: string;

  constructor(install: string) {
    this.#install = install;
  }

  async append(entry: AuditEntry): Promise<void> {
    const { time, ...rest } = entry;
    const line = `${JSON.stringify({ time, ...currentUser(), ...rest })}\n`;
    await onState(`Cannot write the audit log ${join(this.#install, '.bifract', NAME)}`, async () => {
      await using folder = await makeState(this.#install);
      const isNew = (await folder.lstat(NAME)) === undefined;
      await using file = await folder.openLog(NAME);
      // A single write, so that lines of two processes cannot mix.
      await file.write(`${(await isCut(file)) ? '\n' : ''}${line}`);
      await file.sync();
      if (isNew) await folder.sync();
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
