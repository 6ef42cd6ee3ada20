import { type JobState, type JobView, jobFacts, type Progress } from '../../core/index.ts';
import { formatDuration } from '../../core/text/time.ts';
import { formatCount, formatExact, formatRatio, formatRowRate, plural } from '../../core/text/units.ts';
import { formatByteRate, formatBytes } from '../text/display.ts';
import type { Line, Span } from '../text/line.ts';
import { indeterminateBar, progressBar, spinnerAt } from '../text/symbols.ts';
import { fileTitle } from './archive-name.ts';
import type { DataState, DrawContext } from './types.ts';

/** The state of a job: symbol and label. */
export function jobState(job: JobView & { queued?: object }, { symbols, now }: DrawContext): Span {
  const spinner = spinnerAt(symbols, now);
  if (job.queued) return { text: `${symbols.dot} queued`, tone: 'dim' };
  if (job.error?.code === 'JOB_DIED') return { text: `${symbols.bad} crashed`, tone: 'bad' };
  if (job.waiting && job.state === 'running') return { text: `${symbols.warn} waiting`, tone: 'warn' };
  const looks: Record<JobState, Span> = {
    running: { text: `${spinner} running`, tone: 'info' },
    cancelling: { text: `${spinner} cancelling`, tone: 'warn' },
    done: { text: `${symbols.ok} done`, tone: 'good' },
    failed: { text: `${symbols.bad} failed`, tone: 'bad' },
    cancelled: { text: `${symbols.bad} cancelled`, tone: 'warn' },
  };
  return looks[job.state];
}

/** Who started a job, and from where. */
export function jobOwner({ by }: Pick<JobView, 'by'>): string {
  if (!by) return '-';
  const user = by.sudo_user ? `${by.sudo_user} as ${by.user}` : by.user;
  return [user, by.from ?? ''].filter(Boolean).join(', ');
}

/** The progress bar of a job. */
export function jobBar(job: JobView, columns: number, { symbols, now }: DrawContext): Line {
  return job.fraction === undefined
    ? indeterminateBar(now, columns, symbols)
    : progressBar(job.fraction, columns, symbols);
}

/** Whether progress is measured in bytes: the total number of rows is unknown. */
export function countsBytes({ total_rows, total_bytes }: Progress): boolean {
  return total_bytes !== undefined && !total_rows;
}

/** The rate, in the unit that the progress is measured in. */
export function jobSpeed({ progress, rows_per_second, bytes_per_second }: JobView): string {
  if (bytes_per_second !== undefined && countsBytes(progress)) return formatByteRate(bytes_per_second);
  if (rows_per_second !== undefined) return formatRowRate(rows_per_second);
  return bytes_per_second === undefined ? '-' : formatByteRate(bytes_per_second);
}

/** A duration; less than a second is `<1s`. */
export function shortDuration(ms: number): string {
  return ms < 1_000 ? '<1s' : formatDuration(ms);
}

/** The time left. */
export function jobEta(job: JobView): string {
  return job.eta_ms === undefined ? '-' : shortDuration(job.eta_ms);
}

/** What is done so far, of how much. */
export function jobProgress({ kind, progress }: JobView): string {
  const { rows, total_rows, bytes_in, total_bytes } = progress;
  if (rows !== undefined && !countsBytes(progress)) {
    return total_rows
      ? `${formatExact(rows)} of ${formatExact(total_rows)} rows`
      : `${plural(rows, 'row')}, total unknown`;
  }
  if (bytes_in === undefined) return 'nothing';
  const about = jobFacts(kind).estimatesTotal ? 'about ' : '';
  const counted = rows ? `, ${plural(rows, 'row')}` : '';
  return total_bytes
    ? // The safety backup of a restore counts too, but is not part of the file being read.
      `${formatBytes(about ? bytes_in : Math.min(bytes_in, total_bytes))} of ${about}${formatBytes(total_bytes)}${counted}`
    : `${formatBytes(bytes_in)}, total unknown`;
}

/** Bytes read and stored, and the compression ratio. */
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

/** Why a job is waiting, and for how long; undefined if it is not. */
export function jobWait(job: JobView, now: number): string | undefined {
  if (!job.waiting) return undefined;
  const { attempt, until, reason } = job.waiting;
  return `attempt ${attempt + 1} in ${shortDuration(until - now)}: ${reason}`;
}

