import type { Granularity } from './periods.ts';

const STAMP = String.raw`\d{8}-\d{6}`;
const UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
/** The longest label is that of a week, 24 characters. */
const LABEL = '[0-9A-Za-z][0-9A-Za-z_-]{0,39}?';
const BACKUP = new RegExp(`^bifract-backup-(${STAMP})\\.bifract-backup$`);
const ARCHIVE = new RegExp(`^(${UUID})(?:-(${LABEL}))?-(${STAMP})\\.bifract-archive$`);
const FRACTAL_ID = new RegExp(`^${UUID}$`);

/** The parts of an archive's file name. */
interface ArchiveName {
  fractal_id: string;
  /** The period as written in the name, such as `2026-03-01_1400`; undefined if not split. */
  label: string | undefined;
  created_at: Date;
}

/** File name of a backup made now, in UTC; also its S3 key. */
export function backupName(now: Date): string {
  return `bifract-backup-${stampOf(now)}.bifract-backup`;
}

/** Parses the time from a backup's file name; undefined for any other name. */
export function backupTime(name: string): Date | undefined {
  return parseStamp(BACKUP.exec(name)?.[1]);
}

/** File name of an archive made now. `label` is that of a period. */
export function archiveName(fractal_id: string, now: Date, label?: string): string {
  if (!FRACTAL_ID.test(fractal_id)) throw new RangeError(`Not a fractal id: ${fractal_id}`);
  const period = label === undefined ? '' : `-${fileLabel(label)}`;
  return `${fractal_id}${period}-${stampOf(now)}.bifract-archive`;
}

/** Path of an archive below the archive root; also its S3 key. */
export function archivePath(fractal_id: string, name: string): string {
  return `archives/${fractal_id}/${name}`;
}

/** Parses an archive's file name; undefined for any other name. */
export function parseArchiveName(name: string): ArchiveName | undefined {
  const [, fractal_id, label, time] = ARCHIVE.exec(name) ?? [];
  const created_at = parseStamp(time);
  return fractal_id === undefined || created_at === undefined ? undefined : { fractal_id, label, created_at };
}

/** Whether this program or the server uses such a name, even temporarily. */
export function isBifractName(name: string): boolean {
  const path = name.replace(/\.rekey$/, '');
  return isArchivePath(path) || backupTime(path) !== undefined || isProbeName(path);
}

/** Whether it is the path of an archive: below the folder of the fractal that its file name contains. */
export function isArchivePath(name: string): boolean {
  const [, folder, filename = ''] = /^archives\/([^/]+)\/([^/]+)$/.exec(name) ?? [];
  return folder !== undefined && parseArchiveName(filename)?.fractal_id === folder;
}

/** Whether it is the name of a temporary health check file. */
export function isProbeName(name: string): boolean {
  return /^(?:archives\/)?bifract-probe-[0-9a-f]{16}$/.test(name);
}

/** A period label as written in file names. Throws a `RangeError` if it is not safe in one. */
export function fileLabel(label: string): string {
  const spelled = label.replaceAll(' ', '_').replaceAll(':', '');
  if (!new RegExp(`^${LABEL}$`).test(spelled)) throw new RangeError(`Not a period label: ${label}`);
  return spelled;
}

/** A time as written in file names, to the second, in UTC: `20260301-140509`. */
export function stampOf(time: Date): string {
  const digits = time.toISOString().replaceAll(/[-:]/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(9, 15)}`;
}

function parseStamp(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text.replace(/(....)(..)(..)-(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z'));
  // Date accepts 30 February as 2 March; our names never contain it.
  return Number.isNaN(time.getTime()) || stampOf(time) !== text ? undefined : time;
}

/** Parses the label in a file name: its period as records write it, and the split. */
export function parsePeriodLabel(label: string | undefined): { period: string | null; split: Granularity } {
  if (label === undefined) return { period: null, split: 'none' };
  const hour = /^(\d{4}-\d{2}-\d{2})_(\d{2})(\d{2})$/.exec(label);
  if (hour) return { period: `${hour[1]} ${hour[2]}:${hour[3]}`, split: 'hour' };
  const period = label.replaceAll('_', ' ');
  if (/^\d{4}-\d{2}-\d{2} to \d{4}-\d{2}-\d{2}$/.test(period)) return { period, split: 'week' };
  return { period, split: /^\d{4}-\d{2}-\d{2}$/.test(label) ? 'day' : 'none' };
}
