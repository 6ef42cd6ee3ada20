import { posix } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import type { JobRecord, State } from '../../ports/state.ts';

/**
 * Whether an interrupted restore of archives has removed rows, or has moved in only some: until it is finished, the logs
 * of its fractal are incomplete, and its files may be needed.
 */
function isHalfDone({ restoring }: JobRecord): boolean {
  return restoring?.phase === 'removing' || restoring?.phase === 'attaching';
}

/** Whether the rows of the fractal are incomplete because of the interrupted job. */
export function isHalfRestored(record: JobRecord, fractal_id: string): boolean {
  return isHalfDone(record) && record.restoring?.plan.into.id === fractal_id;
}

/** Whether the interrupted job may still need one of the files. */
export function needsFile(record: JobRecord, names: readonly (string | null)[]): boolean {
  const files = isHalfDone(record) ? (record.restoring?.plan.files ?? []) : [];
  return files.some(({ name }) => names.some((one) => one !== null && posix.basename(one) === name));
}

/** `BUSY` if the rows of the fractal are incomplete because of an interrupted job. */
export async function mustNotBeHalfRestored(state: State, fractal_id: string): Promise<void> {
  const record = (await state.interrupted()).find((one) => isHalfRestored(one, fractal_id));
  if (!record) return;
  throw new BifractError('BUSY', `Job ${record.id} was interrupted while it replaced rows of this fractal`, {
    hint: 'Run `bifract clean` to finish it: until then its rows are incomplete.',
  });
}
