import { basename, dirname, resolve } from 'node:path';
import { BifractError } from '../../src/core/contract/errors.ts';
import type { Invocation } from '../arguments.ts';
import { withEngine } from '../session.ts';
import { openFolder, requireNew } from '../wiring.ts';

/** Writes the content of a file to stdout, or to a new file that exists only when complete. */
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
  await requireNew(path);
  await openFolder(dirname(path)).put(basename(path), content, { signal });
}

async function toStdout(content: AsyncIterable<Buffer>): Promise<void> {
  if (process.stdout.isTTY) {
    throw new BifractError('USAGE', 'Cannot write binary content to a terminal', {
      hint: 'Write it to a file with -o, or redirect stdout.',
    });
  }
  try {
    for await (const piece of content) await write(piece);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // `bifract extract … | head`: the reader has closed the pipe.
    if (code === 'EPIPE') return;
    if (code !== 'ENOSPC') throw error;
    throw new BifractError('STORAGE_FULL', `Cannot write to stdout: ${message}`, {
      hint: 'Free some disk space.',
      cause: error,
    });
  }
}

function write(piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}
