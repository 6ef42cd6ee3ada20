import type { Command } from './command.ts';
import { COVERAGE } from './coverage.ts';
import { FILES, MORE_FILES } from './files.ts';
import { ALWAYS, GENERAL, TERMINAL } from './general.ts';
import { MOVES, SCREENS } from './going.ts';
import { ARRANGING, CHOOSING, OPENING, WORK } from './lists.ts';
import { ROWS } from './rows.ts';
import { STORAGE } from './storage.ts';
import { RESTORING, WIZARD } from './wizard.ts';

export type { Command } from './command.ts';

/** All commands, in the order in which the footer and the help show them. */
export const COMMANDS: readonly Command[] = [
  ...OPENING,
  ...ROWS,
  ...WIZARD,
  ...WORK,
  ...COVERAGE,
  ...FILES,
  ...RESTORING,
  ...STORAGE,
  ...CHOOSING,
  ...ALWAYS,
  ...MORE_FILES,
  ...ARRANGING,
  ...GENERAL,
  ...SCREENS,
  ...MOVES,
  ...TERMINAL,
];
