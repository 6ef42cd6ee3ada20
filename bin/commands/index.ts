import type { ProgramCommand } from '../command.ts';

/**
 * Every command, in the order of the help. The file of a command is loaded only when the command is called, so that every
 * start is fast.
 */
export const COMMANDS: Record<string, () => Promise<{ command: ProgramCommand }>> = {
  backup: () => import('./backup.ts'),
  archive: () => import('./archive.ts'),
  demo: () => import('./demo.ts'),
  list: () => import('./list.ts'),
  status: () => import('./status.ts'),
  extract: () => import('./extract.ts'),
  show: () => import('./show.ts'),
  verify: () => import('./verify.ts'),
  search: () => import('./search.ts'),
  adopt: () => import('./adopt.ts'),
  clean: () => import('./clean.ts'),
  restore: () => import('./restore.ts'),
  'restore-archive': () => import('./restore-archive.ts'),
  init: () => import('./init.ts'),
  prune: () => import('./prune.ts'),
  key: () => import('./key.ts'),
  delete: () => import('./delete.ts'),
  copy: () => import('./copy.ts'),
  schedule: () => import('./schedule.ts'),
  'run-due': () => import('./run-due.ts'),
  coverage: () => import('./coverage.ts'),
  jobs: () => import('./jobs.ts'),
  attach: () => import('./attach.ts'),
  cancel: () => import('./cancel.ts'),
};
