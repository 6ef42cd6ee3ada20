import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { InputEvent } from '../../../src/components/input/events.ts';
import { createKeyboard } from '../../../src/components/input/keyboard.ts';
import { LIMIT_MS, until } from '../../helpers/until.ts';

function createFake(stream: PassThrough | Socket = new PassThrough()) {
  const modes: boolean[] = [];
  const setRawMode = (raw: boolean) => void modes.push(raw);
  const stdin = Object.assign(stream, { setRawMode }) as unknown as NodeJS.ReadStream;
  const stdout = new PassThrough();
  const events: InputEvent[] = [];
  const keyboard = createKeyboard(
    { stdin, stdout: stdout as unknown as NodeJS.WriteStream },
    (received) => void events.push(...received),
  );
  const written = () => String(stdout.read() ?? '');
  const names = () => events.map((event) => (event.type === 'key' ? event.name : event.type));
  return { stream, keyboard, modes, written, names };
}

test('the keyboard is taken and given back, with raw mode and bracketed paste', async () => {
  const { stream, keyboard, modes, written, names } = createFake();
  keyboard.open();
  keyboard.open();
  assert.deepEqual([modes, written()], [[true], '\x1b[?2004h']);
  stream.write('jk');
  await until(() => names().length === 2, LIMIT_MS, 'keys arrive');
  keyboard.close();
  keyboard.close();
  assert.deepEqual([modes, written()], [[true, false], '\x1b[?2004l']);
  assert.deepEqual(names(), ['j', 'k']);
});

test('what was unfinished when the keyboard was given back is dropped', async () => {
  const { stream, keyboard, names } = createFake();
  keyboard.open();
  stream.write('\x1b[200~abc');
  await new Promise((resolve) => setImmediate(resolve));
  keyboard.close();
  keyboard.open();
  stream.write('D');
  await until(() => names().length > 0, LIMIT_MS, 'a key arrives');
  assert.deepEqual(names(), ['D']);
});

test('a lone Esc is a key without another one', async () => {
  const { stream, keyboard, names } = createFake();
  keyboard.open();
  stream.write('\x1b');
  await until(() => names().length > 0, LIMIT_MS, 'the key arrives');
  assert.deepEqual(names(), ['esc']);
  keyboard.close();
});

test('bytes that arrived in time are not late because the program was busy', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const sender = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = (await accepted) as [Socket];
  const { keyboard, names } = createFake(socket);
  keyboard.open();
  sender.write('\x1b');
  await until(() => socket.bytesRead === 1, LIMIT_MS, 'the Esc is read');
  // After this, timers run before anything is read.
  await new Promise((resolve) => setImmediate(resolve));
  sender.write('[D');
  const busyUntil = performance.now() + 300;
  while (performance.now() < busyUntil);
  await until(() => names().length > 0, LIMIT_MS, 'the key arrives');
  assert.deepEqual(names(), ['left']);
  keyboard.close();
  sender.destroy();
  socket.destroy();
  server.close();
});
