import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  COMMANDS,
  changesData,
  commandFor,
  commandsAt,
  searchCommands,
} from '../../../src/components/input/keymap.ts';
import { createSession, type Session } from '../../../src/components/state/session.ts';
import { symbolsFor } from '../../../src/components/text/symbols.ts';
import type { ScreenName } from '../../../src/components/view/types.ts';
import { busyEngine } from '../../helpers/fake-engine.ts';

const PLACES: readonly ScreenName[] = [
  'overview',
  'fractals',
  'archives',
  'backups',
  'jobs',
  'log',
  'fractal-archives',
  'fractal',
  'archive',
  'backup',
  'job',
  'entry',
  'orphans',
  'orphan',
  'rows',
  'row',
  'wizard',
];

function session(read_only = false): Session {
  const terminal = { write() {}, repaint() {}, suspend() {}, leave() {} };
  return createSession({
    engine: busyEngine(),
    terminal,
    symbols: symbolsFor(true),
    read_only,
    columns: 80,
    rows: 24,
  });
}

for (const name of PLACES) {
  test(`keys are unique on the screen ${name}, and the global keys are available`, () => {
    const console = session();
    console.dispatch({ type: 'go', screen: { name, subject: name === 'overview' ? undefined : 'x' } });
    const keys = commandsAt(console.snapshot()).flatMap((command) => command.keys);
    assert.deepEqual(
      keys.filter((key, index) => keys.indexOf(key) !== index),
      [],
    );
    for (const key of [
      '1',
      '6',
      '7',
      '?',
      ':',
      'q',
      'ctrl-c',
      'ctrl-z',
      'ctrl-l',
      'r',
      'y',
      'b',
      'up',
      'j',
      'G',
    ]) {
      assert.ok(commandFor(console.snapshot(), key), `${key} has a command`);
    }
  });
}

test('every command has a unique name, a description and a key', () => {
  const names = COMMANDS.map((command) => command.name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(COMMANDS.every((command) => command.description.length > 3 && command.keys.length > 0));
});

test('a read-only console has no command that changes data', () => {
  const console = session(true);
  for (const name of PLACES) {
    console.dispatch({ type: 'go', screen: { name, subject: 'x' } });
    assert.deepEqual(
      commandsAt(console.snapshot()).filter((command) => changesData(console.snapshot(), command)),
      [],
    );
  }
});

test('the palette lists the command with the searched name first', () => {
  const snapshot = session().snapshot();
  assert.equal(searchCommands(snapshot, 'backup')[0]?.name, 'backup');
  assert.equal(searchCommands(snapshot, 'archives')[0]?.name, 'archives');
  assert.deepEqual(searchCommands(snapshot, 'no such thing'), []);
});
