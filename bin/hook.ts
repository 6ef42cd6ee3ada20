import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BifractError } from '../src/core/errors.ts';
import type { JobOutcome } from '../src/core/index.ts';
import type { BackupSummary } from '../src/core/jobs/backup.ts';

const LIMIT_MS = 300_000;

/** What a hook is told of the outcome, as variables of its environment. */
export function hookVariables(outcome: JobOutcome): Record<string, string> {
  if (outcome.event !== 'job:done') {
    const { code, message } = outcome.error;
    return { BIFRACT_RESULT: 'failure', BIFRACT_CODE: code, BIFRACT_MESSAGE: message };
  }
  const result = outcome.result as unknown as BackupSummary;
  return {
    BIFRACT_RESULT: 'success',
    BIFRACT_FILE: result.name,
    BIFRACT_SIZE_BYTES: String(result.size_bytes),
    BIFRACT_ROWS: String(result.rows),
    BIFRACT_DURATION_MS: String(result.duration_ms),
    BIFRACT_CHECKSUM: result.checksum,
  };
}

/** Runs the command by the shell; what it prints goes to stderr. Throws where it fails: a hook is there to be heard. */
export async function runHook(command: string, outcome: JobOutcome): Promise<void> {
  const child = spawn('/bin/sh', ['-c', command], {
    env: { ...process.env, ...hookVariables(outcome) },
    stdio: ['ignore', process.stderr, process.stderr],
    timeout: LIMIT_MS,
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return;
  const how = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
  throw new BifractError('INTERNAL', `The hook ${how}: ${command}`, {
    hint: outcome.event === 'job:done' ? 'The backup itself is good.' : undefined,
  });
}
