import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NeedsCollector, type NeedyEntry } from '../../../../src/core/format/dump/dump-needs.ts';

function needsOf(...entries: Partial<NeedyEntry>[]) {
  const collector = new NeedsCollector();
  for (const entry of entries)
    collector.add({ description: '', tag: '', tablespace: '', owner: '', definition: '', ...entry });
  return collector.needs();
}

test('roles are read from every form of a grant, whatever their names', () => {
  const { grantees, grantors } = needsOf(
    {
      description: 'ACL',
      owner: 'not needed: privileges have no owner of their own',
      definition: `REVOKE ALL ON FUNCTION s."to x FROM y"(a integer, "TO" interval day to second) FROM PUBLIC;
SET SESSION AUTHORIZATION "gra ""n"" tor";
GRANT SELECT("TO"),INSERT(b) ON TABLE public."t ; TO nobody" TO "a, b" WITH GRANT OPTION;
RESET SESSION AUTHORIZATION;
GRANT ALL ON FUNCTION s.f(a interval day to second, b integer) TO caller;
GRANT ALL ON SCHEMA public TO plain_role,"Second";
GRANT USAGE ON SCHEMA s TO GROUP staff;`,
    },
    {
      description: 'DEFAULT ACL',
      definition: `ALTER DEFAULT PRIVILEGES FOR ROLE "for me" IN SCHEMA s REVOKE ALL ON TABLES  FROM "ex";
ALTER DEFAULT PRIVILEGES FOR ROLE other GRANT SELECT ON TABLES  TO PUBLIC;`,
    },
    { description: 'ACL LANGUAGE', definition: 'GRANT ALL ON LANGUAGE plpgsql TO lang;' },
  );
  assert.deepEqual(grantees, ['Second', 'a, b', 'caller', 'ex', 'lang', 'plain_role', 'staff']);
  assert.deepEqual(grantors, ['for me', 'gra "n" tor', 'other']);
});

test('policies and user mappings name roles; expressions do not', () => {
  const { policy_roles, owners } = needsOf(
    {
      description: 'POLICY',
      owner: 'o',
      definition: `CREATE POLICY "p TO q" ON s.t FOR SELECT TO one, "Two" USING ((x = ' TO three'::text)) WITH CHECK (true);`,
    },
    {
      description: 'POLICY',
      definition: `CREATE POLICY p ON t USING ((d = E'\\\\ TO x' AND (e)::interval day to second > f));`,
    },
    {
      description: 'USER MAPPING',
      definition: `CREATE USER MAPPING FOR "m 1" SERVER s OPTIONS (password 'FOR z');`,
    },
    { description: 'USER MAPPING', definition: 'CREATE USER MAPPING FOR PUBLIC SERVER s;' },
  );
  assert.deepEqual(policy_roles, ['Two', 'm 1', 'one']);
  assert.deepEqual(owners, ['o']);
});

test('libraries of functions in C are found, and not those that a body mentions', () => {
  const { libraries, tablespaces, extensions } = needsOf(
    {
      description: 'FUNCTION',
      definition: `CREATE FUNCTION s.f(a int) RETURNS int\n    LANGUAGE c IMMUTABLE STRICT\n    SET work_mem TO '1MB'\n    AS '$libdir/it''s', 'f';\n`,
    },
    {
      description: 'FUNCTION',
      definition: `CREATE FUNCTION g() RETURNS int\n    LANGUAGE sql\n    AS $$\n    LANGUAGE c\n    AS 'no', $$;`,
    },
    { description: 'INDEX', tablespace: 'fast "disk"' },
    { description: 'EXTENSION', tag: 'uuid-ossp' },
  );
  assert.deepEqual([libraries, tablespaces, extensions], [["$libdir/it's"], ['fast "disk"'], ['uuid-ossp']]);
});
