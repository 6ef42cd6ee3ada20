import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BifractError } from '../src/core/contract/errors.ts';
import type { BackupSummary, JobOutcome, RunDueSummary } from '../src/core/index.ts';

const LIMIT_MS = 300_000;

/** Environment variables for the hook of a successful job. */
export type HookVariables = (result: Record<string, unknown>) => Record<string, string>;

export const backupVariables: HookVariables = (result) => {
  const { name, size_bytes, rows, duration_ms, checksum } = result as unknown as BackupSummary;
  return {
    BIFRACT_FILE: name,
    BIFRACT_SIZE_BYTES: String(size_bytes),
    BIFRACT_ROWS: String(rows),
    BIFRACT_DURATION_MS: String(duration_ms),
    BIFRACT_CHECKSUM: checksum,
  };
};

export const runDueVariables: HookVariables = (result) => {
  const { archived, skipped, rows, size_bytes, deleted, duration_ms } = result as unknown as RunDueSummary;
  return {
    BIFRACT_ARCHIVED: String(archived),
    BIFRACT_SKIPPED: String(skipped),
    BIFRACT_ROWS: String(rows),
    BIFRACT_SIZE_BYTES: String(size_bytes),
    BIFRACT_DELETED: String(deleted),
    BIFRACT_DURATION_MS: String(duration_ms),
  };
};

/** Environment variables for a hook. */
export function hookVariables(outcome: JobOutcome, ofResult = backupVariables): Record<string, string> {
  if (outcome.event === 'job:done') return { BIFRACT_RESULT: 'success', ...ofResult({ ...outcome.result }) };
  const { code, message } = outcome.error;
  return { BIFRACT_RESULT: 'failure', BIFRACT_CODE: code, BIFRACT_MESSAGE: message };
}

/** Runs a command in the shell, its output on stderr. Throws if the command fails. */
export async function runHook(
  command: string,
  outcome: JobOutcome,
  variables?: HookVariables,
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
  throw new BifractError(done ? 'PARTLY_DONE' : outcome.error.code, `The hook ${how}: ${command}`, {
    hint: done ? 'The job itself succeeded.' : 'The job itself had failed before.',
  });
}
