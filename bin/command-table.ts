import type { ProgramCommand } from './command.ts';

/** The heading of a command in the help of the program, and its file. */
interface CommandEntry {
  group: string;
  /** The file is loaded only when the command is called, so that every start is fast. */
  load: () => Promise<{ command: ProgramCommand }>;
}

/** Every command by its name. Groups and commands are in the order of the help. */
export const COMMANDS: Record<string, CommandEntry> = {
  ...grouped('Back up and restore PostgreSQL:', {
    backup: () => import('./commands/backup.ts'),
    restore: () => import('./commands/restore.ts'),
    prune: () => import('./commands/prune.ts'),
  }),
  ...grouped('Archive and restore logs:', {
    archive: () => import('./commands/archive.ts'),
    'restore-archive': () => import('./commands/restore-archive.ts'),
    'run-due': () => import('./commands/run-due.ts'),
    schedule: () => import('./commands/schedule.ts'),
    coverage: () => import('./commands/coverage.ts'),
  }),
  ...grouped('Look at what there is:', {
    status: () => import('./commands/status.ts'),
    list: () => import('./commands/list.ts'),
    show: () => import('./commands/show.ts'),
    verify: () => import('./commands/verify.ts'),
    search: () => import('./commands/search.ts'),
    extract: () => import('./commands/extract.ts'),
  }),
  ...grouped('Manage files, records and keys:', {
    delete: () => import('./commands/delete.ts'),
    copy: () => import('./commands/copy.ts'),
    adopt: () => import('./commands/adopt.ts'),
    clean: () => import('./commands/clean.ts'),
    key: () => import('./commands/key.ts'),
    init: () => import('./commands/init.ts'),
  }),
  ...grouped('Watch jobs:', {
    jobs: () => import('./commands/jobs.ts'),
    attach: () => import('./commands/attach.ts'),
    cancel: () => import('./commands/cancel.ts'),
  }),
  ...grouped('Help and demo:', {
    completion: () => import('./completion/command.ts'),
    demo: () => import('./commands/demo.ts'),
  }),
};

function grouped(
  group: string,
  commands: Record<string, CommandEntry['load']>,
): Record<string, CommandEntry> {
  return Object.fromEntries(Object.entries(commands).map(([name, load]) => [name, { group, load }]));
}
