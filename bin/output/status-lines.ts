import type { ErrorReport } from '../../src/core/contract/errors.ts';
import {
  type ArchiveRecord,
  type BackupFile,
  faultOf,
  type Health,
  type Leftover,
  type Safety,
  type Timestamp,
  type Verdict,
} from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatBytes, formatExact, plural } from '../../src/core/text/units.ts';
import { leftoverLines } from './leftovers.ts';
import { stampCell, table } from './tables.ts';

/** The output of `status`: health of each part, and how far each fractal is archived. */
export interface Status {
  dir: string;
  health: Omit<Health, 'leftovers'>;
  last_backup: BackupFile | null;
  /** Why the newest backup cannot be read with this key or is incomplete, by its header and trailer; null if it is good. */
  last_backup_error: ErrorReport | null;
  /** Whether the data is safe, and why not. */
  verdict: Verdict;
  /** Why backups cannot be listed; null if they can. */
  backups_error: ErrorReport | null;
  backups: number;
  /** What is wrong with backups: times that disagree or are in the future, files that cannot be read. */
  backup_notes: { name: string; note: string }[];
  /** Jobs whose process crashed and whose data is not cleaned up yet. */
  interrupted: InterruptedJob[];
  /** Interrupted jobs that could not be cleaned up, and what to do. */
  leftovers: Leftover[];
  fractals: FractalStatus[];
}

/** A job whose process crashed, and what to do. */
interface InterruptedJob {
  id: string;
  title: string;
  hint: string;
}

/** A fractal, its newest completed archive, and its coverage. */
export interface FractalStatus {
  id: string;
  name: string;
  log_count: number;
  last_archive: ArchiveRecord | null;
  /** All complete files of the request that wrote it: their number and rows. */
  last_archive_whole: { files: number; rows: number } | null;
  /** As in `Coverage`; also null if the rows could not be counted. */
  protected_until: Timestamp | null;
  /** Null if the rows could not be counted in time. */
  unprotected_rows: number | null;
}

/** Notes on backups to show. */
const NOTES = 5;

/** The status, human-readable. */
export function statusLines(status: Status): string[] {
  return [
    `Installation  ${sanitize(status.dir)}`,
    ...verdictLines(status.verdict),
    '',
    ...healthLines(status),
    '',
    ...leftoverLines(status.leftovers),
    ...(status.leftovers.length > 0 ? [''] : []),
    ...interruptedLines(status),
    ...protectionLines(status),
  ];
}

const SAFETY: Record<Safety, string> = {
  safe: 'safe',
  partly: 'PARTLY SAFE',
  unsafe: 'NOT SAFE',
  unknown: 'NOT KNOWN',
};

/** Whether the data is safe, and why not. */
function verdictLines({ safety, findings }: Verdict): string[] {
  const [first, ...others] = findings.map(({ text }) => `${sanitize(text)}.`);
  return [
    `Data          ${SAFETY[safety]}${first ? `: ${first}` : ''}`,
    ...others.map((text) => `              ${text}`),
  ];
}

/** Interrupted jobs explain rows that seem to be missing. Those that cannot be cleaned up have their own lines. */
function interruptedLines({ interrupted, leftovers }: Status): string[] {
  const others = interrupted.filter(({ id }) => !leftovers.some(({ job }) => job === id));
  return others.flatMap(({ id, title, hint }) => [
    `Interrupted   ${sanitize(title)} (${id})`,
    `              ${hint}`,
    '',
  ]);
}

