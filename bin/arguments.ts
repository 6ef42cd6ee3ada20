import type { Command } from 'commander';
import { MAX_PARALLEL } from '../src/core/config/settings.ts';
import { BifractError } from '../src/core/contract/errors.ts';
import type { Fractal, Timestamp } from '../src/core/index.ts';
import { parseInstant } from '../src/core/policy/instant.ts';
import type { Session } from './session.ts';

/** Options for a range of time, UTC. */
export interface TimeRange {
  from?: Timestamp;
  to?: Timestamp;
}

export function declareTimeRange(command: Command): Command {
  return command
    .option('--from <time>', 'Only rows at or after this time (UTC)', (text) => parseTime(text, '--from'))
    .option('--to <time>', 'Only rows before this time (UTC)', (text) => parseTime(text, '--to'));
}

function parseTime(text: string, option: string): Timestamp {
  const time = parseInstant(text);
  if (time !== undefined) return time;
  throw new BifractError('USAGE', `Invalid ${option}: ${text}`, {
    hint: 'Use a format such as 2026-03-01, 2026-03-01T14:00 or 2026-03-01T14:00:00.5+01:00; the default zone is UTC.',
  });
}

/** `what` it does with that many connections. */
export function declareParallel(command: Command, what: string): Command {
  return command.option('--parallel <n>', `${what} (default: by the cores of ClickHouse)`, parseParallel);
}

function parseParallel(text: string): number {
  const parallel = Number(text);
  if (Number.isSafeInteger(parallel) && parallel >= 1 && parallel <= MAX_PARALLEL) return parallel;
  throw new BifractError('USAGE', `Not a valid --parallel: ${text}`, {
    hint: `Pass a whole number from 1 to ${MAX_PARALLEL}.`,
  });
}

/** Finds a fractal by ID or name. Throws `NOT_FOUND`, with the names of the others as a hint. */
export async function findFractal({ engine, signal }: Session, wanted: string): Promise<Fractal> {
  const fractals = await engine.fractals({ signal });
  const found = fractals.find(({ id }) => id === wanted) ?? fractals.find(({ name }) => name === wanted);
  if (found) return found;
  const names = fractals.map(({ name }) => name).slice(0, 10);
  throw new BifractError('NOT_FOUND', `No fractal named "${wanted}"`, {
    hint:
      names.length > 0 ? `Available: ${names.join(', ')}${fractals.length > 10 ? ', …' : ''}.` : undefined,
  });
}
