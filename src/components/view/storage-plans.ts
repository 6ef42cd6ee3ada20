import type { ArchiveRecord, CopyItem, DeleteItem, DeletePlan } from '../../core/index.ts';
import { bareName, fit, wrap } from './text.ts';
import { ageOf, formatAge, formatStamp } from './time.ts';
import type { Line, Snapshot } from './types.ts';
import { canBeTyped } from './typing.ts';
import { formatBytes, plural } from './units.ts';

type Moment = Pick<Snapshot, 'now' | 'glyphs'>;

const DEED = 7;
const INDENT = ' '.repeat(DEED);

function remarks(texts: readonly string[], tone: 'warn' | 'bad', columns: number): Line[] {
  return texts
    .flatMap((text) => wrap(text, columns - INDENT.length))
    .map((text) => [{ text: INDENT + text, tone }]);
}

function sizeAndAge(size_bytes: number, time: string | null, now: number): string {
  const age = ageOf(time, now);
  return `${formatBytes(size_bytes).padStart(10)} ${(age === undefined ? '-' : formatAge(age)).padStart(5)}  `;
}

/** What a refusal says, and what to do. */
function refusalText({ message, hint }: { message: string; hint?: string }): string {
  return hint ? `${message}. ${hint}` : message;
}

/** What is true of each of several that go: said once, it is read. */
export function sharedNotes({ items }: DeletePlan): readonly string[] {
  const [first, ...others] = items.filter(({ action }) => action === 'delete');
  if (!first || others.length === 0) return [];
  return first.notes.filter((note) => others.every(({ notes }) => notes.includes(note)));
}

/** A target of a deletion: what it is, its size and age; below it what depends on it and was not `said`, or why it stays. */
export function deleteLines(
  item: DeleteItem,
  { now, glyphs }: Moment,
  columns: number,
  said: readonly string[] = [],
): Line[] {
  const goes = item.action === 'delete';
  const what = item.kind === 'backup' ? item.id : `${item.title}  ${formatStamp(item.created_at)}`;
  const head: Line = [
    { text: fit(goes ? 'delete' : 'stays', DEED, 'left', glyphs.more), tone: goes ? 'bad' : 'good' },
    { text: sizeAndAge(item.size_bytes, item.created_at ?? item.modified_at, now) },
    { text: what },
    {
      text: item.storage_type === null || item.kind === 'backup' ? '' : `  ${item.storage_type}`,
      tone: 'dim',
    },
  ];
  const why = item.refusal ? [`Stays: ${refusalText(item.refusal)}`] : [];
  return [
    head,
    ...remarks(why, 'bad', columns),
    ...remarks(
      item.notes.filter((note) => !said.includes(note)),
      'warn',
      columns,
    ),
  ];
}

function backupsLeft({ count, newest_whole }: NonNullable<DeletePlan['backups_left']>): string {
  if (newest_whole)
    return `Kept: ${plural(count, 'backup')}; the newest that can be read is ${newest_whole}.`;
  return count === 0 ? 'No backup is kept!' : `Kept: ${plural(count, 'backup')}, none of which can be read!`;
}

/** What a deletion frees, and what will be kept. */
export function deletionLines(plan: DeletePlan): string[] {
  const { items, freed_bytes, backups_left } = plan;
  const going = items.filter(({ action }) => action === 'delete');
  const archives = items.some(({ kind }) => kind !== 'backup');
  return [
    going.length === 0 ? '' : `This cannot be undone. It frees ${formatBytes(freed_bytes)}.`,
    archives ? 'Kept: every other archive, and all logs that are in ClickHouse.' : '',
    backups_left ? backupsLeft(backups_left) : '',
    ...sharedNotes(plan),
  ].filter(Boolean);
}

/** What is typed before a deletion: what makes the one thing itself, or how many there are. */
export function deletionWord({ items }: DeletePlan, archives: readonly ArchiveRecord[]): string {
  const [first, ...others] = items.filter(({ action }) => action === 'delete');
  const several = `delete ${others.length + 1}`;
  if (!first || others.length > 0) return several;
  const name =
    first.kind === 'backup'
      ? first.id.replace(/^bifract-backup-(.+)\.bifract-backup$/, '$1')
      : archives.find(({ id }) => id === first.archive_id)?.fractal_name;
  return name !== undefined && canBeTyped(name) ? name : several;
}

/** A target of a copy: where it goes, or why it cannot. */
export function copyLines(item: CopyItem, { now, glyphs }: Moment, columns: number): Line[] {
  const goes = item.action === 'copy';
  const head: Line = [
    { text: fit(goes ? 'copy' : 'stays', DEED, 'left', glyphs.more), tone: goes ? 'info' : 'warn' },
    { text: sizeAndAge(item.size_bytes, item.modified_at, now) },
    { text: bareName(item.name) },
  ];
  return [head, ...remarks(item.refusal ? [`Stays: ${refusalText(item.refusal)}`] : [], 'bad', columns)];
}
