import { asBifractError, BifractError } from '../../contract/errors.ts';
import {
  archiveBytes,
  type ByteSource,
  describeFile,
  type FileDescription,
  type FrameEntry,
  readContent,
  readFrames,
} from '../../format/index.ts';
import { combine, type Failure } from '../../job/failures.ts';
import { compareTimes } from '../../policy/instant.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type FileServices, findTarget } from '../files/find-target.ts';
import type { Target } from '../files/target.ts';
import { kindByName } from '../inspect/content-kind.ts';
import { sourceOf } from '../inspect/object-source.ts';
import type { SearchHit, SearchQuery } from './contract.ts';
import { searchBlocks } from './match-thread.ts';
import { lacksLines, type TimeWindow } from './matcher.ts';

/**
 * Matching rows as stored, in order of targets and rows. A failed target does not stop the others; the
 * combined error is thrown at the end.
 */
export async function* search(
  services: FileServices & Pick<Services, 'catalog' | 'keys'>,
  { targets, pattern, from, to, onLinesMissing }: SearchQuery,
  options: CallOptions = {},
): AsyncGenerator<SearchHit> {
  const keys = await services.keys();
  const window = { from, to };
  const failures: Failure[] = [];
  const blocks = searchBlocks(pattern, window);
  try {
    for (const label of targets) {
      try {
        const target = await findTarget(services, label, options);
        let lacks_lines = false;
        for await (const block of rowBlocks(target, keys, window, options)) {
          if (!lacks_lines && lacksLines(block, window)) {
            lacks_lines = true;
            onLinesMissing?.(label);
          }
          for (const { start, end, text_from } of await blocks.find(block, options)) {
            yield { target: label, path: target.path, line: block.subarray(start, end), text_from };
          }
        }
      } catch (error) {
        options.signal?.throwIfAborted();
        const report = asBifractError(error).report();
        // The pattern is too slow, in the other targets too.
        if (report.code === 'TIMED_OUT') throw error;
        failures.push({ item: label, error: report });
      }
    }
  } finally {
    blocks.close();
  }
  const error = combine(failures, targets.length, 'could not be searched');
  if (error) throw error;
}

/** Rows of an archive that may be in the window, in blocks of complete lines. */
async function* rowBlocks(
  { storage, object }: Target,
  keys: readonly Key[],
  window: TimeWindow,
  options: CallOptions,
): AsyncGenerator<Buffer> {
  const source = sourceOf(storage, object, options);
  const description = await describeFile(source, keys, options);
  if ((description.head?.kind ?? kindByName(object.name)) === 'backup') {
    throw new BifractError('NOT_BIFRACT', 'This is a backup; only archives contain log lines', {
      hint: 'See `bifract list archives`.',
    });
  }
  if (description.index === null) {
    yield* archiveBytes(readContent(source.stream(), { keys, signal: options.signal }));
  } else {
    yield* indexedBlocks(source, { ...description, index: description.index }, keys, window, options);
  }
}

async function* indexedBlocks(
  source: ByteSource,
  description: FileDescription & { index: FrameEntry[] },
  keys: readonly Key[],
  window: TimeWindow,
  options: CallOptions,
): AsyncGenerator<Buffer> {
  const { index } = description;
  const from = index.findIndex((entry) => !isBefore(entry, window));
  if (from < 0) return;
  const to = index.findLastIndex((entry) => !isAfter(entry, window)) + 1;
  for await (const { frame, plain } of readFrames(source, description, keys, from, to, options)) {
    yield frame === 0 ? plain.subarray(plain.indexOf('\n') + 1) : plain;
  }
}

/** A frame without times may contain any row. */
function isBefore({ last }: FrameEntry, { from }: TimeWindow): boolean {
  return from !== undefined && last !== null && compareTimes(last.ts, from) < 0;
}

function isAfter({ first }: FrameEntry, { to }: TimeWindow): boolean {
  return to !== undefined && first !== null && compareTimes(first.ts, to) >= 0;
}
