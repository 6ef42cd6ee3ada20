import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Invocation, parseArguments } from '../../bin/arguments.ts';
import { BifractError } from '../../src/core/contract/errors.ts';

function parse(line: string, env: NodeJS.ProcessEnv = {}): Invocation {
  return parseArguments(line.split(' ').filter(Boolean), { version: '1.2.3', env });
}

function withoutFlags({ flags: _, ...rest }: Invocation): object {
  return rest;
}

test('without a command, the console opens', () => {
  const { command, flags } = parse('--dir /srv/x --read-only --no-color');
  assert.equal(command, 'console');
  assert.deepEqual(flags, {
    dir: '/srv/x',
    json: false,
    quiet: false,
    color: false,
    readOnly: true,
    nonInteractive: false,
    yes: false,
    detach: false,
  });
});

test('the directory is --dir, then BIFRACT_DIR, then the default', () => {
  assert.equal(parse('status --dir /a', { BIFRACT_DIR: '/b' }).flags.dir, '/a');
  assert.equal(parse('status', { BIFRACT_DIR: '/b' }).flags.dir, '/b');
  assert.equal(parse('status', { BIFRACT_DIR: '' }).flags.dir, '/opt/bifract');
});

test('the flag forms of cron jobs equal their subcommands', () => {
  const forms: [line: string, same: string][] = [
    ['--backup --dir /opt/bifract --non-interactive', 'backup --dir /opt/bifract --non-interactive'],
    ['--dir /opt/bifract --non-interactive --backup', 'backup --dir /opt/bifract --non-interactive'],
    ['--list-backups --dir /x', 'list backups --dir /x'],
  ];
  for (const [line, same] of forms) assert.deepEqual(parse(line), parse(same), line);
  assert.equal(parse(forms[0]?.[0] ?? '').flags.nonInteractive, true);
});

test('flags can precede or follow the command', () => {
  assert.deepEqual(parse('--json list fractals'), parse('list fractals --json'));
});

test('each command parses its own arguments', () => {
  assert.deepEqual(withoutFlags(parse('archive web-prod --no-fields')), {
    command: 'archive',
    fractal: 'web-prod',
    fields: false,
    split: undefined,
    from: undefined,
    to: undefined,
    fresh: false,
  });
  assert.deepEqual(withoutFlags(parse('list archives --fractal web')), {
    command: 'list',
    what: 'archives',
    fractal: 'web',
  });
  assert.deepEqual(withoutFlags(parse('extract f.bifract-backup --manifest -o out')), {
    command: 'extract',
    file: 'f.bifract-backup',
    output: 'out',
    part: 'manifest',
  });
  assert.deepEqual(withoutFlags(parse('demo --exec true')), { command: 'demo', exec: 'true' });
});

test('--help and --version return text', () => {
  const version = parse('--version');
  assert.deepEqual(withoutFlags(version), { command: 'text', text: '1.2.3\n' });
  const help = parse('archive --help');
  assert.ok(help.command === 'text' && help.text.includes('bifract archive [options] <fractal>'));
});

test('unknown commands, options and operands are USAGE errors', () => {
  for (const line of [
    'nonsense',
    'archive',
    '--wrong',
    'backup extra',
    '--backup --list-backups',
    'list',
    'list nothing',
    'extract f --raw --manifest',
  ]) {
    assert.throws(
      () => parse(line),
      (error) => error instanceof BifractError && error.code === 'USAGE' && error.exitCode === 2,
      line,
    );
  }
});

test('commands on files parse their arguments', () => {
  const none = { from: undefined, to: undefined, limit: undefined, count: false };
  const cases: [line: string, invocation: object][] = [
    ['show x', { command: 'show', target: 'x' }],
    ['verify a b --quick', { command: 'verify', targets: ['a', 'b'], quick: true }],
    ['verify --all', { command: 'verify', targets: 'all', quick: false }],
    ['search a b word', { command: 'search', targets: ['a', 'b'], pattern: { text: 'word' }, ...none }],
    ['search a /w+/i', { command: 'search', targets: ['a'], pattern: { regex: 'w+', flags: 'i' }, ...none }],
    [
      'search a /var/log/ --text',
      { command: 'search', targets: ['a'], pattern: { text: '/var/log/' }, ...none },
    ],
    ['search a w+ --regex', { command: 'search', targets: ['a'], pattern: { regex: 'w+' }, ...none }],
    [
      'search a w --from 2026-03-01 --to 2026-03-01T12:00+01:00 --limit 5 --count',
      {
        command: 'search',
        targets: ['a'],
        pattern: { text: 'w' },
        from: '2026-03-01T00:00:00Z',
        to: '2026-03-01T11:00:00Z',
        limit: 5,
        count: true,
      },
    ],
    ['adopt', { command: 'adopt', files: [], dry_run: false, create_fractals: false }],
    [
      'adopt x --dry-run --create-fractals',
      { command: 'adopt', files: ['x'], dry_run: true, create_fractals: true },
    ],
    ['clean --dry-run', { command: 'clean', dry_run: true }],
    ['list orphans', { command: 'list', what: 'orphans' }],
  ];
  for (const [line, invocation] of cases) assert.deepEqual(withoutFlags(parse(line)), invocation, line);
});

test('missing and contradictory arguments of commands on files are USAGE errors', () => {
  const lines = [
    'verify',
    'verify --all x',
    'search x',
    'search',
    'show',
    'search a b --limit 0',
    'search a b --from x',
  ];
  for (const line of lines) assert.throws(() => parse(line), { code: 'USAGE' }, line);
});

test('job commands and --detach are parsed', () => {
  assert.deepEqual(withoutFlags(parse('jobs')), { command: 'jobs', all: false });
  assert.deepEqual(withoutFlags(parse('jobs --all')), { command: 'jobs', all: true });
  assert.deepEqual(withoutFlags(parse('attach x')), { command: 'attach', job: 'x' });
  assert.deepEqual(withoutFlags(parse('cancel x')), { command: 'cancel', job: 'x' });
  assert.equal(parse('archive web --detach').flags.detach, true);
  assert.equal(parse('--backup --detach').flags.detach, true);
  for (const line of ['status --detach', '--detach', 'backup --detach --on-failure x', 'attach x --detach']) {
    assert.throws(() => parse(line), { code: 'USAGE' }, line);
  }
  const { text } = parse('--help') as { text?: string };
  assert.doesNotMatch(text ?? '', /run-job/);
});

test('a command group without a subcommand names its subcommands', () => {
  for (const [line, names] of [
    ['list', /list.*backups.*fractals.*archives.*orphans/],
    ['--dir list key --json', /key.*show.*generate.*rotate/],
    ['delete', /delete.*backup.*archive.*group/],
  ] as const)
    assert.throws(
      () => parse(line),
      (error: unknown) =>
        error instanceof BifractError && error.code === 'USAGE' && names.test(error.message),
    );
});

test('a USAGE error refers to the help of the command', () => {
  const calls = {
    'archive --split day': 'bifract archive --help',
    'key rotate --no-such': 'bifract key rotate --help',
    'list no-such': 'bifract list --help',
    list: 'bifract list --help',
    'no-such': 'bifract --help',
    '--no-such': 'bifract --help',
  };
  for (const [line, help] of Object.entries(calls))
    assert.throws(() => parse(line), { code: 'USAGE', hint: new RegExp(`\`${help}\``) }, line);
});
