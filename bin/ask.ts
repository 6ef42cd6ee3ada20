import { createInterface } from 'node:readline/promises';
import { sanitize } from '../src/components/view/sanitize.ts';
import { BifractError } from '../src/core/errors.ts';
import type { GlobalFlags } from './arguments.ts';

/**
 * Whether the user agrees; yes without asking where the flags say so. Throws `USAGE` where nobody can be asked,
 * and the signal's reason after an abort.
 */
export async function agrees(
  question: string,
  flags: Pick<GlobalFlags, 'yes' | 'nonInteractive'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (flags.yes || flags.nonInteractive) return true;
  return /^y(es)?$/i.test(await answerTo(`${question} [y/N] `, signal));
}

/** Whether the user types the word, which is a harder yes; without asking where the flags say so. Throws as `agrees`. */
export async function types(
  word: string,
  question: string,
  flags: Pick<GlobalFlags, 'yes' | 'nonInteractive'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (flags.yes || flags.nonInteractive) return true;
  return (await answerTo(`${question}: `, signal)) === word;
}

async function answerTo(prompt: string, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new BifractError('USAGE', 'This asks before it acts, and there is nobody to ask', {
      hint: 'Give --yes, or --dry-run to see what would be done.',
    });
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await reader.question(sanitize(prompt), { signal })).trim();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    reader.close();
  }
}
