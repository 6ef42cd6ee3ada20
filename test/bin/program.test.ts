import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS } from '../../bin/command-table.ts';
import { EXAMPLES } from '../../bin/examples.ts';
import { type ProgramCall, parseArguments } from '../../bin/program.ts';

function parse(line: string, env: NodeJS.ProcessEnv = {}): Promise<ProgramCall> {
  return parseArguments(line.split(' ').filter(Boolean), { version: '1.2.3', env });
}

/** Name and input of a call, without options that are not given. */
async function called(line: string): Promise<object> {
  const { name, input } = await parse(line);
  return JSON.parse(JSON.stringify({ name, ...input }));
}

async function refuses(lines: string[], expected: object = {}): Promise<void> {
  for (const line of lines)
    await assert.rejects(parse(line), { code: 'USAGE', exitCode: 2, ...expected }, line);
}

test('without a command, the console opens', async () => {
  const { name, flags } = await parse('--dir /srv/x --read-only --no-color');
  assert.equal(name, 'console');
  assert.deepEqual(flags, {
    dir: '/srv/x',
    json: false,
    quiet: false,
    color: false,
    ascii: false,
    screenReader: false,
    readOnly: true,
    nonInteractive: false,
    yes: false,
    detach: false,
  });
});

test('the directory is --dir, then BIFRACT_DIR, then the default', async () => {
  assert.equal((await parse('status --dir /a', { BIFRACT_DIR: '/b' })).flags.dir, '/a');
  assert.equal((await parse('status', { BIFRACT_DIR: '/b' })).flags.dir, '/b');
  assert.equal((await parse('status', { BIFRACT_DIR: '' })).flags.dir, '/opt/bifract');
});

test('the flag forms of cron jobs equal their subcommands', async () => {
  const forms: [line: string, same: string][] = [
    ['--backup --dir /opt/bifract --non-interactive', 'backup --dir /opt/bifract --non-interactive'],
    ['--dir /opt/bifract --non-interactive --backup', 'backup --dir /opt/bifract --non-interactive'],
    ['--list-backups --dir /x', 'list backups --dir /x'],
    ['--restore --dir /x --restore-file F --non-interactive', 'restore F --dir /x --non-interactive'],
    ['--restore --restore-file=F --dir /x', 'restore F --dir /x'],
  ];
  for (const [line, same] of forms) {
    const [{ run: _, ...one }, { run: __, ...other }] = [await parse(line), await parse(same)];
    assert.deepEqual(one, other, line);
  }
  assert.equal((await parse(forms[0]?.[0] ?? '')).flags.nonInteractive, true);
});

test('flags can precede or follow the command', async () => {
  const [before, after] = [await parse('--json list fractals'), await parse('list fractals --json')];
  assert.deepEqual([before.input, before.flags], [after.input, after.flags]);
});

const RESTORE = {
  name: 'restore',
  file: 'F',
  owner: true,
  privileges: true,
  tablespaces: true,
  safetyBackup: true,
  dryRun: false,
};
const LIVE = { ...RESTORE, target: { kind: 'live' } };
const SEARCH = { name: 'search', targets: ['a'], count: false };

