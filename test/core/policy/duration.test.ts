import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration, parseNanoseconds } from '../../../src/core/policy/duration.ts';

test('accepts what Go accepts', () => {
  const cases: [string, bigint][] = [
    ['0', 0n],
    ['+0', 0n],
    ['-0', 0n],
    ['0s', 0n],
    ['5s', 5_000_000_000n],
    ['+5s', 5_000_000_000n],
    ['-5s', -5_000_000_000n],
    ['1h30m', 5_400_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['90s', 90_000_000_000n],
    ['.5s', 500_000_000n],
    ['1.s', 1_000_000_000n],
    ['3h4m5.6s7ms8us9ns', 11_045_607_008_009n],
    ['1us', 1000n],
    ['1µs', 1000n],
    ['1μs', 1000n],
    ['1m1ms', 60_001_000_000n],
    ['1s1s', 2_000_000_000n],
    ['0.9999999999ns', 0n],
    ['9223372036854775807ns', 9223372036854775807n],
    ['-9223372036854775808ns', -9223372036854775808n],
  ];
  for (const [text, expected] of cases) assert.equal(parseNanoseconds(text), expected, text);
});

test('rejects what Go rejects', () => {
  const cases = [
    '',
    '+',
    '-',
    '--1s',
    '3',
    '.',
    '.s',
    '1.2.3s',
    '1d',
    '1H',
    's',
    '1h ',
    ' 1h',
    '1h 30m',
    '1e3s',
    '1,5h',
    '١s',
  ];
  const tooLong = ['9223372036854775808ns', '2562048h', '-9223372036854775809ns', `${'9'.repeat(400)}h`];
  for (const text of [...cases, ...tooLong]) assert.equal(parseNanoseconds(text), undefined, text);
});

test('milliseconds keep their fraction', () => {
  assert.equal(parseDuration('1h'), 3_600_000);
  assert.equal(parseDuration('1ns'), 0.000001);
  assert.equal(parseDuration('nothing'), undefined);
});

test('a sequence of parts is their sum', () => {
  const units = { ns: 1n, us: 1000n, ms: 1_000_000n, s: 10n ** 9n, m: 60n * 10n ** 9n, h: 3600n * 10n ** 9n };
  const part = fc.tuple(fc.nat(10_000), fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.boolean(), (parts, negative) => {
      const text = (negative ? '-' : '') + parts.map(([count, unit]) => `${count}${unit}`).join('');
      const sum = parts.reduce((total, [count, unit]) => total + BigInt(count) * units[unit], 0n);
      assert.equal(parseNanoseconds(text), negative ? -sum : sum);
    }),
  );
});

test('no text makes it throw or hang', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'0123456789.+-nsuµmh ') });
  fc.assert(fc.property(fc.oneof(fc.string(), letters), (text) => void parseDuration(text)));
});
