import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BifractError } from '../src/core/contract/errors.ts';
import type { BackupSummary, JobOutcome, RunDueSummary } from '../src/core/index.ts';

const READABLE = 0o644;

/** The metrics of one kind of job. */
export interface MetricFamily {
  /** Prefix of each name, as in `<prefix>_last_run_timestamp_seconds`. */
  prefix: string;
  /** Name of the job in help texts. */
  noun: string;
  help: Record<string, string>;
  values(result: Record<string, unknown>): Record<string, number>;
}

export const BACKUP_METRICS: MetricFamily = {
  prefix: 'bifract_backup',
  noun: 'backup',
  help: {
    duration_seconds: 'Duration of the last successful backup.',
    size_bytes: 'Stored size of the last successful backup.',
    content_bytes: 'Size of the last successful backup before compression.',
    rows: 'Rows of all tables in the last successful backup.',
  },
  values(result) {
    const { duration_ms, size_bytes, content_bytes, rows } = result as unknown as BackupSummary;
    return { duration_seconds: duration_ms / 1000, size_bytes, content_bytes, rows };
  },
};

export const RUN_DUE_METRICS: MetricFamily = {
  prefix: 'bifract_run_due',
  noun: 'scheduled archive run',
  help: {
    duration_seconds: 'Duration of the last successful run.',
    archived: 'Fractals archived by the last successful run.',
    skipped: 'Fractals not due in the last successful run.',
    rows: 'Rows archived by the last successful run.',
    size_bytes: 'Stored size of the archives of the last successful run.',
    deleted: 'Older archives deleted by the last successful run.',
  },
  values(result) {
    const { duration_ms, archived, skipped, rows, size_bytes, deleted } = result as unknown as RunDueSummary;
    return { duration_seconds: duration_ms / 1000, archived, skipped, rows, size_bytes, deleted };
  },
};

function helpOf({ prefix, noun, help }: MetricFamily): Record<string, string> {
  const all = {
    last_run_timestamp_seconds: `End time of the last ${noun}, successful or not.`,
    last_run_success: `Whether the last ${noun} succeeded.`,
    last_success_timestamp_seconds: `End time of the last successful ${noun}.`,
    ...help,
  };
  return Object.fromEntries(Object.entries(all).map(([name, text]) => [`${prefix}_${name}`, text]));
}

/** The metrics of a job in the Prometheus text format. A failed job keeps the values of the last successful one. */
export function metricsText(outcome: JobOutcome, previous: string, family = BACKUP_METRICS): string {
  const help = helpOf(family);
  const values = new Map(readValues(previous, help));
  const set = (name: string, value: number) => values.set(`${family.prefix}_${name}`, value);
  const ended = Date.parse(outcome.time) / 1000;
  set('last_run_timestamp_seconds', ended);
  set('last_run_success', outcome.event === 'job:done' ? 1 : 0);
  if (outcome.event === 'job:done') {
    set('last_success_timestamp_seconds', ended);
    for (const [name, value] of Object.entries(family.values({ ...outcome.result }))) set(name, value);
  }
  return Object.entries(help)
    .filter(([name]) => values.has(name))
    .map(([name, text]) => `# HELP ${name} ${text}\n# TYPE ${name} gauge\n${name} ${values.get(name)}\n`)
    .join('');
}

function readValues(text: string, help: Record<string, string>): [string, number][] {
  return text.split('\n').flatMap((line): [string, number][] => {
    const [name = '', value] = line.split(' ');
    return name in help && value !== undefined && Number.isFinite(Number(value))
      ? [[name, Number(value)]]
      : [];
  });
}

/** Replaces the file atomically. */
export async function writeMetrics(path: string, outcome: JobOutcome, family?: MetricFamily): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const previous = await readFile(path, 'utf8').catch(() => '');
    const file = await open(temporary, 'wx', READABLE);
    try {
      await file.writeFile(metricsText(outcome, previous, family));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BifractError('STORAGE_FAILED', `Cannot write metrics to ${path}: ${why}`, {
      hint: 'Its folder must exist and be writable.',
      cause,
    });
  }
}
