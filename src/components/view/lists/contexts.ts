import { formatAgo } from '../../../core/text/time.ts';
import type { Context, Snapshot } from '../types.ts';
import { listOf } from './list.ts';

const isOpen = ({ dir }: Context, { installation }: Snapshot) => dir === installation.dir;

/** The installations that were opened, the last one first. */
export const contextsList = listOf<Context>({
  columns: [
    {
      id: 'dir',
      title: 'Installation',
      width: 40,
      grow: 1,
      cell: (context, snapshot) => ({ text: context.dir, bold: isOpen(context, snapshot) }),
      value: (context) => context.dir,
    },
    {
      id: 'state',
      title: '',
      width: 4,
      cell: (context, snapshot) => ({ text: isOpen(context, snapshot) ? 'open' : '', tone: 'good' }),
      value: () => undefined,
    },
    {
      id: 'opened',
      title: 'Opened',
      width: 9,
      align: 'right',
      cell: ({ at }, { now }) => ({ text: formatAgo(Math.max(0, now - at)), tone: 'dim' }),
      value: ({ at }) => at,
    },
  ],
  records: ({ contexts }) => contexts.recent,
  id: ({ dir }) => dir,
  search: ({ dir }) => dir,
  sort: { column: 'opened', descending: true },
});