function healthLines({ health }: Status): string[] {
  const { release, postgres, clickhouse, backups, archives, key, server_archive } = health;
  const parts: { name: string; ok: boolean; stale?: boolean; detail: string }[] = [
    ...(release ? [{ name: 'Release', ...release }] : []),
    { name: 'PostgreSQL', ...postgres },
    { name: 'ClickHouse', ...clickhouse },
    { name: 'Backups', ...backups, detail: storageDetail(backups) },
    { name: 'Archives', ...archives, detail: storageDetail(archives) },
    ...(server_archive ? [{ name: 'Iceberg', ok: true, ...server_archive }] : []),
    { name: 'Key', ...key },
  ];
  return table(parts, [
    { title: 'PART', cell: ({ name }) => name },
    { title: 'STATE', cell: ({ ok, stale }) => (stale ? 'STALE' : ok ? 'ok' : 'FAILED') },
    { title: 'DETAIL', cell: ({ detail }) => detail.trim(), wraps: true },
  ]);
}

function storageDetail({ location, detail, free_bytes }: Status['health']['backups']): string {
  const free = free_bytes === undefined ? '' : `; ${formatBytes(free_bytes)} free`;
  return `${location}  ${detail}${free}`;
}

function protectionLines(status: Status): string[] {
  const { fractals } = status;
  const last = [...backupLines(status), ...testLine(status.verdict), ...noteLines(status)];
  if (fractals.length === 0) return last;
  const rows = table(fractals, [
    { title: 'FRACTAL', cell: ({ name }) => name },
    { title: 'LOGS (CACHED)', cell: ({ log_count }) => formatExact(log_count), right: true },
    {
      title: 'LAST ARCHIVE',
      cell: (fractal) => lastArchive(fractal),
      short: ({ last_archive }) => stampCell(last_archive?.created_at ?? null),
    },
    { title: 'PROTECTED UNTIL', cell: (fractal) => protectedUntil(fractal), rank: 1 },
    { title: 'NOT ARCHIVED', cell: ({ unprotected_rows }) => unprotected(unprotected_rows), right: true },
  ]);
  return [...last, '', ...rows];
}

function backupLines({ last_backup, last_backup_error, backups, backups_error, verdict }: Status): string[] {
  if (backups_error) return [`Last backup   not known: ${sanitize(backups_error.message)}`];
  if (!last_backup) return ['Last backup   none'];
  const { created_at, size_bytes, verified } = last_backup;
  const line = `Last backup   ${stampCell(created_at)}  ${formatBytes(size_bytes)}  (${backups} in total)`;
  const good = verdict.last_good_backup;
  const fault = last_backup_error?.message ?? faultOf(last_backup);
  if (fault === undefined) {
    const when = verified && !verified.quick ? `verified ${stampCell(verified.at)}` : 'not verified yet';
    return [line, `              readable with the current key, ${when}`];
  }
  const hint = last_backup_error?.hint ? ` ${last_backup_error.hint}` : '';
  return [
    line,
    `              FAILED: ${sanitize(fault)}.${hint}`,
    ...(good ? [`Last good     ${stampCell(good.created_at)}  ${sanitize(good.path)}`] : []),
  ];
}

function testLine({ last_test_restore: last }: Verdict): string[] {
  if (!last) return ['Test restore  none yet; make one with `bifract restore FILE --drill`'];
  return [`Test restore  ${stampCell(last.at)}  passed, of ${sanitize(last.path)}`];
}

function noteLines({ backup_notes }: Status): string[] {
  const shown = backup_notes
    .slice(0, NOTES)
    .map(({ name, note }) => `              ${sanitize(name)}: ${sanitize(note)}`);
  const more = backup_notes.length - shown.length;
  return more > 0 ? [...shown, `              ${more} more: see \`bifract list backups\``] : shown;
}

function lastArchive({ last_archive, last_archive_whole }: Status['fractals'][number]): string {
  if (!last_archive || !last_archive_whole) return 'none';
  const { files, rows } = last_archive_whole;
  const split = files > 1 ? ` in ${formatExact(files)} files` : '';
  return `${stampCell(last_archive.created_at)}  ${plural(rows, 'log')}${split}`;
}

function protectedUntil({ protected_until, unprotected_rows }: Status['fractals'][number]): string {
  if (unprotected_rows === null) return '?';
  return stampCell(protected_until);
}

function unprotected(rows: number | null): string {
  return rows === null ? '?' : formatExact(rows);
}
