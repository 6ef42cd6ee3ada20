import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BifractError } from '../src/core/errors.ts';
import type { JobOutcome, RunDueSummary } from '../src/core/index.ts';
import type { BackupSummary } from '../src/core/jobs/backup.ts';

const READABLE = 0o644;

/** Figures of one kind of job: their names, what they say, and how they are read off what the job made. */
export interface MetricFamily {
  /** Name of each, before `_last_run_timestamp_seconds` and its like. */
  prefix: string;
  /** What the job makes, for the help. */
  noun: string;
  help: Record<string, string>;
  figures(result: Record<string, unknown>): Record<string, number>;
}

export const BACKUP_METRICS: MetricFamily = {
  prefix: 'bifract_backup',
  noun: 'backup',
  help: {
    duration_seconds: 'How long the last good backup took.',
    size_bytes: 'Stored size of the last good backup.',
    content_bytes: 'Its size before compression.',
    rows: 'Rows of all tables in it.',
  },
  figures(result) {
    const { duration_ms, size_bytes, content_bytes, rows } = result as unknown as BackupSummary;
    return { duration_seconds: duration_ms / 1000, size_bytes, content_bytes, rows };
  },
};

export const RUN_DUE_METRICS: MetricFamily = {
  prefix: 'bifract_run_due',
  noun: 'run of scheduled archives',
  help: {
    duration_seconds: 'How long the last good run took.',
    archived: 'Fractals that it archived.',
    skipped: 'Fractals that were not due.',
    rows: 'Rows in its archives.',
    size_bytes: 'Stored size of its archives.',
    deleted: 'Older archives that it removed.',
  },
  figures(result) {
    const { duration_ms, archived, skipped, rows, size_bytes, deleted } = result as unknown as RunDueSummary;
    return { duration_seconds: duration_ms / 1000, archived, skipped, rows, size_bytes, deleted };
  },
};

function helpOf({ prefix, noun, help }: MetricFamily): Record<string, string> {
  const all = {
    last_run_timestamp_seconds: `When the last ${noun} ended, however it ended.`,
    last_run_success: 'Whether it ended well.',
    last_success_timestamp_seconds: `When the last good ${noun} ended.`,
    ...help,
  };
  return Object.fromEntries(Object.entries(all).map(([name, text]) => [`${prefix}_${name}`, text]));
}

/** The figures of the last job in Prometheus' text format; a failed one keeps those of the last good one. */
export function metricsText(outcome: JobOutcome, before: string, family = BACKUP_METRICS): string {
  const help = helpOf(family);
  const values = new Map(readValues(before, help));
  const set = (name: string, value: number) => values.set(`${family.prefix}_${name}`, value);
  const ended = Date.parse(outcome.time) / 1000;
  set('last_run_timestamp_seconds', ended);
  set('last_run_success', outcome.event === 'job:done' ? 1 : 0);
  if (outcome.event === 'job:done') {
    set('last_success_timestamp_seconds', ended);
    for (const [name, value] of Object.entries(family.figures(outcome.result))) set(name, value);
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

/** Writes the figures in one step: a collector sees the old file or the new one. */
export async function writeMetrics(path: string, outcome: JobOutcome, family?: MetricFamily): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const before = await readFile(path, 'utf8').catch(() => '');
    const file = await open(temporary, 'wx', READABLE);
    try {
      await file.writeFile(metricsText(outcome, before, family));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BifractError('STORAGE_FAILED', `The metrics were not written to ${path}: ${why}`, {
      hint: 'Its folder must be there, and writable.',
      cause,
    });
  }
}
