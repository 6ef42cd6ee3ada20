import { ageOf, formatAge, timeOf } from '../../../core/text/time.ts';
import { formatBytes } from '../../../core/text/units.ts';
import type { Column } from '../rows.ts';

/** Size in storage. */
export const sizeColumn: Column<{ size_bytes: number }> = {
  id: 'size',
  title: 'Size',
  width: 9,
  align: 'right',
  cell: ({ size_bytes }) => ({ text: formatBytes(size_bytes) }),
  value: ({ size_bytes }) => size_bytes,
};

/** Time since creation. */
export const ageColumn: Column<{ created_at: string }> = {
  id: 'age',
  title: 'Age',
  width: 4,
  align: 'right',
  cell: ({ created_at }, { now }) => ({ text: formatAge(ageOf(created_at, now) ?? 0) }),
  value: ({ created_at }) => timeOf(created_at),
};
