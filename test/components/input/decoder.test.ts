import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDecoder } from '../../../src/components/input/decoder.ts';
import type { InputEvent } from '../../../src/components/input/events.ts';
import { MAX_PASTE } from '../../../src/components/input/paste.ts';

type Bytes = string | Uint8Array;

/** Longer than any wait for the rest of a sequence. */
const SILENCE_MS = 2_000;

function bytesOf(bytes: Bytes): Uint8Array {
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
}

/** A decoder and its clock. */
function createInput() {
  const decoder = createDecoder();
  let now = 0;
  const events: InputEvent[] = [];
  return {
    events,
    /** Lets time pass, and with it all waits that end in it. */
    pass(ms: number) {
      const end = now + ms;
      while (decoder.deadline !== undefined && decoder.deadline <= end) {
        now = decoder.deadline;
        events.push(...decoder.expire(now));
      }
      now = end;
    },
    send(bytes: Bytes) {
      events.push(...decoder.push(bytesOf(bytes), now));
    },
  };
}

/** The events of chunks that arrive one after another, and of the silence after them. */
function decode(chunks: readonly Bytes[], gap = 0): InputEvent[] {
  const input = createInput();
  for (const chunk of chunks) {
    input.send(chunk);
    input.pass(gap);
  }
  input.pass(SILENCE_MS);
  return input.events;
}

function keys(...names: string[]): InputEvent[] {
  return names.map((name) => ({ type: 'key', name }));
}

function keyNames(events: readonly InputEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'key' ? [event.name] : []));
}

/** Sequences that are one key. */
const KEYS: Readonly<Record<string, string>> = {
  '\x1b': 'esc',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'ctrl-c',
  '\x1a': 'ctrl-z',
  '\x00': 'ctrl-space',
  '\x1c': 'ctrl-\\',
  '\x1f': 'ctrl-_',
  ' ': ' ',
  b: 'b',
  D: 'D',
  é: 'é',
  日: '日',
  '👍': '👍',
  '\x1b[A': 'up',
  '\x1bOB': 'down',
  '\x1b[C': 'right',
  '\x1b[D': 'left',
  '\x1b[H': 'home',
  '\x1bOF': 'end',
  '\x1b[1~': 'home',
  '\x1b[4~': 'end',
  '\x1b[5~': 'pgup',
  '\x1b[6~': 'pgdn',
  '\x1b[3~': 'delete',
  '\x1b[2~': 'insert',
  '\x1bOP': 'f1',
  '\x1b[15~': 'f5',
  '\x1b[24~': 'f12',
  '\x1b[Z': 'shift-tab',
  '\x1b[1;2A': 'shift-up',
  '\x1b[1;5D': 'ctrl-left',
  '\x1b[1;3C': 'alt-right',
  '\x1b[6;5~': 'ctrl-pgdn',
  '\x1b[1;7B': 'alt-ctrl-down',
  '\x1b\x1b[A': 'alt-up',
  '\x1bO5A': 'ctrl-up',
  '\x1bb': 'alt-b',
  '\x1bD': 'alt-D',
  '\x1b\r': 'alt-enter',
  '\x1b\x7f': 'alt-backspace',
  '\x1b ': 'alt-space',
  '\x1b\x02': 'alt-ctrl-b',
  '\x1bé': 'alt-é',
  '\x9b': '',
  // kitty
  '\x1b[27u': 'esc',
  '\x1b[27;3u': 'alt-esc',
  '\x1b[13u': 'enter',
  '\x1b[9;2u': 'shift-tab',
  '\x1b[127;5u': 'ctrl-backspace',
  '\x1b[97u': 'a',
  '\x1b[97;2u': 'A',
  '\x1b[97;65u': 'A',
  '\x1b[97;66u': 'a',
  '\x1b[47:63;2u': '?',
  '\x1b[47;2;63u': '?',
  '\x1b[47;2u': 'shift-/',
  '\x1b[99;5u': 'ctrl-c',
  '\x1b[99;133u': 'ctrl-c',
  '\x1b[99;6u': 'ctrl-shift-c',
  '\x1b[98;3u': 'alt-b',
  '\x1b[98;9u': 'super-b',
  '\x1b[105;5u': 'tab',
  '\x1b[91;5u': 'esc',
  '\x1b[32;5u': 'ctrl-space',
  '\x1b[57399u': '0',
  '\x1b[57414u': 'enter',
  '\x1b[57419u': 'up',
  '\x1b[98;1:2u': 'b',
  '\x1b[98;1:3u': '',
  '\x1b[1;1:3A': '',
  '\x1b[57441;2u': '',
  // modifyOtherKeys
  '\x1b[27;5;99~': 'ctrl-c',
  '\x1b[27;3;98~': 'alt-b',
  '\x1b[27;2;65~': 'A',
  '\x1b[27;1;13~': 'enter',
};

