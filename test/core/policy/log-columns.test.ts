import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typedPaths } from '../../../src/core/policy/log-columns.ts';

for (const [type, paths] of [
  ['JSON', []],
  ['String', []],
  ['JSON(max_dynamic_paths=1024)', []],
  ['JSON(max_dynamic_paths = 1024, max_dynamic_types=8, user String, `src_ip` String)', ['user', 'src_ip']],
  [
    'JSON(a.b Nullable(String), `odd, name` Array(Tuple(x UInt8, y String)), z UInt8)',
    ['a.b', 'odd, name', 'z'],
  ],
  ["JSON(SKIP secret, t DateTime64(3, 'UTC'), SKIP REGEXP 'a,(b')", ['t']],
] as const)
  test(`typed paths of ${type}`, () => assert.deepEqual(typedPaths(type), paths));
