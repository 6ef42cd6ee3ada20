import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linePrinter } from '../../../bin/output/line.ts';
import { logPrinter } from '../../../bin/output/log.ts';
import type { JobEvent } from '../../../src/core/index.ts';

const NASTY = 'x\u001b[31m\ny\u0007';
const AT = { job: 'j', time: '2026-01-01T00:00:00.000Z' };
const EVENTS: JobEvent[] = [
  { ...AT, event: 'job:phase', phase: NASTY },
  { ...AT, event: 'job:warning', message: NASTY },
  { ...AT, event: 'job:item', item: NASTY, ok: true, message: NASTY },
];

test('printers remove control characters', () => {
  const written: string[] = [];
  const out = (line: string) => void written.push(`${line}\n`);
  const err = (text: string) => void written.push(text);
  for (const printer of [
    linePrinter({ out, err, live: false, columns: () => 80, quiet: false }),
    logPrinter(out, err, false),
  ]) {
    for (const event of EVENTS) printer.event(event);
    printer.result({}, [NASTY]);
    printer.list([{}], [NASTY]);
    printer.failed({ code: 'NOT_FOUND', message: NASTY, hint: NASTY });
  }
  for (const text of written) assert.match(text, /^[^\p{Cc}]*x y[^\p{Cc}]*\n$/u);
  assert.equal(written.length, 14);
});
