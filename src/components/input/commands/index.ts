import type { Command } from './command.ts';
import { COVERAGE } from './coverage.ts';
import { FILES, MORE_FILES } from './files.ts';
import { ALWAYS, GENERAL, TERMINAL } from './general.ts';
import { JOBS, OPENING, SELECTING, SORTING } from './lists.ts';
import { MOVES, SCREENS } from './navigation.ts';
import { ROWS } from './rows.ts';
import { STORAGE } from './storage.ts';
import { RESTORING, WIZARD } from './wizard.ts';

export type { Command } from './command.ts';

/** All commands, in the order of the footer and the help. */
export const COMMANDS: readonly Command[] = [
  ...OPENING,
  ...ROWS,
  ...WIZARD,
  ...JOBS,
  ...COVERAGE,
  ...FILES,
  ...RESTORING,
  ...STORAGE,
  ...SELECTING,
  ...ALWAYS,
  ...MORE_FILES,
  ...SORTING,
  ...GENERAL,
  ...SCREENS,
  ...MOVES,
  ...TERMINAL,
];
