import type { HeadColumn } from '../../format/index.ts';
import { LINE_COLUMNS, ordinaryColumns, typedPaths } from '../../policy/log-columns.ts';
import type { LogsShape } from '../../ports/installation-shape.ts';
import type { RestoreDifferences } from './contract.ts';

const RAW = 'raw_log';
const FIELDS = 'fields';

/** What a file says about its rows. */
interface ArchivedShape {
  raw_from: 'logs' | 'logs_raw' | 'none';
  /** Null if the file does not say: then it has only what every line has. */
  columns: readonly HeadColumn[] | null;
}

/** How restored rows will differ from the archived ones, because the tables of their releases differ. */
export function differencesOf(files: readonly ArchivedShape[], target: LogsShape): RestoreDifferences {
  const ordinary = ordinaryColumns(target);
  const has = (name: string) => ordinary.some((column) => column.name === name);
  const archived = files.map(({ raw_from, columns }) => {
    const names = (columns ?? []).map(({ name }) => name).filter((name) => !LINE_COLUMNS.has(name));
    return new Set([...names, ...(raw_from === 'none' ? [] : [RAW])]);
  });
  const needed = ordinary.map(({ name }) => name).filter((name) => name === RAW || !LINE_COLUMNS.has(name));
  const typed = typedPaths(ordinary.find(({ name }) => name === FIELDS)?.type ?? '');
  const paths = files.map(
    ({ columns }) => new Set(typedPaths(columns?.find(({ name }) => name === FIELDS)?.type ?? '')),
  );
  return {
    lost: [...new Set(archived.flatMap((names) => [...names]))].filter((name) => !has(name)),
    defaults: needed.filter((name) => archived.some((names) => !names.has(name))),
    typed_paths: typed.filter((path) => paths.some((known) => !known.has(path))).length,
  };
}

/** What to consider because of the differences, one sentence each. */
export function differenceNotes({ lost, defaults, typed_paths }: RestoreDifferences): string[] {
  const notes: string[] = [];
  if (lost.includes(RAW))
    notes.push('The table has no column for the original lines: they are not restored.');
  const columns = lost.filter((name) => name !== RAW);
  if (columns.length > 0) notes.push(`The table has no column ${listOf(columns)}: not restored.`);
  if (defaults.length > 0)
    notes.push(`Not in the archive, set to the default of the table: ${listOf(defaults)}.`);
  if (typed_paths > 0)
    notes.push(
      `In this table every row has ${typed_paths === 1 ? '1 field' : `${typed_paths} fields`} that archived rows may not have: empty after the restore.`,
    );
  return notes;
}

function listOf(names: readonly string[]): string {
  return names.join(', ');
}
