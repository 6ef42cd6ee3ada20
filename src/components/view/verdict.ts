import type { Verdict } from './file-types.ts';
import { formatAge, formatAgo } from './time.ts';
import type { Snapshot, Span } from './types.ts';

/** The last verification of a file in this session, whichever of its names it was asked by. */
export function verdictOf({ verdicts }: Pick<Snapshot, 'verdicts'>, ...names: string[]): Verdict | undefined {
  return names
    .map((name) => verdicts.get(name))
    .reduce((newest, one) => ((one?.at ?? 0) > (newest?.at ?? 0) ? one : newest), undefined);
}

type Moment = Pick<Snapshot, 'glyphs' | 'now'>;

/** A verdict in a few columns. */
export function shortVerdict(verdict: Verdict | undefined, { glyphs, now }: Moment): Span {
  if (!verdict) return { text: '-', tone: 'dim' };
  if (!verdict.ok) return { text: `${glyphs.bad} failed`, tone: 'bad' };
  const age = formatAge(now - verdict.at);
  return { text: `${glyphs.ok} ${verdict.quick ? 'ends' : age}`, tone: 'good' };
}

/** A verdict in a sentence, without its message. */
export function longVerdict(verdict: Verdict | undefined, { glyphs, now }: Moment): Span {
  if (!verdict) return { text: 'not in this session: v reads all of it, V its ends', tone: 'dim' };
  const ago = formatAgo(now - verdict.at);
  if (!verdict.ok) return { text: `${glyphs.bad} failed, ${ago}`, tone: 'bad' };
  return { text: `${glyphs.ok} ${verdict.quick ? 'its ends are sound' : 'sound'}, ${ago}`, tone: 'good' };
}
