import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatBytes, formatExact, plural } from '../../src/core/text/units.ts';
import type { Status } from '../commands/status.ts';
import { table } from './tables.ts';

/** The status, for people. */
export function statusLines(status: Status): string[] {
  return [
    `Installation  ${sanitize(status.dir)}`,
    '',
    ...healthLines(status),
    '',
    ...interruptedLines(status),
    ...protectionLines(status),
  ];
}

/** Interrupted jobs explain rows that seem to be missing. */
function interruptedLines({ interrupted }: Status): string[] {
  return interrupted.flatMap(({ id, title, hint }) => [
    `Interrupted   ${sanitize(title)} (${id})`,
    `              ${hint}`,
    '',
  ]);
}

function healthLines({ health }: Status): string[] {
  const { postgres, clickhouse, backups, archives, key } = health;
  const parts = [
    { name: 'PostgreSQL', ...postgres },
    { name: 'ClickHouse', ...clickhouse },
    { name: 'Backups', ...backups, detail: storageDetail(backups) },
    { name: 'Archives', ...archives, detail: storageDetail(archives) },
    { name: 'Key', ...key },
  ];
  return table(parts, [
    { title: 'PART', cell: ({ name }) => name },
    { title: 'STATE', cell: ({ ok }) => (ok ? 'ok' : 'FAILED') },
    { title: 'DETAIL', cell: ({ detail }) => detail.trim() },
  ]);
}

function storageDetail({ location, detail, free_bytes }: Status['health']['backups']): string {
  const free = free_bytes === undefined ? '' : `; ${formatBytes(free_bytes)} free`;
  return `${location}  ${detail}${free}`;
}

function protectionLines({ last_backup, last_backup_error, backups, fractals }: Status): string[] {
  const last = lastBackup(last_backup, backups, last_backup_error);
  if (fractals.length === 0) return last;
  const rows = table(fractals, [
    { title: 'FRACTAL', cell: ({ name }) => name },
    { title: 'LOGS (CACHED)', cell: ({ log_count }) => formatExact(log_count), right: true },
    { title: 'LAST ARCHIVE', cell: (fractal) => lastArchive(fractal) },
    { title: 'PROTECTED UNTIL', cell: (fractal) => protectedUntil(fractal) },
    { title: 'NOT ARCHIVED', cell: ({ unprotected_rows }) => unprotected(unprotected_rows), right: true },
  ]);
  return [...last, '', ...rows];
}

function lastBackup(
  last: Status['last_backup'],
  count: number,
  error: Status['last_backup_error'],
): string[] {
  if (!last) return ['Last backup   none'];
  const line = `Last backup   ${formatStamp(last.created_at)}Z  ${formatBytes(last.size_bytes)}  (${count} in total)`;
  if (!error) return [`${line}  readable with the current key`];
  return [line, `              FAILED: ${sanitize(error.message)}.${error.hint ? ` ${error.hint}` : ''}`];
}

function lastArchive({ last_archive, last_archive_whole }: Status['fractals'][number]): string {
  if (!last_archive || !last_archive_whole) return 'none';
  const { files, rows } = last_archive_whole;
  const split = files > 1 ? ` in ${formatExact(files)} files` : '';
  return `${formatStamp(last_archive.created_at)}Z  ${plural(rows, 'log')}${split}`;
}

function protectedUntil({ protected_until, unprotected_rows }: Status['fractals'][number]): string {
  if (unprotected_rows === null) return '?';
  return protected_until === null ? '-' : `${formatStamp(protected_until)}Z`;
}

function unprotected(rows: number | null): string {
  return rows === null ? '?' : formatExact(rows);
}
