import type { JobEvent } from '../../contract/events.ts';
import { parseUntrustedJson } from '../../format/index.ts';

/** An event and its sequence number within the job. */
export interface Entry {
  seq: number;
  event: JobEvent;
}

/** Required fields of each event, so that consumers can rely on them. */
const SHAPES: Record<JobEvent['event'], Record<string, 'string' | 'number' | 'boolean' | 'object'>> = {
  'job:started': { kind: 'string', title: 'string' },
  'job:phase': { phase: 'string' },
  'job:progress': {},
  'job:retry': { attempt: 'number', wait_ms: 'number', reason: 'string' },
  'job:warning': { message: 'string' },
  'job:item': { item: 'string', ok: 'boolean', message: 'string' },
  'job:done': { result: 'object' },
  'job:failed': { error: 'object' },
  'job:cancelled': { error: 'object' },
};

/** Whether this is the last event of a job. */
export function isEnd({ event }: JobEvent): boolean {
  return event === 'job:done' || event === 'job:failed' || event === 'job:cancelled';
}

/** The line of an entry in a journal and on a socket. */
export function formatEntry({ seq, event }: Entry): string {
  return formatLine({ seq, ...event });
}

/** A line of JSON. */
export function formatLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** Parses a line of a journal or of a job's socket; undefined if it is not an event of that job. */
export function parseEntry(line: string, job: string): Entry | undefined {
  const value = parseObject(line);
  const { seq, ...event } = value ?? {};
  if (!Number.isSafeInteger(seq) || event.job !== job || !isTime(event.time)) return undefined;
  const shape = SHAPES[event.event as JobEvent['event']];
  if (!shape || typeof event.event !== 'string' || !Object.hasOwn(SHAPES, event.event)) return undefined;
  for (const [name, type] of Object.entries(shape)) {
    if (typeof event[name] !== type || event[name] === null) return undefined;
  }
  return { seq: seq as number, event: event as unknown as JobEvent };
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

/** Parses a line of JSON; undefined if it is not an object. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value = parseUntrustedJson(Buffer.from(line));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Passes entries on, progress at most once per interval: what comes earlier is dropped, but for the last one before any
 * other event.
 */
export function throttleProgress(
  interval_ms: () => number,
  pass: (entries: readonly Entry[]) => void,
): (entry: Entry) => void {
  let last = Number.NEGATIVE_INFINITY;
  let dropped: Entry | undefined;
  return (entry) => {
    const isProgress = entry.event.event === 'job:progress';
    if (isProgress && performance.now() - last < interval_ms()) {
      dropped = entry;
      return;
    }
    const entries = dropped && !isProgress ? [dropped, entry] : [entry];
    dropped = undefined;
    if (isProgress) last = performance.now();
    pass(entries);
  };
}
