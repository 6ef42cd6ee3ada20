import { createInterface } from 'node:readline/promises';
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
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new BifractError('USAGE', 'This asks before it acts, and there is nobody to ask', {
      hint: 'Give --yes, or --dry-run to see what would be done.',
    });
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`${question} [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    reader.close();
  }
}
