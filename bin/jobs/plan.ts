import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { addFooter } from '../help.ts';
import type { Session } from '../session.ts';

/** A job that is planned, shown and confirmed before it runs. */
interface PlannedJob<Consent> {
  dryRun: boolean;
  /** The plan: objects for programs, human-readable lines. */
  values: object[];
  lines: string[];
  /** Asks the user, if the plan needs consent. Throws what `confirm` throws. */
  consent(): Promise<Consent>;
  /** Runs the job; returns the exit code. */
  run(consent: Consent): Promise<number>;
}

/** Shows a plan, asks, and runs it. With `--dry-run`, only shows it. */
export async function runPlan<Consent>(
  { flags, printer }: Session,
  { dryRun, values, lines, consent, run }: PlannedJob<Consent>,
): Promise<number> {
  if (dryRun || !(flags.json || flags.quiet)) printer.list(values, lines);
  if (dryRun) return 0;
  return run(await consent());
}

/** Adds `--dry-run` to a command that asks before it acts, and says so in its help. */
export function declarePlan(command: Command, asks = 'Asks'): Command {
  return addFooter(
    command.option('-n, --dry-run', 'Show the plan and change nothing', false),
    `${asks} for confirmation. If it cannot ask (no terminal, or --non-interactive), it does nothing and exits with 2; pass --yes to skip the question.`,
  );
}

/** Asks a yes/no question, if there is one. Throws `CANCELLED` for no, and what `ask` throws. */
export async function confirm(session: Session, question: string | undefined): Promise<void> {
  if (question !== undefined && !(await ask(session, question))) throw declined();
}

/** Asks the user to type `expected`, as a stronger confirmation. Throws as `confirm`. */
export async function confirmByTyping(session: Session, expected: string, question: string): Promise<void> {
  if (session.flags.yes || (await prompt(session, `${question}: `)) === expected) return;
  throw declined();
}

/** Asks a yes/no question. Throws `USAGE` if it cannot ask, and the reason of the signal after an abort. */
export async function ask(session: Session, question: string): Promise<boolean> {
  return session.flags.yes || /^y(es)?$/i.test(await prompt(session, `${question} [y/N] `));
}

async function prompt({ flags, signal }: Session, text: string): Promise<string> {
  if (flags.nonInteractive || !process.stdin.isTTY || !process.stderr.isTTY) throw cannotAsk(flags);
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

function cannotAsk({ nonInteractive }: Session['flags']): BifractError {
  const reason = nonInteractive
    ? '--non-interactive does not answer for this command'
    : 'stdin or stderr is not a terminal';
  return new BifractError('USAGE', `Confirmation required, but ${reason}`, {
    hint: 'Pass --yes to confirm, or --dry-run to preview.',
  });
}

function declined(): BifractError {
  return new BifractError('CANCELLED', 'Nothing was changed');
}
