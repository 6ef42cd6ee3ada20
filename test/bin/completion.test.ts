import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { COMMANDS } from '../../bin/command-table.ts';
import { candidates } from '../../bin/completion/candidates.ts';
import { SCRIPTS } from '../../bin/completion/scripts.ts';
import { commandNamed } from '../../bin/define-program.ts';

/** What can follow a line that ends at the cursor. */
async function after(line: string) {
  const words = line.split(' ');
  const { words: found, kinds } = candidates(await commandNamed(words.slice(0, -1)), words);
  return { words: found.map(({ word }) => word), kinds };
}

test('commands, subcommands and values complete', async () => {
  const names = (await after('')).words;
  assert.deepEqual(new Set(names), new Set([...Object.keys(COMMANDS), 'help']));
  assert.deepEqual((await after('--dir /x delete ')).words, ['backup', 'archive', 'group', 'help']);
  assert.deepEqual((await after('archive web --split ')).words, ['none', 'hour', 'day', 'week']);
  assert.deepEqual((await after('completion ')).words, ['bash', 'zsh', 'fish']);
});

test('names complete where a command takes them', async () => {
  const kinds = {
    'archive ': ['fractal'],
    'list archives --fractal ': ['fractal'],
    'restore-archive x --into ': ['fractal'],
    'delete backup ': ['backup'],
    'delete group ': ['group'],
    'verify a b ': ['backup', 'archive', 'file'],
    'attach ': ['job'],
    '--dir ': ['folder'],
    'extract x --output ': ['file'],
    'extract x -o ': ['file'],
    'archive web --from ': [],
    'backup ': [],
  };
  for (const [line, expected] of Object.entries(kinds))
    assert.deepEqual((await after(line)).kinds, expected, line);
});

test('every option of every command completes, and those of the program', async () => {
  for (const name of Object.keys(COMMANDS)) {
    const command = (await commandNamed([name])).commands.find((one) => one.name() === name);
    const { words } = await after(`${name} -`);
    for (const { long } of command?.options ?? []) assert.ok(words.includes(long ?? ''), `${name} ${long}`);
    assert.ok(words.includes('--dir') && words.includes('--json'), name);
  }
});

test('the script for bash offers what the program prints, and paths if it says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bifract-completion-'));
  try {
    await writeFile(
      join(folder, 'bifract'),
      `#!/bin/sh\nprintf '%s\\n' "$*" >&2; printf 'archive\\tA\\nattach\\tB\\nbackup\\tC\\n:paths\\n'`,
      {
        mode: 0o755,
      },
    );
    await writeFile(join(folder, 'at home'), '');
    const script = `${SCRIPTS.bash('bifract')}
      COMP_WORDS=(bifract --dir "/a b" at); COMP_CWORD=3; cd "$1"; PATH="$1:$PATH"; _bifract; printf '%s|' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', folder]);
    assert.equal(stdout, 'attach|at home|');
  } finally {
    await rm(folder, { recursive: true });
  }
});
