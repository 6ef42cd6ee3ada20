// cspell:disable: names of PostgreSQL's types and catalogs
/** SQL that creates tables with values of every type, and tables whose columns were changed. */
export const EVERY_TYPE_SQL = `CREATE TABLE every_type AS SELECT
  makeaclitem(0, 10, 'SELECT', false) AS aclitem, B'101'::bit(3) AS bit, true AS bool, box '((0,0.1),(1,2))' AS box,
  bpchar 'a ' AS bpchar, bytea '\\x005cff0a09' AS bytea, '\\'::"char" AS "char", '7'::cid AS cid, cidr '10.0.0.0/8' AS cidr,
  circle '<(0.1,2),3>' AS circle, date '2026-02-01' AS date, datemultirange '{[2026-01-01,2026-02-03)}' AS datemultirange,
  daterange '[2026-01-02,2026-02-03)' AS daterange, float4 '0.1' AS float4, float8 '0.1' + float8 '0.2' AS float8,
  inet '::1/64' AS inet, int2 '-1' AS int2, int2vector '1 2' AS int2vector, 2 AS int4, int4multirange '{[1,2)}' AS int4multirange,
  int4range '[1,2)' AS int4range, int8 '9007199254740993' AS int8, int8multirange '{[1,2)}' AS int8multirange,
  int8range '(,2)' AS int8range, interval '-1 mon 2 days 3:04:05.6' AS interval, json '{"a" : "\\u00e9"}' AS json,
  jsonb '{"a": "b\\\\c\\n", "d": 0.10}' AS jsonb, jsonpath '$.a ? (@ > 1)' AS jsonpath, line '{1,2,3}' AS line,
  lseg '[(0,0),(1,1)]' AS lseg, macaddr '08:00:2b:01:02:03' AS macaddr, macaddr8 '08:00:2b:01:02:03:04:05' AS macaddr8,
  money '-1234.56' AS money, name 'name' AS name, numeric 'NaN' AS numeric, nummultirange '{[0.1,0.20]}' AS nummultirange,
  numrange '[0.1,0.20]' AS numrange, oid '4294967295' AS oid, oidvector '1 2' AS oidvector, path '[(0,0.1),(1,1)]' AS path,
  pg_lsn '16/B374D848' AS pg_lsn, pg_snapshot '10:20:10,14' AS pg_snapshot, point '(0.1,-0)' AS point,
  polygon '((0,0),(1,0.1),(1,1))' AS polygon, refcursor 'cursor' AS refcursor, regclass 'pg_catalog.pg_class' AS regclass,
  regcollation 'pg_catalog."C"' AS regcollation, regconfig 'pg_catalog.english' AS regconfig,
  regdictionary 'pg_catalog.simple' AS regdictionary, regnamespace 'public' AS regnamespace, regoper 'pg_catalog.||/' AS regoper,
  regoperator '+(int4,int4)' AS regoperator, regproc 'pg_catalog.now' AS regproc,
  regprocedure 'pg_catalog.abs(numeric)' AS regprocedure, current_user::regrole AS regrole, regtype 'timestamptz' AS regtype,
  text E'tab\\t, newline\\n, return\\r, backslash \\\\, \\\\. \\\\N' AS text, tid '(1,2)' AS tid, time '12:34:56.789' AS time,
  timestamp '2026-03-01 12:00:00.123456' AS timestamp, timestamptz '2026-03-01 12:00:00.5+02' AS timestamptz,
  timetz '12:00+02' AS timetz, tsmultirange '{[2026-01-01,2026-02-03)}' AS tsmultirange,
  tsquery 'a & !b' AS tsquery, tsrange '[2026-01-01 10:00,infinity)' AS tsrange,
  tstzmultirange '{[2026-01-01 10:00+05,2026-02-03 10:00Z)}' AS tstzmultirange,
  tstzrange '[2026-01-01 10:00+05,)' AS tstzrange, tsvector 'a:1 b:2A' AS tsvector, txid_snapshot '10:20:10,14' AS txid_snapshot,
  uuid '11111111-2222-4333-8444-555555555555' AS uuid, B'1011'::varbit AS varbit, varchar 'v' AS varchar, xid '1' AS xid,
  xid8 '2' AS xid8, xml '<a b="c">&lt;</a>' AS xml;
  CREATE TABLE lists AS SELECT ARRAY[timestamptz '2026-03-01Z', NULL] AS times, ARRAY[interval '1 day 2:00'] AS spans,
    ARRAY[bytea '\\x00', '\\x5c'] AS bytes, ARRAY[[0.1::float4, 'NaN'], ['-infinity', 1e30]] AS floats,
    ARRAY['a,b', NULL, '"', '\\'] AS texts;
  CREATE TABLE changed (a int, gone text, b int GENERATED ALWAYS AS (a * 2) STORED, c text DEFAULT 'old');
  INSERT INTO changed (a, gone) SELECT i, 'gone' FROM generate_series(1, 100) i;
  ALTER TABLE changed DROP COLUMN gone, ADD COLUMN later timestamptz DEFAULT '2026-03-01 12:00+02';
  UPDATE changed SET c = E'new \\\\ \\t' WHERE a % 3 = 0;
  CREATE TABLE nothing_left (a int); INSERT INTO nothing_left VALUES (1), (2); ALTER TABLE nothing_left DROP COLUMN a;
  CREATE TABLE only_generated (b int GENERATED ALWAYS AS (1) STORED); INSERT INTO only_generated VALUES (DEFAULT);`;

/** SQL that names the types of the server that are not in them, save those without a way to enter a value. */
export const MISSING_TYPES_SQL = `SELECT typname AS name FROM pg_type
  WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A'
    AND typname !~ '^(gtsvector|pg_(brin_bloom_summary|brin_minmax_multi_summary|dependencies|mcv_list|ndistinct|node_tree))$'
    AND oid NOT IN (SELECT atttypid FROM pg_attribute WHERE attrelid = 'every_type'::regclass AND attnum > 0)`;
