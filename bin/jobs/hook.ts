import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BifractError } from '../../src/core/contract/errors.ts';
import type { JobKind, JobOutcome, SummaryOf } from '../../src/core/index.ts';

const LIMIT_MS = 300_000;

/** Environment variables that the hook of a successful job gets besides `BIFRACT_RESULT`. */
type HookVariables<Kind extends JobKind> = (summary: SummaryOf<Kind>) => Record<string, string>;

/** Runs a command in the shell, its output on stderr. Throws if the command fails. */
export async function runHook<Kind extends JobKind>(
  command: string,
  outcome: JobOutcome<Kind>,
  variables: HookVariables<Kind>,
): Promise<void> {
  const child = spawn('/bin/sh', ['-c', command], {
    env: { ...process.env, ...hookVariables(outcome, variables) },
    stdio: ['ignore', process.stderr, process.stderr],
    timeout: LIMIT_MS,
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return;
  const how = signal === null ? `failed with exit code ${code}` : `was killed by ${signal}`;
  const done = outcome.event === 'job:done';
  // The command itself may contain a token, in any form.
  const name = done ? '--on-success' : '--on-failure';
  throw new BifractError(done ? 'PARTLY_DONE' : outcome.error.code, `The ${name} command ${how}`, {
    hint: done ? 'The job itself succeeded.' : 'The job itself had failed before.',
  });
}

/** Environment variables for a hook. */
export function hookVariables<Kind extends JobKind>(
  outcome: JobOutcome<Kind>,
  variables: HookVariables<Kind>,
): Record<string, string> {
  if (outcome.event === 'job:done') return { BIFRACT_RESULT: 'success', ...variables(outcome.result) };
  const { code, message } = outcome.error;
  return { BIFRACT_RESULT: 'failure', BIFRACT_CODE: code, BIFRACT_MESSAGE: message };
}
