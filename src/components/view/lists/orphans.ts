import type { Orphan } from '../../../core/index.ts';
import { ageOf, formatAge, timeOf } from '../../../core/text/time.ts';
import type { Span } from '../../text/line.ts';
import { spinnerAt } from '../../text/symbols.ts';
import { baseName } from '../../text/text.ts';
import { fileTime, fileTitle } from '../archive-name.ts';
import { orphanCheck } from '../file-checks.ts';
import type { Snapshot } from '../types.ts';
import { shortVerification, sizeColumn } from './file-cells.ts';
import { listOf } from './list.ts';

const NONE: readonly Orphan[] = [];

const KINDS: Readonly<Record<Orphan['kind'], string>> = {
  file: 'file',
  record: 'record',
  leftover: 'unfinished',
};

const ACTIONS: Readonly<Record<Orphan['actions'][number], string>> = {
  adopt: 'adopt',
  fail_record: 'mark as failed',
  discard: 'delete',
};

/** The name of an orphan's file. */
export function orphanName({ path }: Pick<Orphan, 'path'>): string {
  return baseName(path);
}

/** The action running on an orphan, else the available actions. */
export function orphanActions(
  { id, kind, actions }: Orphan,
  { busy, symbols, now, read_only }: Snapshot,
): Span {
  const doing = busy.get(id);
  if (doing !== undefined) return { text: `${spinnerAt(symbols, now)} ${doing}`, tone: 'warn' };
  if (kind === 'file' && actions.length === 0)
    return { text: read_only ? 'verify' : 'restore', tone: 'info' };
  if (actions.length === 0) return { text: 'none yet', tone: 'dim' };
  if (read_only) return { text: '-', tone: 'dim' };
  return { text: actions.map((action) => ACTIONS[action]).join(', '), tone: 'info' };
}

export const orphansList = listOf<Orphan>({
  columns: [
    {
      id: 'kind',
      title: 'Kind',
      width: 10,
      cell: ({ kind }) => ({ text: KINDS[kind], tone: kind === 'leftover' ? 'dim' : 'warn' }),
      value: ({ kind }) => kind,
    },
    {
      id: 'title',
      title: 'Description',
      width: 22,
      grow: 2,
      cell: ({ title }) => ({ text: title }),
      value: ({ title }) => title,
    },
    sizeColumn,
    {
      id: 'age',
      title: 'Age',
      width: 4,
      align: 'right',
      cell: ({ since }, { now }) => {
        const age = ageOf(since, now);
        return { text: age === undefined ? '-' : formatAge(age) };
      },
      value: ({ since }) => timeOf(since),
    },
    {
      id: 'actions',
      title: 'Actions',
      width: 16,
      cell: orphanActions,
      value: ({ actions }) => actions.join(),
    },
    {
      id: 'fractal',
      title: 'Fractal',
      width: 12,
      drop: 2,
      cell: ({ fractal_name }) => ({ text: fractal_name ?? '-', tone: 'dim' }),
      value: ({ fractal_name }) => fractal_name ?? undefined,
    },
    {
      id: 'verified',
      title: 'Verified',
      width: 8,
      drop: 1,
      cell: (orphan, snapshot) => shortVerification(orphanCheck(orphan, snapshot), snapshot),
      value: (orphan, snapshot) => timeOf(orphanCheck(orphan, snapshot)?.at),
    },
    {
      id: 'name',
      title: 'Name',
      width: 24,
      grow: 3,
      drop: 3,
      cell: ({ path }, { data }) => ({ text: fileTitle(path, data), tone: 'dim' }),
      value: ({ path }) => fileTime(path) ?? orphanName({ path }),
    },
  ],
  records: ({ data }) => data.orphans.value ?? NONE,
  id: ({ id }) => id,
  sort: { column: 'kind', descending: false },
});
