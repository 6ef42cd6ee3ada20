import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from '../../bin/arguments.ts';
import { BifractError } from '../../src/core/contract/errors.ts';

function parse(line: string): object {
  const { flags: _, ...rest } = parseArguments(line.split(' '), { version: '1', env: {} });
  return rest;
}

test('restore parses the flag form of cron jobs, targets and consents', () => {
  const plain = {
    command: 'restore',
    file: 'F',
    target: { kind: 'live' },
    no_owner: false,
    safety_backup: true,
    end_sessions: undefined,
    stop_app: undefined,
    dry_run: false,
  };
  assert.deepEqual(parse('--restore --dir /x --restore-file F --non-interactive'), plain);
  assert.deepEqual(parse('restore F --drill'), { ...plain, target: { kind: 'drill' } });
  assert.deepEqual(parse('restore F --database other --no-owner --dry-run'), {
    ...plain,
    target: { kind: 'beside', database: 'other' },
    no_owner: true,
    dry_run: true,
  });
  assert.deepEqual(parse('restore F --no-safety-backup --end-sessions --no-stop-app'), {
    ...plain,
    safety_backup: false,
    end_sessions: true,
    stop_app: false,
  });
});

test('backup, prune, key and init parse their options', () => {
  const none = { last: undefined, daily: undefined, weekly: undefined, monthly: undefined };
  assert.deepEqual(parse('backup --prune --keep-daily 7 --metrics m --on-failure x'), {
    command: 'backup',
    prune: { ...none, daily: 7 },
    metrics: 'm',
    on_success: undefined,
    on_failure: 'x',
  });
  assert.deepEqual(parse('prune --keep-last 3 --dry-run'), {
    command: 'prune',
    rule: { ...none, last: 3 },
    dry_run: true,
  });
  assert.deepEqual(parse('key rotate'), { command: 'key', what: 'rotate', dry_run: false });
  assert.deepEqual(parse('init --dir /x'), { command: 'init' });
});

test('run-due and coverage parse their options', () => {
  const plain = {
    command: 'run-due',
    mode: undefined,
    dry_run: false,
    metrics: undefined,
    on_success: undefined,
    on_failure: undefined,
  };
  assert.deepEqual(parse('run-due'), plain);
  assert.deepEqual(parse('run-due --full --dry-run --metrics m --on-failure x'), {
    ...plain,
    mode: 'full',
    dry_run: true,
    metrics: 'm',
    on_failure: 'x',
  });
  assert.deepEqual(parse('run-due --incremental'), { ...plain, mode: 'incremental' });
  assert.deepEqual(parse('coverage web --unit hour'), { command: 'coverage', fractal: 'web', unit: 'hour' });
  for (const line of ['run-due --full --incremental', 'coverage', 'coverage web --unit week']) {
    assert.throws(() => parse(line), BifractError, line);
  }
});

test('options that are missing, malformed or contradictory are USAGE errors', () => {
  for (const line of [
    'backup --prune',
    'prune --keep-last x',
    'prune --keep-last -1',
    'restore',
    'restore F --drill --database x',
    '--restore --dir /x',
    'key',
    'key steal',
  ]) {
    assert.throws(
      () => parse(line),
      (error) => error instanceof BifractError && error.code === 'USAGE',
      line,
    );
  }
});
