import { formatAge, formatAgo } from '../../core/text/time.ts';
import type { VerificationResult } from './file-types.ts';
import type { DrawContext, Span } from './types.ts';

/** The last verification of a file in this session, under any of its names. */
export function verificationOf(
  verifications: ReadonlyMap<string, VerificationResult>,
  ...names: string[]
): VerificationResult | undefined {
  return names
    .map((name) => verifications.get(name))
    .reduce((newest, one) => ((one?.at ?? 0) > (newest?.at ?? 0) ? one : newest), undefined);
}

/** A verification result for a table cell. */
export function shortVerification(
  verification: VerificationResult | undefined,
  { symbols, now }: DrawContext,
): Span {
  if (!verification) return { text: '-', tone: 'dim' };
  if (!verification.ok) return { text: `${symbols.bad} failed`, tone: 'bad' };
  const age = formatAge(now - verification.at);
  return { text: `${symbols.ok} ${verification.quick ? 'quick' : age}`, tone: 'good' };
}

/** A verification result as a sentence, without its message. */
export function longVerification(
  verification: VerificationResult | undefined,
  { symbols, now }: DrawContext,
): Span {
  if (!verification) return { text: 'not in this session; press v, or V for a quick check', tone: 'dim' };
  const ago = formatAgo(now - verification.at);
  if (!verification.ok) return { text: `${symbols.bad} failed, ${ago}`, tone: 'bad' };
  return {
    text: `${symbols.ok} ${verification.quick ? 'quick check passed' : 'passed'}, ${ago}`,
    tone: 'good',
  };
}
