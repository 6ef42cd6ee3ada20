import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const CLAIM = /^\| .+ \| `(test\/[^`]+)`: (.+) \|$/gm;

test('every test that the security model names exists', async () => {
  const text = await readFile(join(ROOT, 'docs/security.md'), 'utf8');
  const claims = [...text.matchAll(CLAIM)];
  assert.ok(claims.length > 20);
  for (const [, file = '', title = ''] of claims) {
    const source = await readFile(join(ROOT, file), 'utf8');
    assert.ok(source.includes(`test('${title}'`), `${file}: ${title}`);
  }
});
