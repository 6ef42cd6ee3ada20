import { createInterface } from 'node:readline/promises';
import { BifractError } from '../src/core/contract/errors.ts';
import { sanitize } from '../src/core/text/sanitize.ts';
import type { GlobalFlags } from './arguments.ts';

/**
 * Asks a yes/no question; the flags can answer yes. Throws `USAGE` without a terminal, and the signal's reason after an
 * abort.
 */
export async function confirm(
  question: string,
  flags: Pick<GlobalFlags, 'yes' | 'nonInteractive'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (flags.yes || flags.nonInteractive) return true;
  return /^y(es)?$/i.test(await prompt(`${question} [y/N] `, signal));
}

/** Asks the user to type `expected`, as a stronger confirmation. Flags and errors as for `confirm`. */
export async function confirmByTyping(
  expected: string,
  question: string,
  flags: Pick<GlobalFlags, 'yes' | 'nonInteractive'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (flags.yes || flags.nonInteractive) return true;
  return (await prompt(`${question}: `, signal)) === expected;
}

async function prompt(text: string, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new BifractError('USAGE', 'Confirmation required, but stdin or stderr is not a terminal', {
      hint: 'Pass --yes to confirm, or --dry-run to preview.',
    });
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await reader.question(sanitize(text), { signal })).trim();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    reader.close();
  }
}
