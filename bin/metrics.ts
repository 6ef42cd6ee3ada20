import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BifractError } from '../src/core/errors.ts';
import type { JobOutcome } from '../src/core/index.ts';
import type { BackupSummary } from '../src/core/jobs/backup.ts';

const READABLE = 0o644;
const HELP: Record<string, string> = {
  bifract_backup_last_run_timestamp_seconds: 'When the last backup ended, however it ended.',
  bifract_backup_last_run_success: 'Whether it ended well.',
  bifract_backup_last_success_timestamp_seconds: 'When the last good backup ended.',
  bifract_backup_duration_seconds: 'How long the last good backup took.',
  bifract_backup_size_bytes: 'Stored size of the last good backup.',
  bifract_backup_content_bytes: 'Its size before compression.',
  bifract_backup_rows: 'Rows of all tables in it.',
};

/** The figures of the last backup in Prometheus' text format; a failed one keeps those of the last good one. */
export function metricsText(outcome: JobOutcome, before: string): string {
  const values = new Map(readValues(before));
  const ended = Date.parse(outcome.time) / 1000;
  values.set('bifract_backup_last_run_timestamp_seconds', ended);
  values.set('bifract_backup_last_run_success', outcome.event === 'job:done' ? 1 : 0);
  if (outcome.event === 'job:done') {
    const result = outcome.result as unknown as BackupSummary;
    values.set('bifract_backup_last_success_timestamp_seconds', ended);
    values.set('bifract_backup_duration_seconds', result.duration_ms / 1000);
    values.set('bifract_backup_size_bytes', result.size_bytes);
    values.set('bifract_backup_content_bytes', result.content_bytes);
    values.set('bifract_backup_rows', result.rows);
  }
  return Object.entries(HELP)
    .filter(([name]) => values.has(name))
    .map(([name, help]) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${values.get(name)}\n`)
    .join('');
}

function readValues(text: string): [string, number][] {
  return text.split('\n').flatMap((line): [string, number][] => {
    const [name = '', value] = line.split(' ');
    return name in HELP && value !== undefined && Number.isFinite(Number(value))
      ? [[name, Number(value)]]
      : [];
  });
}

/** Writes the figures in one step: a collector sees the old file or the new one. */
export async function writeMetrics(path: string, outcome: JobOutcome): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const before = await readFile(path, 'utf8').catch(() => '');
    const file = await open(temporary, 'wx', READABLE);
    try {
      await file.writeFile(metricsText(outcome, before));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BifractError('STORAGE_FAILED', `The metrics were not written to ${path}: ${why}`, { cause });
  }
}