function count(result: Record<string, unknown>, key: string): number | undefined {
  const value = result[key];
  return typeof value === 'number' ? value : undefined;
}

function counted(number: number | undefined, noun: string, many?: string): string {
  return number ? plural(number, noun, many) : '';
}

/** Result of a job on existing files. */
function fileResult(kind: string, result: Record<string, unknown>): string[] | undefined {
  switch (kind) {
    case 'verify': {
      const files = count(result, 'files') ?? 0;
      const proven = count(result, 'proven') ?? 0;
      const passed = `${plural(files, 'file')} ${result.quick === true ? 'passed the quick check' : 'verified'}`;
      const unproven =
        result.quick === true || proven === files ? '' : `${files - proven} cannot be proven complete`;
      return [passed, unproven, formatBytes(count(result, 'size_bytes') ?? 0)];
    }
    case 'adopt': {
      const adopted = Array.isArray(result.adopted) ? result.adopted.length : 0;
      return [`${plural(adopted, 'file')} adopted`, result.skipped ? `${result.skipped} skipped` : ''];
    }
    case 'clean':
      return [
        counted(count(result, 'leftovers_removed'), 'unfinished file removed', 'unfinished files removed'),
        counted(count(result, 'records_failed'), 'record marked as failed', 'records marked as failed'),
      ];
    case 'restore':
    case 'drill':
      return [
        plural(count(result, 'tables') ?? 0, 'table'),
        plural(count(result, 'rows') ?? 0, 'row'),
        result.compared === true ? 'row counts match the backup' : '',
      ];
    case 'restore-archive':
      return [
        `${plural(count(result, 'rows_added') ?? 0, 'row')} added`,
        counted(count(result, 'rows_there'), 'already there', 'already there'),
        counted(count(result, 'rows_removed'), 'removed', 'removed'),
      ];
    case 'delete':
      return [
        `${plural(count(result, 'deleted') ?? 0, 'item')} deleted`,
        counted(count(result, 'kept'), 'kept', 'kept'),
        `${formatBytes(count(result, 'freed_bytes') ?? 0)} freed`,
      ];
    case 'copy':
      return [
        `${plural(count(result, 'copied') ?? 0, 'file')} copied`,
        counted(count(result, 'kept'), 'kept', 'kept'),
        formatBytes(count(result, 'size_bytes') ?? 0),
      ];
    default:
      return undefined;
  }
}

/** Result of a finished job, on one line. */
export function jobResult(job: JobView): string {
  const result = job.result ?? {};
  const rows = count(result, 'log_count') ?? count(result, 'rows');
  const size = count(result, 'size_bytes');
  const parts = [
    rows === undefined ? '' : `${formatCount(rows)} rows`,
    size === undefined ? '' : formatBytes(size),
  ];
  const took = job.ended_at === undefined ? '' : `in ${shortDuration(job.ended_at - job.started_at)}`;
  return [...(fileResult(job.kind, result) ?? parts), took].filter(Boolean).join(', ');
}

/** How a job ended, for the status line and the log. */
export function jobEnd(job: JobView): { text: string; hint?: string } {
  if (job.state === 'done') return { text: `${job.title} done: ${jobResult(job)}` };
  const outcome = job.state === 'failed' ? 'failed' : 'cancelled';
  const why = job.state === 'failed' && job.error ? `: ${job.error.message}` : '';
  return {
    text: `${job.title} ${outcome}${why}`,
    hint: job.state === 'failed' ? job.error?.hint : undefined,
  };
}

const BACKUP = /bifract-backup-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)\d\d\.bifract-backup/g;
/** Ids of records, and names and paths of archive files. */
const ARCHIVE = /\S+\.bifract-archive|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** A job title with readable names instead of ids, file names and paths. */
export function readableTitle(title: string, data: Pick<DataState, 'archives' | 'fractals'>): string {
  const named = title.replace(BACKUP, 'backup $1-$2-$3 $4:$5');
  return readableNames(named, data);
}

/** A text with readable names of archives instead of ids, file names and paths. */
export function readableNames(text: string, data: Pick<DataState, 'archives' | 'fractals'>): string {
  return text.replace(ARCHIVE, (name) => fileTitle(name, data));
}