/** Sequences that are no key: replies, mouse, focus, and what nobody knows. */
const OTHERS: readonly string[] = [
  '\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\',
  '\x1b]10;rgb:ffff/ffff/ffff\x07',
  '\x1b]4;1;rgb:cd/00/00\x1b\\',
  '\x1b]52;c;ZGVsZXRl\x07',
  '\x1b]lDbaR\x1b\\',
  '\x1b]l\u00dcbung D\x1b\\',
  '\x1bP>|xterm(388)\x1b\\',
  '\x1bP1$r0m\x1b\\',
  '\x1bP1+r5463=524742\x1b\\',
  '\x1b_Gi=31;OK\x1b\\',
  '\x1bXbaDR\x1b\\',
  '\x1b^baDR\x1b\\',
  '\x1b[?62;22c',
  '\x1b[>41;388;0c',
  '\x1b[24;80R',
  '\x1b[1;2R',
  '\x1b[?2026;2$y',
  '\x1b[4;2$y',
  '\x1b[?1u',
  '\x1b[0n',
  '\x1b[8;24;80t',
  '\x1b[I',
  '\x1b[O',
  '\x1b[<0;10;5M',
  '\x1b[<65;10;5M',
  '\x1b[MaDb',
  '\x1b[M \u00e9b',
  '\x1b[[A',
  '\x1b[201~',
  '\x1b[1\x18',
  '\x1b[1;2;3;4;5;6b',
  '\x1b[?b',
  '\x1b[=a',
  '\x1b[ D',
  '\x1b[12!D',
  '\x1bOb',
  '\x1bO1;2b',
  '\x1b(B',
  '\x1b#8',
  '\u009b99D',
  '\u009d11;rgb:1e/1e/1e\u009c',
  '\u0090baD\u009c',
  `\x1b[${'1;'.repeat(600)}D`,
  `\x1b]${'Db'.repeat(600)}\x07`,
];

for (const [bytes, name] of Object.entries(KEYS)) {
  test(`${JSON.stringify(bytes)} is ${name || 'no key'}, also in pieces`, () => {
    const expected = keys(...(name === '' ? [] : [name]));
    for (const gap of [0, 15, 60])
      for (const chunks of splits(bytesOf(bytes))) assert.deepEqual(decode(chunks, gap), expected);
  });
}

for (const bytes of OTHERS) {
  const shown = JSON.stringify(bytes.length > 40 ? `${bytes.slice(0, 40)}…` : bytes);
  test(`${shown} is no key, also in pieces, and does not affect the next key`, () => {
    const all = bytesOf(bytes);
    for (const gap of [0, 15, 60])
      for (const chunks of splits(all)) {
        const events = decode([...chunks, 'j'], gap);
        assert.deepEqual(keyNames(events), ['j'], `in ${chunks.length} pieces every ${gap} ms`);
      }
  });

  test(`${shown} cut off is no key, however late the next one comes`, () => {
    const all = bytesOf(bytes);
    for (let length = 2; length < Math.min(all.length, 100); length++) {
      const start = all.subarray(0, length);
      const names = keyNames(decode([start]));
      assert.ok(
        names.every((name) => name.startsWith('alt-')),
        `${JSON.stringify(start.toString())} is ${names}`,
      );
      assert.deepEqual(keyNames(decode([start, 'j'], SILENCE_MS)).at(-1), 'j');
    }
  });
}

