import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makePrinter } from '../../../bin/output/make-printer.ts';
import { rowLines } from '../../../bin/output/rows.ts';
import { table } from '../../../bin/output/tables.ts';
import { fit, shorten, truncate, wrap } from '../../../src/components/text/text.ts';
import type { JobEvent } from '../../../src/core/index.ts';
import { hardWrap } from '../../../src/core/text/hard-wrap.ts';
import { addSecrets } from '../../../src/core/text/mask.ts';
import { sanitize } from '../../../src/core/text/sanitize.ts';

/** Controls (C0, C1, DEL), line separators, and characters that reorder or hide text. */
const DANGEROUS = /[\p{Cc}\u2028\u2029\ufff9-\ufffb]|\p{Bidi_Control}|\p{Default_Ignorable_Code_Point}/u;

const SECRET = 'planted-0Secret1';
addSecrets([SECRET]);

/** Texts of all kinds of characters, many of them dangerous, some with a secret. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.integer({ min: 0, max: 0x9f }).map((code) => String.fromCharCode(code)),
      fc.constantFrom(
        '\u202e',
        '\u2066',
        '\u200b',
        '\u200d',
        '\ufeff',
        '\u061c',
        '\u{e0041}',
        '\u2028',
        '\ud800',
      ),
      fc.constantFrom('\u001b]0;x\u0007', '\u001b[2J', '\u009b1A', '\u001bPq', '\r', '\u0008', SECRET, ' x '),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

function captured(
  flags: Parameters<typeof makePrinter>[0],
  use: (printer: ReturnType<typeof makePrinter>) => void,
) {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 60, write: (part: string) => written.push(part) > 0 };
  const streams = { stdout: stream, stderr: stream } as unknown as Parameters<typeof makePrinter>[1];
  use(makePrinter(flags, streams));
  return written.join('');
}

/** What the printers themselves write to redraw a line. */
const OWN = /\r?\u001b\[K|\n|\r/g;

function events(any: string): JobEvent[] {
  const at = { job: any, time: '2026-01-01T00:00:00.000Z' };
  const error = { code: any as 'INTERNAL', message: any, hint: any };
  return [
    { ...at, event: 'job:started', kind: any, title: any },
    { ...at, event: 'job:phase', phase: any },
    { ...at, event: 'job:progress', item: any, rows: 5, total_rows: 10 },
    { ...at, event: 'job:retry', attempt: 1, wait_ms: 1000, reason: any },
    { ...at, event: 'job:warning', message: any },
    { ...at, event: 'job:item', item: any, ok: false, message: any, error, details: { any: [any] } },
    { ...at, event: 'job:failed', error },
  ];
}

for (const flags of [{}, { quiet: true }, { json: true }, { nonInteractive: true }]) {
  test(`no text controls the terminal or shows a secret: ${JSON.stringify(flags)}`, () => {
    const dirty = { found: 0 };
    fc.assert(
      fc.property(text, (any) => {
        if (DANGEROUS.test(any)) dirty.found++;
        const row = { label: any, value: any };
        const shown = [
          ...events(any).map((event) => captured(flags, (printer) => printer.event(event))),
          captured(flags, (printer) => printer.result({ [any]: any }, rowLines([row]), [any])),
          captured(flags, (printer) =>
            printer.list([{ any }], table([any], [{ title: 'T', cell: (cell) => cell }])),
          ),
          captured(flags, (printer) => printer.failed({ code: any as 'INTERNAL', message: any, hint: any })),
        ];
        for (const output of shown) {
          assert.doesNotMatch(output.replace(OWN, ''), DANGEROUS);
          assert.ok(!output.includes(SECRET), output);
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(dirty.found > 50);
  });
}

test('--json prints the same values, escaped', () => {
  const value = { name: 'a\u202eb\u0085c\u200dd\u{e0041}e\u2028f', file: '\u001b[2J' };
  const line = captured({ json: true }, (printer) => printer.result(value, []));
  assert.match(line, /^[\x20-\x7e]*\n$/);
  assert.deepEqual(JSON.parse(line), value);
});

test('no text of the console holds a control or an invisible character', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 30 }), (any, columns) => {
      const lines = [
        sanitize(any),
        fit(any, columns),
        ...wrap(any, columns),
        ...hardWrap(any, columns),
        truncate(sanitize(any), columns),
        shorten(sanitize(any), columns),
      ];
      for (const line of lines) assert.doesNotMatch(line, DANGEROUS);
    }),
    { numRuns: 500 },
  );
});
