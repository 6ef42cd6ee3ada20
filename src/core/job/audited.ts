import { asBifractError } from '../contract/errors.ts';
import type { Emit } from '../contract/events.ts';
import type { Audit, AuditEntry } from '../ports/audit.ts';
import { maskAll } from '../text/mask.ts';
import type { JobContext } from './context.ts';

/** The audit entry of a destructive job. */
export interface DestructiveJob {
  kind: string;
  title: string;
  /** What will be destroyed. */
  what: readonly string[];
}

/**
 * Runs a destructive job with audit entries before and after. Without the first entry the job does not start.
 */
export async function withAudit<T>(
  audit: Audit,
  { kind, title, what }: DestructiveJob,
  context: JobContext,
  run: (context: JobContext) => Promise<T>,
): Promise<T> {
  const { id: job, now, signal } = context;
  const items: { item: string; ok: boolean; message: string }[] = [];
  const append = (line: AuditEntry) => audit.append(maskAll(line));
  const entry = (event: AuditEntry['event']) => ({ time: now().toISOString(), event, job, kind, title });
  const emit: Emit = (event, payload) => {
    if ('ok' in payload) items.push({ item: payload.item, ok: payload.ok, message: payload.message });
    context.emit(event, payload);
  };
  const end = (rest: Partial<AuditEntry>) =>
    append({ ...entry('ended'), ...rest, items }).catch((error: unknown) => {
      const { message } = asBifractError(error);
      context.emit('job:warning', { message: `Cannot write the result to the audit log: ${message}` });
    });
  await append({ ...entry('begun'), what });
  try {
    const result = await run({ ...context, emit });
    await end({ outcome: 'done' });
    return result;
  } catch (error) {
    const outcome = signal.aborted ? 'cancelled' : 'failed';
    await end({ outcome, error: asBifractError(signal.aborted ? signal.reason : error).report() });
    throw error;
  }
}
