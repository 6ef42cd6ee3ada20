import { isFuture } from '../../policy/retention.ts';
import type { Timestamp } from '../../ports/types.ts';
import type { ArchiveEvidence } from '../coverage/evidence.ts';

/** What retention counts as one: a group of archives, or an archive without a group. */
export interface RetentionUnit {
  kind: 'group' | 'archive';
  id: string;
  created_at: Timestamp;
  /** Completed, and all of its files exist as recorded. */
  complete: boolean;
  /** Being written or restored. */
  active: boolean;
  /** The rows its files hold. */
  evidence: readonly ArchiveEvidence[];
}

interface RetentionSplit {
  kept: RetentionUnit[];
  /** The oldest first. */
  excess: RetentionUnit[];
}

/**
 * Keeps the newest `max` complete units; older units are excess, including the files of partly failed ones. Units
 * without files and active units are never excess. Units dated in the future by a wrong clock are kept and do not
 * count. Always keeps at least one: a `max` below 1 is no limit.
 */
export function findExcess(units: readonly RetentionUnit[], max: number, now: Date): RetentionSplit {
  if (!(max >= 1)) return { kept: [...units], excess: [] };
  const dated = units
    .filter(({ created_at }) => !isFuture(created_at, now))
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  const complete = dated.filter((unit) => unit.complete);
  const oldestKept = complete[Math.floor(max) - 1];
  const older = oldestKept ? dated.slice(dated.indexOf(oldestKept) + 1) : [];
  const excess = older.filter(({ active, evidence }) => !active && evidence.length > 0).reverse();
  const removed = new Set(excess);
  return { kept: units.filter((unit) => !removed.has(unit)), excess };
}

/** A time range, Unix times, ms: `from ≤ time < to`. */
interface Span {
  from: number;
  to: number;
}

/** The time ranges of `evidence` that no archive in `others`, made at the same time or later, covers too. */
export function spansCoveredOnlyBy(
  evidence: readonly ArchiveEvidence[],
  others: readonly ArchiveEvidence[],
): Span[] {
  return evidence.flatMap(({ from, to, until }) =>
    others
      .filter((other) => other.until >= until)
      .reduce<Span[]>((spans, other) => spans.flatMap((span) => subtract(span, other)), [{ from, to }]),
  );
}

function subtract({ from, to }: Span, other: Span): Span[] {
  return [
    { from, to: Math.min(to, other.from) },
    { from: Math.max(from, other.to), to },
  ].filter((span) => span.from < span.to);
}
