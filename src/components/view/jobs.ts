import type { JobKind, JobState, JobView, Progress } from '../../core/index.ts';
import { progressBar, restlessBar } from './bar.ts';
import { spinnerAt } from './glyphs.ts';
import { readableTitle } from './job-name.ts';
import { formatDuration } from './time.ts';
import type { Line, Snapshot, Span } from './types.ts';
import {
  formatByteRate,
  formatBytes,
  formatCount,
  formatExact,
  formatRatio,
  formatRowRate,
  plural,
} from './units.ts';

/** Jobs whose bytes in all are guessed; others know the sizes of their files. */
const ESTIMATES: ReadonlySet<JobKind> = new Set(['backup', 'archive']);

type Moment = Pick<Snapshot, 'glyphs' | 'now'>;

/** The state of a job: glyph and word. */
export function jobState(job: JobView & { queued?: true }, { glyphs, now }: Moment): Span {
  const spinner = spinnerAt(glyphs, now);
  if (job.queued) return { text: `${glyphs.dot} queued`, tone: 'dim' };
  if (job.error?.code === 'JOB_DIED') return { text: `${glyphs.bad} died`, tone: 'bad' };
  if (job.waiting && job.state === 'running') return { text: `${glyphs.warn} waiting`, tone: 'warn' };
  const looks: Record<JobState, Span> = {
    running: { text: `${spinner} running`, tone: 'info' },
    cancelling: { text: `${spinner} cancelling`, tone: 'warn' },
    done: { text: `${glyphs.ok} done`, tone: 'good' },
    failed: { text: `${glyphs.bad} failed`, tone: 'bad' },
    cancelled: { text: `${glyphs.bad} cancelled`, tone: 'warn' },
  };
  return looks[job.state];
}

/** Who started a job, and where. */
export function jobOwner({ by }: Pick<JobView, 'by'>): string {
  if (!by) return '-';
  const user = by.sudo_user ? `${by.sudo_user} as ${by.user}` : by.user;
  return [user, by.from ?? ''].filter(Boolean).join(', ');
}

/** A bar of what is known. */
export function jobBar(job: JobView, columns: number, { glyphs, now }: Moment): Line {
  return job.fraction === undefined
    ? restlessBar(now, columns, glyphs)
    : progressBar(job.fraction, columns, glyphs);
}

/** Whether the work is measured by its bytes: no number of rows is known that it could end at. */
function countsBytes({ total_rows, total_bytes }: Progress): boolean {
  return total_bytes !== undefined && !total_rows;
}

/** The speed in the unit that counts. */
export function jobSpeed({ progress, rows_per_second, bytes_per_second }: JobView): string {
  if (bytes_per_second !== undefined && countsBytes(progress)) return formatByteRate(bytes_per_second);
  if (rows_per_second !== undefined) return formatRowRate(rows_per_second);
  return bytes_per_second === undefined ? '-' : formatByteRate(bytes_per_second);
}

/** The time left, short. */
export function jobEta(job: JobView): string {
  return job.eta_ms === undefined ? '-' : formatDuration(job.eta_ms);
}

/** How much is done, of how much. */
export function jobDone({ kind, progress }: JobView): string {
  const { rows, total_rows, bytes_in, total_bytes } = progress;
  if (rows !== undefined && !countsBytes(progress)) {
    return total_rows
      ? `${formatExact(rows)} of ${formatExact(total_rows)} rows`
      : `${plural(rows, 'row')}, total unknown`;
  }
  if (bytes_in === undefined) return 'nothing counted yet';
  const about = ESTIMATES.has(kind) ? 'about ' : '';
  const counted = rows ? `, ${plural(rows, 'row')}` : '';
  return total_bytes
    ? // What a restore backs up besides is not of the file that it reads.
      `${formatBytes(about ? bytes_in : Math.min(bytes_in, total_bytes))} of ${about}${formatBytes(total_bytes)}${counted}`
    : `${formatBytes(bytes_in)}, total unknown`;
}

