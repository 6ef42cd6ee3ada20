import { asBifractError } from '../../contract/errors.ts';
import type { Progress } from '../../contract/events.ts';
import type { JobContext } from '../../job/context.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import { throttle } from '../../job/throttle.ts';
import type { Services } from '../../ports/services.ts';
import { plural } from '../../text/units.ts';
import { CheckMemory } from '../files/check-memory.ts';
import type { Target } from '../files/target.ts';
import type { VerifyItem, VerifyRequest, VerifySummary } from './contract.ts';
import { blankItem, verifyFile } from './verify-file.ts';
import { type TargetRef, type TargetServices, targetRefs } from './verify-targets.ts';

/**
 * Verifies files one by one, with a `job:item` each, and continues after failures. Throws the combined error:
 * its own for a single file, that of the first if all fail, else `PARTLY_DONE`.
 */
export async function verify(
  services: TargetServices & Pick<Services, 'keys' | 'state'>,
  { targets, quick = false }: VerifyRequest,
  context: JobContext,
): Promise<VerifySummary> {
  const started = performance.now();
  const { signal, emit } = context;
  const keys = await services.keys();
  emit('job:phase', { phase: 'Finding files' });
  const warn = (message: string) => emit('job:warning', { message });
  const found = await findAll(await targetRefs(services, targets, warn, { signal }), context);
  emit('job:phase', { phase: quick ? 'Checking headers and trailers' : 'Verifying' });
  const progressOf = progressReporter(found, context);
  const items: VerifyItem[] = [];
  const text = { name: (one: FoundTarget) => one.path, failed: 'failed' };
  const memory = new CheckMemory(services, context);
  const verifyOne = async (one: FoundTarget) => {
    const onProgress = progressOf(one);
    const item = 'failed' in one ? one.failed : await verifyFile(one, { keys, quick, signal, onProgress });
    items.push(item);
    const outcome = outcomeOf(item);
    await memory.add(checkOf(one, item, outcome, quick));
    return outcome;
  };
  try {
    await forEachItem(found, text, verifyOne, context);
  } finally {
    await memory.save();
  }
  return { ...sumUp(items), quick, items, duration_ms: Math.round(performance.now() - started) };
}

type FoundTarget = Target | { path: string; failed: VerifyItem };

/** Resolving all targets first gives the progress its total. A missing target becomes a failed item. */
async function findAll(refs: readonly TargetRef[], { signal }: JobContext): Promise<FoundTarget[]> {
  const found: FoundTarget[] = [];
  for (const { label, find } of refs) {
    const target = find({ signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      return {
        path: label,
        failed: { ...blankItem(label, label, 0), error: asBifractError(error).report() },
      };
    });
    found.push(await target);
  }
  return found;
}

/** Progress over all files: call it for each file in turn, then with what was read of that file. */
function progressReporter(found: readonly FoundTarget[], { emit }: JobContext) {
  const sizeOf = (one: FoundTarget) => ('failed' in one ? 0 : one.object.size_bytes);
  const total_bytes = found.reduce((sum, one) => sum + sizeOf(one), 0);
  const report = throttle((progress: Progress) => emit('job:progress', progress));
  let done = { bytes: 0, rows: 0 };
  return (one: FoundTarget) => {
    const before = done;
    done = { ...done, bytes: before.bytes + sizeOf(one) };
    return (stored: number, rows: number) => {
      done.rows = before.rows + rows;
      const item = 'failed' in one ? undefined : one.object.name;
      report({ item, rows: done.rows, bytes_in: before.bytes + stored, total_bytes });
    };
  };
}

function outcomeOf(item: VerifyItem): ItemOutcome {
  const { path: _path, ok: _ok, error, ...details } = item;
  const message = error?.message ?? [resultText(item), ...item.notes].join(' ');
  return { message, error, details };
}

/** What to remember of a verification. */
function checkOf(
  one: FoundTarget,
  { uuid, checksum, key_id, error }: VerifyItem,
  { message }: ItemOutcome,
  quick: boolean,
) {
  const { size_bytes = null, modified_at = null } = 'object' in one ? one.object : {};
  const kind = quick ? ('quick' as const) : ('verify' as const);
  return { kind, path: one.path, size_bytes, modified_at, uuid, checksum, key_id, message, error };
}

function resultText({ rows, proven, checksum }: VerifyItem): string {
  const count = rows === null ? '' : `, ${plural(rows, 'row')}`;
  if (checksum === null) return `Header and trailer are intact${count}.`;
  return proven ? `Complete${count}.` : `Readable${count}; completeness not proven.`;
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
