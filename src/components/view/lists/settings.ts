import { SETTINGS, type SettingKey } from '../settings.ts';
import type { Snapshot } from '../types.ts';
import { listOf } from './list.ts';

interface SettingRow {
  key: SettingKey;
  title: string;
  /** Its current choice. */
  chosen: string;
  description: string;
}

function rowsOf({ settings }: Pick<Snapshot, 'settings'>): readonly SettingRow[] {
  return SETTINGS.map(({ key, title, description, choices }) => {
    const chosen = choices.find(([value]) => value === settings[key])?.[1] ?? '';
    return { key, title, chosen, description };
  });
}

/** The settings and what is chosen for each, in their own order. */
export const settingsList = listOf<SettingRow>({
  columns: [
    {
      id: 'setting',
      title: 'Setting',
      width: 20,
      cell: (row) => ({ text: row.title }),
      value: (row) => row.title,
    },
    {
      id: 'chosen',
      title: 'Chosen',
      width: 31,
      cell: (row) => ({ text: row.chosen, bold: true }),
      value: (row) => row.chosen,
    },
    {
      id: 'description',
      title: 'What it does',
      width: 60,
      grow: 1,
      drop: 1,
      cell: (row) => ({ text: row.description, tone: 'dim' }),
      value: (row) => row.description,
    },
  ],
  records: rowsOf,
  id: (row) => row.key,
  search: (row) => `${row.title} ${row.chosen}`,
  sort: { column: '', descending: false },
});
