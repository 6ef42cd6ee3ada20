import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/**
 * Where files in a storage are deleted or replaced, and why that needs no proof. Everything else goes through
 * `deleteFile`, which asks for one.
 */
const ALLOWED: Record<string, string> = {
  'files/delete-file.ts': 'the one way to delete a complete file',
  'files/check-size.ts': 'the file that was just written, with another size than expected',
  'copy/copy-file.ts': 'the copy that was just written, while its original is unchanged',
  'keys/rekey.ts': 'the old file after the new one was read back, and temporary files',
};

test('files in a storage are deleted and replaced in few places', () => {
  const found = new Set<string>();
  for (const file of globSync('src/core/{features,engine,job}/**/*.ts', { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    if (/\b(storage|to|from|target|backups|archives)\b\??\.(delete|replace)\(/.test(text))
      found.add(file.replace('src/core/features/', ''));
  }
  assert.deepEqual([...found].sort(), Object.keys(ALLOWED).sort());
});