/** All bytes at once, cut at every byte, and byte by byte. */
function splits(bytes: Uint8Array): Uint8Array[][] {
  const cuts = Array.from({ length: Math.min(bytes.length, 200) - 1 }, (_, index) => [
    bytes.subarray(0, index + 1),
    bytes.subarray(index + 1),
  ]);
  return [[bytes], ...cuts, Array.from(bytes, (byte) => Uint8Array.of(byte))];
}

test('replies and the mouse are events', () => {
  const events = {
    '\x1b]11;rgb:1e1e/8080/ffff\x1b\\': {
      kind: 'color',
      of: 'background',
      color: { red: 30, green: 128, blue: 255 },
    },
    '\x1b]10;#102030\x07': { kind: 'color', of: 'foreground', color: { red: 16, green: 32, blue: 48 } },
    '\x1b]4;7;rgb:f/0/8\x07': { kind: 'color', of: 7, color: { red: 255, green: 0, blue: 136 } },
    '\x1b[?62;22c': { kind: 'attributes', level: 1, values: [62, 22] },
    '\x1b[>41;388;0c': { kind: 'attributes', level: 2, values: [41, 388, 0] },
    '\x1b[24;80R': { kind: 'cursor', row: 23, column: 79 },
    '\x1b[?2026;2$y': { kind: 'mode', mode: 2026, setting: 2 },
    '\x1b[?5u': { kind: 'keyboard', flags: 5 },
    '\x1b[I': { kind: 'focus', focused: true },
    '\x1b[O': { kind: 'focus', focused: false },
  };
  for (const [bytes, event] of Object.entries(events))
    assert.deepEqual(decode([bytes]), [{ type: 'reply', ...event }]);
  const mouse = (bytes: string) => decode([bytes]);
  const at = { type: 'mouse', column: 9, row: 4, modified: false };
  assert.deepEqual(mouse('\x1b[<0;10;5M'), [{ ...at, action: 'press', button: 'left' }]);
  assert.deepEqual(mouse('\x1b[<2;10;5m'), [{ ...at, action: 'release', button: 'right' }]);
  assert.deepEqual(mouse('\x1b[<35;10;5M'), [{ ...at, action: 'move', button: 'none' }]);
  assert.deepEqual(mouse('\x1b[<64;10;5M'), [{ ...at, action: 'wheel-up', button: 'none' }]);
  assert.deepEqual(mouse('\x1b[<81;10;5M'), [
    { ...at, action: 'wheel-down', button: 'none', modified: true },
  ]);
  assert.deepEqual(mouse('\x1b[<66;10;5M'), []);
});

test('an Esc is a key after a moment, and not before', () => {
  const input = createInput();
  input.send('\x1b');
  input.pass(70);
  assert.deepEqual(input.events, []);
  input.pass(50);
  assert.deepEqual(input.events, keys('esc'));
});

test('Esc several times is as many keys', () => {
  assert.deepEqual(decode(['\x1b\x1b\x1b']), keys('esc', 'esc', 'esc'));
  assert.deepEqual(decode(['\x1b', '\x1b'], 33), keys('esc', 'esc'));
  assert.deepEqual(decode(['\x1b\x1bb']), keys('esc', 'alt-b'));
});

test('the rest of a sequence that comes after its Esc was taken for a key is dropped', () => {
  for (const rest of ['[D', '[5~', 'OD', ']11;rgb:1e1e/1e1e/1e1e\x1b\\', '_Gi=31;OK\x1b\\', 'PD\x1b\\'])
    assert.deepEqual(keyNames(decode(['\x1b', rest], 250)), ['esc', ...keyNames(decode([`\x1b${rest}`]))]);
  assert.deepEqual(decode(['\x1b', 'b'], 250), keys('esc', 'b'), 'a typed key is not dropped');
});