/** Bytes in and out, with what compression made of them. */
export function jobBytes({ progress }: JobView): string {
  const { bytes_in, bytes_out } = progress;
  const ratio = formatRatio(bytes_in, bytes_out);
  const parts = [
    bytes_in === undefined ? '' : `${formatBytes(bytes_in)} read`,
    bytes_out === undefined ? '' : `${formatBytes(bytes_out)} stored`,
    ratio ? `ratio ${ratio}` : '',
  ];
  return parts.filter(Boolean).join(', ') || '-';
}

/** What a wait is about. */
export function jobWait(job: JobView, now: number): string | undefined {
  if (!job.waiting) return undefined;
  const { attempt, until, reason } = job.waiting;
  return `attempt ${attempt} begins in ${formatDuration(Math.max(0, until - now))}: ${reason}`;
}

function count(result: Record<string, unknown>, key: string): number | undefined {
  const value = result[key];
  return typeof value === 'number' ? value : undefined;
}

function counted(number: number | undefined, noun: string, many?: string): string {
  return number ? plural(number, noun, many) : '';
}

/** What a job on files that are there has come to, in words. */
function fileResult(kind: JobKind, result: Record<string, unknown>): string[] | undefined {
  switch (kind) {
    case 'verify': {
      const files = count(result, 'files') ?? 0;
      const proven = count(result, 'proven') ?? 0;
      const sound = `${plural(files, 'file')} sound${result.quick === true ? ' at both ends' : ''}`;
      const open = result.quick === true || proven === files ? '' : `${files - proven} not proven whole`;
      return [sound, open, formatBytes(count(result, 'size_bytes') ?? 0)];
    }
    case 'adopt': {
      const adopted = Array.isArray(result.adopted) ? result.adopted.length : 0;
      return [`${plural(adopted, 'file')} adopted`, result.skipped ? `${result.skipped} skipped` : ''];
    }
    case 'clean':
      return [
        counted(count(result, 'leftovers_removed'), 'leftover removed', 'leftovers removed'),
        counted(count(result, 'records_failed'), 'record marked as failed', 'records marked as failed'),
      ];
    case 'restore':
    case 'drill':
      return [
        plural(count(result, 'tables') ?? 0, 'table'),
        plural(count(result, 'rows') ?? 0, 'row'),
        result.compared === true ? 'every count as in the backup' : '',
      ];
    case 'restore-archive':
      return [
        `${plural(count(result, 'rows_added') ?? 0, 'row')} added`,
        counted(count(result, 'rows_there'), 'was there already', 'were there already'),
        counted(count(result, 'rows_removed'), 'taken away', 'taken away'),
      ];
    case 'delete':
      return [
        `${plural(count(result, 'deleted') ?? 0, 'item')} deleted`,
        `${formatBytes(count(result, 'freed_bytes') ?? 0)} freed`,
      ];
    case 'copy':
      return [
        `${plural(count(result, 'copied') ?? 0, 'file')} copied`,
        formatBytes(count(result, 'size_bytes') ?? 0),
      ];
    default:
      return undefined;
  }
}

/** What a finished job has made, in one sentence. */
export function jobResult(job: JobView): string {
  const result = job.result ?? {};
  const named = [result.name, result.filename, result.file].find((name) => typeof name === 'string');
  const rows = count(result, 'log_count') ?? count(result, 'rows');
  const size = count(result, 'size_bytes');
  const made = [
    typeof named === 'string' ? readableTitle(named, []) : '',
    rows === undefined ? '' : `${formatCount(rows)} rows`,
    size === undefined ? '' : formatBytes(size),
  ];
  const took = job.ended_at === undefined ? '' : `in ${formatDuration(job.ended_at - job.started_at)}`;
  return [...(fileResult(job.kind, result) ?? made), took].filter(Boolean).join(', ');
}

/** The end of a job as a sentence for the flash line and the log. */
export function jobEnd(job: JobView): { text: string; hint?: string } {
  if (job.state === 'done') return { text: `${job.title}: done, ${jobResult(job)}` };
  const word = job.state === 'failed' ? 'failed' : 'cancelled';
  const why = job.state === 'failed' && job.error ? `: ${job.error.message}` : '';
  return { text: `${job.title}: ${word}${why}`, hint: job.state === 'failed' ? job.error?.hint : undefined };
}
