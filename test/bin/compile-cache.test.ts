import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { compileCacheFolder } from '../../bin/compile-cache.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bifract-cache-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

const folder = (base = dir) => compileCacheFolder({ XDG_CACHE_HOME: base });

test('the cache is in a folder that only this user can read and write', () => {
  assert.equal(folder(), join(dir, 'bifract-console'));
  assert.equal(statSync(join(dir, 'bifract-console')).mode & 0o777, 0o700);
  assert.equal(folder(), join(dir, 'bifract-console'), 'an existing folder is used again');
});

test('a folder that others can write to is not used, nor is one below such a folder', () => {
  mkdirSync(join(dir, 'bifract-console'));
  chmodSync(join(dir, 'bifract-console'), 0o777);
  assert.equal(folder(), undefined);
  mkdirSync(join(dir, 'open'));
  chmodSync(join(dir, 'open'), 0o777);
  assert.equal(folder(join(dir, 'open')), undefined);
});

test('a link to a folder is not used', () => {
  mkdirSync(join(dir, 'target'), { mode: 0o700 });
  symlinkSync(join(dir, 'target'), join(dir, 'bifract-console'));
  assert.equal(folder(), undefined);
  mkdirSync(join(dir, 'real'), { mode: 0o700 });
  symlinkSync(join(dir, 'real'), join(dir, 'link'));
  assert.equal(folder(join(dir, 'link')), undefined);
});

test('a folder of another user is not used by root', { skip: !isRoot && 'needs root' }, () => {
  const own = join(dir, 'bifract-console');
  mkdirSync(own, { mode: 0o700 });
  chownSync(own, NOBODY, NOBODY);
  assert.equal(folder(), undefined);
  rmSync(own, { recursive: true });
  chownSync(dir, NOBODY, NOBODY);
  assert.equal(folder(), undefined);
});

test('a relative folder is ignored: it would depend on where the program is started', () => {
  assert.equal(compileCacheFolder({ XDG_CACHE_HOME: 'cache' }, dir), join(dir, '.cache', 'bifract-console'));
});