test('a sequence cut off for long is dropped, and the keyboard works again', () => {
  const input = createInput();
  input.send('\x1b[');
  input.pass(900);
  input.send('5');
  input.pass(900);
  assert.deepEqual(input.events, []);
  input.pass(200);
  input.send('j');
  assert.deepEqual(input.events, keys('j'));
});

test('Ctrl-C is a key also within an unfinished sequence', () => {
  for (const start of ['\x1b[', '\x1b[5', '\x1bO', '\x1b]11;rgb:', '\x1bPx', '\x1b_G'])
    assert.deepEqual(decode([start, '\x03'], 50), keys('ctrl-c'), JSON.stringify(start));
});

test('an unfinished string does not keep the keyboard: typing goes through after a few seconds', () => {
  const input = createInput();
  input.send('\x1b]11;');
  let typed = 0;
  while (input.events.length === 0 && typed < 100) {
    input.pass(150);
    input.send('j');
    typed += 1;
  }
  assert.ok(typed < 20, `${typed} keys were lost`);
});

function paste(text: string, truncated = false): InputEvent {
  return { type: 'paste', text, truncated };
}

test('a paste is one event, however it is cut', () => {
  const bytes = bytesOf('\x1b[200~a\x1b[20b\r\n日\x1b[201~');
  for (const gap of [0, 15, 60])
    for (const chunks of splits(bytes))
      assert.deepEqual(decode([...chunks, 'j'], gap), [paste('a\x1b[20b\r\n日'), ...keys('j')]);
});

test('a paste of 1 MB is one event, and a longer one is cut', () => {
  const text = 'yes | bifract delete\n'.repeat(50_000);
  const chunks = (bytes: Uint8Array) =>
    Array.from({ length: Math.ceil(bytes.length / 4_096) }, (_, index) =>
      bytes.subarray(index * 4_096, (index + 1) * 4_096),
    );
  const whole = text.slice(0, 1_000_000);
  assert.deepEqual(decode([...chunks(bytesOf(`\x1b[200~${whole}\x1b[201~`)), 'j'], 15), [
    paste(whole),
    ...keys('j'),
  ]);
  const long = text.repeat(3);
  assert.deepEqual(decode([...chunks(bytesOf(`\x1b[200~${long}\x1b[201~`)), 'j'], 15), [
    paste(long.slice(0, MAX_PASTE), true),
    ...keys('j'),
  ]);
});

test('a paste without its end ends after a moment, and the keyboard works again', () => {
  assert.deepEqual(decode(['\x1b[200~abc', 'j', '\x1b[A'], 1_100), [paste('abc'), ...keys('j', 'up')]);
  const input = createInput();
  input.send('\x1b[200~abc\x1b[2');
  for (let typed = 0; typed < 20; typed++) {
    input.pass(150);
    input.send('j');
  }
  assert.ok(keyNames(input.events).length > 0, 'also if the user goes on typing');
});

test('the rest of a paste that stalled is not taken for keys', () => {
  const rest = 'D\r'.repeat(100);
  assert.deepEqual(decode(['\x1b[200~abc', `${rest}\x1b[201~`, 'j'], 3_000), [paste('abc'), ...keys('j')]);
  assert.deepEqual(decode(['\x1b[200~abc', rest, 'j'], 3_000), [paste('abc'), ...keys('j')]);
});

test('a slow paste does not end early', () => {
  const chunks = Array.from({ length: 200 }, () => 'D\rb');
  assert.deepEqual(decode(['\x1b[200~', ...chunks, '\x1b[201~'], 150), [paste('D\rb'.repeat(200))]);
});

