import type { Context } from '../view/types.ts';
import type { Preferences } from './preferences.ts';

/** Installations that are remembered: the ones opened last. */
const MAX_REMEMBERED = 20;
const MAX_PATH = 4_096;

function isContext(value: unknown): value is Context {
  if (typeof value !== 'object' || value === null) return false;
  const { dir, at } = value as Partial<Record<keyof Context, unknown>>;
  const isPath = typeof dir === 'string' && dir.startsWith('/') && dir.length <= MAX_PATH;
  return isPath && typeof at === 'number' && Number.isFinite(at);
}

/** The remembered installations, the one opened last first. */
export function savedContexts(preferences: Preferences): readonly Context[] {
  const saved = preferences.get('contexts');
  if (!Array.isArray(saved)) return [];
  const valid: Context[] = saved.filter(isContext).map(({ dir, at }) => ({ dir, at }));
  return valid
    .toSorted((a, b) => b.at - a.at)
    .filter(({ dir }, index, all) => all.findIndex((one) => one.dir === dir) === index)
    .slice(0, MAX_REMEMBERED);
}

/** Remembers that an installation was opened; returns all that are remembered. */
export function rememberContext(preferences: Preferences, context: Context): readonly Context[] {
  const others = savedContexts(preferences).filter(({ dir }) => dir !== context.dir);
  const contexts = [context, ...others].slice(0, MAX_REMEMBERED);
  preferences.set('contexts', contexts);
  return contexts;
}

/** Forgets an installation; returns those that are still remembered. */
export function forgetContext(preferences: Preferences, dir: string): readonly Context[] {
  const contexts = savedContexts(preferences).filter((one) => one.dir !== dir);
  preferences.set('contexts', contexts);
  return contexts;
}