const CALLS: [line: string, call: object][] = [
  [
    'archive web-prod --no-fields',
    { name: 'archive', fractal: 'web-prod', fields: false, fresh: false, queue: false },
  ],
  [
    'archive web --parallel 16',
    { name: 'archive', fractal: 'web', fields: true, fresh: false, queue: false, parallel: 16 },
  ],
  ['list archives --fractal web', { name: 'list', what: 'archives', fractal: 'web' }],
  ['list orphans', { name: 'list', what: 'orphans' }],
  [
    'extract f.bifract-backup --manifest -o out',
    { name: 'extract', file: 'f.bifract-backup', output: 'out', part: 'manifest' },
  ],
  ['demo --exec true', { name: 'demo', exec: 'true', generation: 'today' }],
  ['show x', { name: 'show', target: 'x' }],
  ['verify a b --quick', { name: 'verify', targets: ['a', 'b'], quick: true }],
  ['verify --all', { name: 'verify', targets: 'all', quick: false }],
  ['search a b word', { ...SEARCH, targets: ['a', 'b'], pattern: { text: 'word' } }],
  ['search a /w+/i', { ...SEARCH, pattern: { regex: 'w+', flags: 'i' } }],
  ['search a /var/log/ --text', { ...SEARCH, pattern: { text: '/var/log/' } }],
  ['search a w+ --regex', { ...SEARCH, pattern: { regex: 'w+' } }],
  [
    'search a w --from 2026-03-01 --to 2026-03-01T12:00+01:00 --limit 5 --count',
    {
      ...SEARCH,
      pattern: { text: 'w' },
      from: '2026-03-01T00:00:00Z',
      to: '2026-03-01T11:00:00Z',
      limit: 5,
      count: true,
    },
  ],
  ['adopt', { name: 'adopt', files: [], dryRun: false, createFractals: false }],
  [
    'adopt x --dry-run --create-fractals',
    { name: 'adopt', files: ['x'], dryRun: true, createFractals: true },
  ],
  ['clean --dry-run', { name: 'clean', dryRun: true }],
  ['jobs', { name: 'jobs', all: false }],
  ['jobs --all', { name: 'jobs', all: true }],
  ['attach x', { name: 'attach', id: 'x' }],
  ['cancel x', { name: 'cancel', id: 'x' }],
  ['jobs move x first', { name: 'jobs', id: 'x', to: 'first' }],
  ['run-job x', { name: 'run-job', id: 'x' }],
  ['--restore --dir /x --restore-file F --non-interactive', LIVE],
  ['restore F --drill', { ...RESTORE, target: { kind: 'drill' } }],
  [
    'restore F --database other --no-owner --dry-run',
    { ...RESTORE, target: { kind: 'beside', database: 'other' }, owner: false, dryRun: true },
  ],
  [
    'restore F --no-safety-backup --end-sessions --no-stop-app',
    { ...LIVE, safetyBackup: false, endSessions: true, stopApp: false },
  ],
  [
    'restore-archive x --into web --replace --via ingest --from 2026-03-01 --parallel 3',
    {
      name: 'restore-archive',
      source: 'x',
      into: 'web',
      replace: true,
      via: 'ingest',
      parallel: 3,
      from: '2026-03-01T00:00:00Z',
      dryRun: false,
    },
  ],
  [
    'backup --prune --keep-daily 7 --metrics m --on-failure x',
    { name: 'backup', prune: { daily: 7 }, metrics: 'm', onFailure: 'x' },
  ],
  ['prune --keep-last 3 --dry-run', { name: 'prune', rule: { last: 3 }, dryRun: true }],
  ['key rotate', { name: 'key', what: 'rotate', dryRun: false }],
  ['init --dir /x', { name: 'init', newStorage: false }],
  ['run-due', { name: 'run-due', dryRun: false }],
  [
    'run-due --full --dry-run --metrics m --on-failure x',
    { name: 'run-due', mode: 'full', dryRun: true, metrics: 'm', onFailure: 'x' },
  ],
  ['run-due --incremental', { name: 'run-due', mode: 'incremental', dryRun: false }],
  ['coverage web --unit hour', { name: 'coverage', fractal: 'web', unit: 'hour' }],
  [
    'delete backup a b --last-backup',
    { name: 'delete', kind: 'backup', ids: ['a', 'b'], lastBackup: true, dryRun: false },
  ],
  ['delete group g --dry-run', { name: 'delete', kind: 'group', ids: ['g'], dryRun: true }],
  ['copy a --to s3 --move', { name: 'copy', targets: ['a'], to: 's3', move: true, dryRun: false }],
];

test('each command parses its own arguments', async () => {
  for (const [line, call] of CALLS) assert.deepEqual(await called(line), call, line);
});

test('arguments that are unknown, missing, malformed or contradictory are USAGE errors', () =>
  refuses([
    'nonsense',
    'help nonsense',
    'archive',
    '--wrong',
    'backup extra',
    '--backup --list-backups',
    'list',
    'list nothing',
    'extract f --raw --manifest',
    'verify',
    'verify --all x',
    'search x',
    'search',
    'show',
    'search a b --limit 0',
    'search a b --from x',
    'archive web --parallel 0',
    'archive web --parallel 2.5',
    'restore-archive x --parallel 0',
    'restore-archive x --parallel 17',
    'archive web --from 2026-03-02 --to 2026-03-01',
    'jobs move x sideways',
    'backup --prune',
    'prune --keep-last x',
    'prune --keep-last -1',
    'restore',
    'restore F --drill --database x',
    '--restore --dir /x',
    'key',
    'key steal',
    'run-due --full --incremental',
    'coverage',
    'coverage web --unit week',
    'copy a',
  ]));