test('invalid bytes are dropped', () => {
  for (const bytes of [
    [0xff],
    [0xfe, 0xc0],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xc1, 0xbf],
    [0xf5, 0xa0],
    [0xa0],
  ])
    assert.deepEqual(decode([Uint8Array.from([...bytes, 0x6a])]), keys('j'), bytes.join(' '));
});

const typedText = fc
  .string({ unit: 'binary', maxLength: 20 })
  .filter((text) => !/[\x00-\x1f\x7f-\x9f]/.test(text));

test('property: text is typed as it is, wherever its bytes are cut', () => {
  fc.assert(
    fc.property(typedText, fc.array(fc.nat(8), { maxLength: 40 }), (text, sizes) => {
      assert.deepEqual(keyNames(decode(cut(bytesOf(text), sizes))), Array.from(text));
    }),
  );
});

/** Parts of the bytes of the given sizes, and the rest. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let rest = bytes;
  for (const size of sizes) {
    parts.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return [...parts, rest];
}

const pieces = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 6 }) },
  { weight: 3, arbitrary: fc.constantFrom(...Object.keys(KEYS), ...OTHERS.slice(0, -2)).map(bytesOf) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('\x1b', '\x1b[', '\x1b]', '\x1b[200~', '\x1b[201~', '\x9b', '[', 'O')
      .map(bytesOf),
  },
);
const anyBytes = fc.array(pieces, { maxLength: 12 }).map((parts) => new Uint8Array(Buffer.concat(parts)));

test('property: it does not matter where any bytes are cut', () => {
  fc.assert(
    fc.property(anyBytes, fc.array(fc.nat(8), { maxLength: 40 }), (bytes, sizes) => {
      assert.deepEqual(decode(cut(bytes, sizes)), decode([bytes]));
    }),
    { numRuns: 1_000 },
  );
});

test('property: after any bytes at any times the keyboard works within a second of silence', () => {
  const chunk = fc.record({ bytes: anyBytes, gap: fc.constantFrom(0, 15, 60, 150, 400, 1_200) });
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
      const input = createInput();
      for (const { bytes, gap } of chunks) {
        input.send(bytes);
        input.pass(gap);
      }
      input.pass(1_300);
      const before = input.events.length;
      input.send('j');
      assert.deepEqual(input.events.slice(before), keys('j'));
    }),
    { numRuns: 1_000 },
  );
});

test('property: no control sequence, whatever is in it, is a character key', () => {
  const byte = (from: number, to: number) =>
    fc.integer({ min: from, max: to }).map((code) => String.fromCharCode(code));
  const sequence = fc.tuple(
    fc.string({ unit: byte(0x30, 0x3f), maxLength: 12 }),
    fc.string({ unit: byte(0x20, 0x2f), maxLength: 2 }),
    byte(0x40, 0x7e).filter((final) => !'Mu~['.includes(final)),
  );
  fc.assert(
    fc.property(sequence, fc.constantFrom(0, 15, 60), ([parameters, intermediate, final], gap) => {
      const bytes = bytesOf(`\x1b[${parameters}${intermediate}${final}`);
      for (const chunks of splits(bytes)) {
        const events = decode([...chunks, 'j'], gap);
        assert.ok(keyNames(events).every((name) => name === 'j' || name.length > 1));
      }
    }),
  );
});

test('property: no string, whatever is in it, is a key', () => {
  const content = fc
    .string({ unit: 'binary', maxLength: 30 })
    .filter((text) => !/[\x00-\x1f\u0080-\u009f]/.test(text));
  const ends = fc.constantFrom('\x1b\\', '\x9c');
  fc.assert(
    fc.property(fc.constantFrom(']', 'P', 'X', '^', '_'), content, ends, (introducer, text, end) => {
      for (const chunks of splits(bytesOf(`\x1b${introducer}${text}${end}`)))
        assert.deepEqual(keyNames(decode([...chunks, 'j'], 60)), ['j']);
    }),
  );
});
