import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../../src/core/format');
const LAYERS = ['dump', 'envelope', 'frames', 'content'];

/** Files without a folder, below all layers: errors and buffers. */
const BOTTOM = -1;

test('a layer imports only itself and those below it', () => {
  const files = globSync('*/*.ts', { cwd: ROOT });
  assert.ok(files.length > 20);
  const wrong = files.flatMap((file) => importsOf(file).filter((target) => layerOf(target) > layerOf(file)));
  assert.deepEqual(wrong, []);
  const bottom = ['errors.ts', 'buffers.ts'].flatMap(importsOf);
  assert.deepEqual(bottom, []);
});

/** The files of this module that a file imports. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/from '(\.[^']+)'/g)]
    .map(([, target]) => normalize(join(dirname(file), target as string)))
    .filter((target) => !target.startsWith('..'));
}

function layerOf(file: string): number {
  const folder = dirname(file);
  if (folder === '.') return file === 'index.ts' ? LAYERS.length : BOTTOM;
  const layer = LAYERS.indexOf(folder);
  assert.notEqual(layer, -1, `${file} belongs to no layer`);
  return layer;
}