test('an invalid time names its option', () => refuses(['archive web --to x'], { message: /--to: x/ }));

test('--detach runs a job in the background, if the command has nothing to do after it', async () => {
  assert.equal((await parse('archive web --detach')).flags.detach, true);
  assert.equal((await parse('--backup --detach')).flags.detach, true);
  await refuses([
    'status --detach',
    '--detach',
    'backup --detach --on-failure x',
    'backup --detach --prune --keep-last 1',
    'attach x --detach',
    'delete backup x --detach',
  ]);
});

async function helpOf(line: string): Promise<string> {
  const { name, input } = await parse(line);
  assert.equal(name, 'help', line);
  return (input as { text: string }).text;
}

test('--version prints the version', async () => {
  for (const line of ['--version', '-V']) assert.equal(await helpOf(line), '1.2.3\n');
});

test('the help of the program describes every command but the internal ones', async () => {
  for (const line of ['--help', '-h', 'help']) {
    const text = await helpOf(line);
    for (const name of Object.keys(COMMANDS))
      assert.match(text, new RegExp(`^ {2}${name} .*\\S{3}`, 'm'), name);
    assert.doesNotMatch(text, /run-job/);
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 80),
      [],
    );
  }
});

test('a command has help of its own', async () => {
  for (const line of ['archive --help', 'help archive']) {
    const text = await helpOf(line);
    assert.ok(text.includes('bifract archive [options] <fractal>') && text.includes('--fresh'), text);
  }
  assert.match(await helpOf('delete --help'), / backup .* archive .* group /s);
});

test('the help of a command that asks names --yes and the exit code without a terminal', async () => {
  for (const command of [
    'adopt',
    'clean',
    'copy',
    'delete backup',
    'delete archive',
    'delete group',
    'key rotate',
    'prune',
    'restore',
    'restore-archive',
  ])
    assert.match(await helpOf(`${command} --help`), /exits\swith\s2\b.*--yes/s, command);
});

test('short options equal the long ones', async () => {
  const { flags, input } = await parse('prune -q -y -n --keep-last 1');
  assert.deepEqual([flags.quiet, flags.yes, (input as { dryRun: boolean }).dryRun], [true, true, true]);
});

test('every command has the global options in its help', async () => {
  for (const command of [...Object.keys(COMMANDS), 'delete backup', 'key rotate']) {
    const text = await helpOf(`${command} -h`);
    assert.match(text, /--dir <dir>[\s\S]*--read-only/, command);
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 80),
      [],
      command,
    );
  }
});

test('the examples in the help can be typed as they are', async () => {
  for (const [name, examples] of Object.entries(EXAMPLES)) {
    const help = (await helpOf(`${name} --help`)).replace(/ \\\n +/g, ' ');
    for (const [purpose, line] of examples) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
      const call = await parseArguments(words.slice(1), { version: '1.2.3', env: {} });
      assert.deepEqual([words[0], call.name], ['bifract', name.split(' ')[0]], line);
      assert.ok(help.includes(`# ${purpose}\n  ${line}\n`), `${line}\n${help}`);
    }
  }
});

test('a mistyped command or option comes with the right one', async () => {
  const calls = { backups: 'backup', 'list archive': 'archives', 'backup --prunes': '--prune' };
  for (const [line, meant] of Object.entries(calls))
    await refuses([line], { hint: new RegExp(` ${meant}\\?`) });
});

test('a command group without a subcommand names its subcommands', async () => {
  for (const [line, message] of [
    ['list', /list.*backups.*fractals.*archives.*orphans/],
    ['--dir list key --json', /key.*show.*generate.*rotate/],
    ['delete', /delete.*backup.*archive.*group/],
  ] as const)
    await refuses([line], { message });
});

test('a USAGE error refers to the help of the command', async () => {
  const calls = {
    'archive --split day': 'bifract archive --help',
    'key rotate --no-such': 'bifract key rotate --help',
    'list no-such': 'bifract list --help',
    list: 'bifract list --help',
    'no-such': 'bifract --help',
    '--no-such': 'bifract --help',
  };
  for (const [line, help] of Object.entries(calls))
    await refuses([line], { hint: new RegExp(`\`${help}\``) });
});
