import { BifractError } from '../src/core/contract/errors.ts';
import { backupTime, parseArchiveName } from '../src/core/policy/names.ts';
import type { Session } from './session.ts';

/** What the argument of a command may name. */
export type Named = 'backup' | 'archive' | 'group';

const SUFFIXES = ['.bifract-backup', '.bifract-archive'];
const ID_LENGTH = 36;
/** Shorter ones would be taken for words. */
const SHORTEST_PREFIX = 8;
const SHOWN = 5;

/**
 * The full name or ID of what the user named: `latest`, the start of an ID, or a file name without its suffix. Anything else
 * is returned as it is. Throws `USAGE` for the start of several IDs, and `NOT_FOUND` if there is no latest one.
 */
export async function completeName(session: Session, text: string, ...named: Named[]): Promise<string> {
  if (text === 'latest') return latest(session, named);
  if (isIdPrefix(text)) return (await idOf(session, text, named)) ?? text;
  const suffix = SUFFIXES.find((one) => backupTime(text + one) || parseArchiveName(text + one));
  return suffix === undefined ? text : text + suffix;
}

/** All of them in full, one after another. */
export async function completeNames(session: Session, texts: string[], ...named: Named[]): Promise<string[]> {
  const names: string[] = [];
  for (const text of texts) names.push(await completeName(session, text, ...named));
  return names;
}

/** Where both are possible, a backup: archives are of different fractals. */
async function latest({ engine, signal }: Session, named: readonly Named[]): Promise<string> {
  const found = named.includes('backup')
    ? (await engine.backups({ signal }))[0]?.name
    : named.includes('archive')
      ? (await engine.archives({}, { signal })).find(({ status }) => status === 'completed')?.id
      : (await engine.groups({}, { signal }))[0]?.id;
  if (found !== undefined) return found;
  throw new BifractError('NOT_FOUND', `There is no ${named[0]} yet`, {
    hint: `Create one with \`bifract ${named[0] === 'backup' ? 'backup' : 'archive <fractal>'}\`.`,
  });
}

function isIdPrefix(text: string): boolean {
  return text.length >= SHORTEST_PREFIX && text.length < ID_LENGTH && /^[0-9a-f]{8}[0-9a-f-]*$/i.test(text);
}

async function idOf({ engine, signal }: Session, prefix: string, named: readonly Named[]) {
  const lists = [
    ...(named.includes('archive') ? [engine.archives({}, { signal })] : []),
    ...(named.includes('group') ? [engine.groups({}, { signal })] : []),
  ];
  const ids = (await Promise.all(lists)).flat().map(({ id }) => id);
  const found = ids.filter((id) => id.startsWith(prefix.toLowerCase()));
  if (found.length <= 1) return found[0];
  const shown = found.slice(0, SHOWN).join(', ');
  throw new BifractError('USAGE', `${prefix} is the start of ${found.length} IDs`, {
    hint: `Type more of the one that you mean: ${shown}${found.length > SHOWN ? ', …' : ''}.`,
  });
}
