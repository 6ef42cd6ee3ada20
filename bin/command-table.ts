import type { ProgramCommand } from './command.ts';

/**
 * Every command, in the order of the help. The file of a command is loaded only when the command is called, so that every
 * start is fast.
 */
export const COMMANDS: Record<string, () => Promise<{ command: ProgramCommand }>> = {
  backup: () => import('./commands/backup.ts'),
  archive: () => import('./commands/archive.ts'),
  demo: () => import('./commands/demo.ts'),
  list: () => import('./commands/list.ts'),
  status: () => import('./commands/status.ts'),
  extract: () => import('./commands/extract.ts'),
  show: () => import('./commands/show.ts'),
  verify: () => import('./commands/verify.ts'),
  search: () => import('./commands/search.ts'),
  adopt: () => import('./commands/adopt.ts'),
  clean: () => import('./commands/clean.ts'),
  restore: () => import('./commands/restore.ts'),
  'restore-archive': () => import('./commands/restore-archive.ts'),
  init: () => import('./commands/init.ts'),
  prune: () => import('./commands/prune.ts'),
  key: () => import('./commands/key.ts'),
  delete: () => import('./commands/delete.ts'),
  copy: () => import('./commands/copy.ts'),
  schedule: () => import('./commands/schedule.ts'),
  'run-due': () => import('./commands/run-due.ts'),
  coverage: () => import('./commands/coverage.ts'),
  jobs: () => import('./commands/jobs.ts'),
  attach: () => import('./commands/attach.ts'),
  cancel: () => import('./commands/cancel.ts'),
};
