import { foldKey } from './fold-key.ts';
import { notBifract } from './format-errors.ts';
import { JsonSyntaxError, type Member, readMembers } from './json-scan.ts';
import { type BackupManifest, type ConsoleManifest, SEPARATOR } from './manifest.ts';

/** The separator must come within this many bytes. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/**
 * Splits a backup's content at the first separator. `dump` reads the rest of `content` and throws whatever it throws.
 * Throws `NOT_BIFRACT` if the content is not a backup.
 */
export async function splitBackup(
  content: AsyncIterable<Buffer>,
): Promise<{ manifest: BackupManifest; dump: AsyncIterable<Buffer> }> {
  const pieces = content[Symbol.asyncIterator]();
  try {
    const { text, first } = await readManifest(pieces);
    return { manifest: parseManifest(text), dump: rest(pieces, first) };
  } catch (error) {
    await pieces.return?.();
    throw error;
  }
}

async function readManifest(pieces: AsyncIterator<Buffer>): Promise<{ text: Buffer; first: Buffer }> {
  let read = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) throw notBifract('Not a backup: no separator between manifest and dump');
    const from = Math.max(0, read.length - SEPARATOR.length);
    read = Buffer.concat([read, value]);
    const at = read.indexOf(SEPARATOR, from);
    if (at >= 0) return { text: read.subarray(0, at), first: read.subarray(at + SEPARATOR.length) };
    if (read.length > MAX_MANIFEST_BYTES) throw notBifract('Not a backup: the manifest is too long');
  }
}

async function* rest(pieces: AsyncIterator<Buffer>, first: Buffer): AsyncGenerator<Buffer> {
  try {
    if (first.length > 0) yield first;
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
  } finally {
    await pieces.return?.();
  }
}

/** Parses a manifest as the server does: keys in any case, the last of duplicates, null as absent. */
function parseManifest(text: Buffer): BackupManifest {
  const members = readObject(text);
  const value = (key: string): unknown => {
    const found = members.findLast((member) => foldKey(member.key) === key && !isNull(text, member));
    return found && JSON.parse(text.toString('utf8', found.start, found.end));
  };
  const [version = '', timestamp = '', type = ''] = ['version', 'timestamp', 'type'].map(value);
  const env_vars = value('env_vars') ?? {};
  if (![version, timestamp, type].every(isString) || !isStrings(env_vars)) {
    throw notBifract('Not a backup: the manifest is invalid');
  }
  const manifest = { version, timestamp, type, env_vars } as BackupManifest;
  const span = members.findLast((member) => member.key === 'bifract_console');
  const extra = span && (JSON.parse(text.toString('utf8', span.start, span.end)) as ConsoleManifest);
  return extra === undefined ? manifest : { ...manifest, bifract_console: extra };
}

function readObject(text: Buffer): Member[] {
  try {
    return readMembers(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw notBifract(`Not a backup: the manifest is not valid JSON (${error.message})`);
    throw error;
  }
}

function isNull(text: Buffer, { start, end }: Member): boolean {
  return text.toString('latin1', start, end) === 'null';
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isStrings(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value) && Object.values(value ?? {}).every(isString);
}
