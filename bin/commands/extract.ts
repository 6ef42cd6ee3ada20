import { basename, dirname, resolve } from 'node:path';
import { BifractError } from '../../src/core/errors.ts';
import type { Invocation } from '../arguments.ts';
import { withEngine } from '../session.ts';
import { mustBeNew, openFolder } from '../wiring.ts';

/** Writes what a file holds to stdout, or whole or not at all to a new file. */
export function extractCommand(invocation: Extract<Invocation, { command: 'extract' }>): Promise<number> {
  const { file, output, part, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const content = engine.extract(file, part, { signal });
    if (output === undefined || output === '-') await toStdout(content);
    else await toFile(resolve(output), content, signal);
    return 0;
  });
}

async function toFile(path: string, content: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void> {
  await mustBeNew(path);
  await openFolder(dirname(path)).put(basename(path), content, { signal });
}

async function toStdout(content: AsyncIterable<Buffer>): Promise<void> {
  if (process.stdout.isTTY) {
    throw new BifractError('USAGE', 'The content is not for a terminal', {
      hint: 'Name a file with -o, or pipe it on.',
    });
  }
  try {
    for await (const piece of content) await written(piece);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // `bifract extract … | head`: what reads us has had enough.
    if (code === 'EPIPE') return;
    if (code !== 'ENOSPC') throw error;
    throw new BifractError('STORAGE_FULL', `The content could not be written to stdout: ${message}`, {
      hint: 'Free some space where it goes to.',
      cause: error,
    });
  }
}

function written(piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}
