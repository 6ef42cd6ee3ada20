import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../src/core/contract/errors.ts';
import { withAudit } from '../../../src/core/job/audited.ts';
import type { AuditEntry } from '../../../src/core/ports/audit.ts';
import { addSecrets } from '../../../src/core/text/mask.ts';
import { jobContext } from '../../helpers/fake-ports.ts';

test('no line of the audit log has a secret', async () => {
  const secret = 'audit-0Secret-value';
  addSecrets([secret]);
  const entries: AuditEntry[] = [];
  const audit = {
    append: async (entry: AuditEntry) => {
      entries.push(entry);
    },
  };
  const text = `x ${secret} http://u:${secret}@h`;
  const job = { kind: 'delete', title: text, what: [text] };
  const running = withAudit(audit, job, jobContext(), async ({ emit }) => {
    emit('job:item', { item: text, ok: false, message: text });
    throw new BifractError('BUSY', text, { hint: text });
  });
  await assert.rejects(running, ({ message, hint }: BifractError) => !`${message}${hint}`.includes(secret));
  assert.equal(entries.length, 2);
  assert.ok(!JSON.stringify(entries).includes(secret));
  assert.equal(entries[0]?.what?.[0], 'x *** http://u:***@h');
});
