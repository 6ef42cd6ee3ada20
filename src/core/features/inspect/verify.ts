import { asBifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combine } from '../../job/failures.ts';
import type { Key } from '../../ports/key.ts';
import type { Target, TargetRef } from '../files/target.ts';
import type { VerifyItem, VerifySummary } from './contract.ts';
import { blankItem, verifyFile } from './verify-file.ts';

export interface VerifyDeps {
  /** Targets to verify; called once. `warn` reports restrictions. */
  targets(warn: (message: string) => void): Promise<TargetRef[]>;
  keys: readonly Key[];
}

const INTERVAL_MS = 100;

/**
 * Verifies files one by one, with a `job:item` each, and continues after failures. Throws the combined error:
 * its own for a single file, that of the first if all fail, else `PARTLY_DONE`.
 */
export async function verify(
  deps: VerifyDeps,
  { quick }: { quick: boolean },
  context: JobContext,
): Promise<VerifySummary> {
  const started = performance.now();
  const { signal, emit } = context;
  emit('job:phase', { phase: 'Finding files' });
  const refs = await deps.targets((message) => emit('job:warning', { message }));
  const found = await findAll(refs, context);
  emit('job:phase', { phase: quick ? 'Checking headers and trailers' : 'Verifying' });
  const reporterOf = progressReporter(found, context);
  const items: VerifyItem[] = [];
  for (const one of found) {
    const onProgress = reporterOf(one);
    const item =
      'failed' in one ? one.failed : await verifyFile(one, { keys: deps.keys, quick, signal, onProgress });
    signal.throwIfAborted();
    items.push(item);
    emit('job:item', itemEvent(item));
  }
  const failures = items.flatMap(({ path, error }) => (error ? [{ item: path, error }] : []));
  const error = combine(failures, items.length, 'failed');
  if (error) throw error;
  return { ...sumUp(items), quick, items, duration_ms: Math.round(performance.now() - started) };
}

type FoundTarget = Target | { failed: VerifyItem };

/** Resolving all targets first gives the progress its total. A missing target becomes a failed item. */
async function findAll(refs: readonly TargetRef[], { signal }: JobContext): Promise<FoundTarget[]> {
  const found: FoundTarget[] = [];
  for (const { label, find } of refs) {
    found.push(
      await find({ signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        return { failed: { ...blankItem(label, label, 0), error: asBifractError(error).report() } };
      }),
    );
  }
  return found;
}

/** Progress over all files. */
function progressReporter(found: readonly FoundTarget[], { emit }: JobContext) {
  const sizeOf = (one: FoundTarget) => ('failed' in one ? 0 : one.object.size_bytes);
  const total_bytes = found.reduce((sum, one) => sum + sizeOf(one), 0);
  let done = { bytes: 0, rows: 0 };
  let last = Number.NEGATIVE_INFINITY;
  return (one: FoundTarget) => {
    const before = done;
    done = { ...done, bytes: before.bytes + sizeOf(one) };
    return (stored: number, rows: number) => {
      done.rows = before.rows + rows;
      if (performance.now() - last < INTERVAL_MS) return;
      last = performance.now();
      const item = 'failed' in one ? undefined : one.object.name;
      emit('job:progress', { item, rows: done.rows, bytes_in: before.bytes + stored, total_bytes });
    };
  };
}

function itemEvent(item: VerifyItem) {
  const { path, ok, error, ...details } = item;
  const message = error?.message ?? [resultText(item), ...item.notes].join(' ');
  return { item: path, ok, message, ...(error ? { error } : {}), details };
}

function resultText({ rows, proven, checksum }: VerifyItem): string {
  const count = rows === null ? '' : `, ${rows} rows`;
  if (checksum === null) return `Header and trailer are intact${count}.`;
  return proven ? `Verified: complete${count}.` : `Verified: readable, completeness not proven${count}.`;
}

function sumUp(items: readonly VerifyItem[]) {
  const sum = (value: (item: VerifyItem) => number | null) =>
    items.reduce((total, item) => total + (value(item) ?? 0), 0);
  return {
    files: items.length,
    proven: items.filter(({ proven }) => proven).length,
    rows: sum(({ rows }) => rows),
    size_bytes: sum(({ size_bytes }) => size_bytes),
    content_bytes: sum(({ content_bytes }) => content_bytes),
  };
}
