/** SQL that creates every kind of object that PostgreSQL dumps, with unusual names. A restore must reproduce them exactly. */
export const TABLES_SQL = `
CREATE SCHEMA "Odd ""schema"" ü";
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy ☃');
CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE pair AS (a int, b text);
CREATE SEQUENCE counter START 100 INCREMENT 7 CACHE 5;
SELECT nextval('counter'), nextval('counter');
CREATE FUNCTION half(n int) RETURNS int LANGUAGE sql IMMUTABLE AS $f$ SELECT n / 2 $f$;
CREATE TABLE "Odd ""schema"" ü"."table' with $ and ""quotes""" (
  id bigint GENERATED ALWAYS AS IDENTITY (START 5) PRIMARY KEY,
  old serial UNIQUE, "select" mood DEFAULT 'sad', share percent NOT NULL DEFAULT 5,
  doubled int GENERATED ALWAYS AS (share * 2) STORED, p pair, raw bytea, doc jsonb, tags text[],
  at timestamptz DEFAULT '2026-03-01 12:00+02', span tstzrange, EXCLUDE USING gist (span WITH &&)
);
INSERT INTO "Odd ""schema"" ü"."table' with $ and ""quotes""" ("select", share, p, raw, doc, tags, span)
  SELECT 'happy ☃', i % 100, (i, E'tab\\t nl\\n back\\\\ null \\\\N')::pair, decode(md5(i::text), 'hex'),
    jsonb_build_object('n', i, 'text', repeat('é', i % 50)), ARRAY['a,b', NULL, '"'],
    tstzrange(timestamptz '2026-01-01Z' + i * interval '1 hour', timestamptz '2026-01-01Z' + (i + 1) * interval '1 hour', '[)')
  FROM generate_series(1, 500) i;
CREATE TABLE parted (at date NOT NULL, n int, PRIMARY KEY (at, n)) PARTITION BY RANGE (at);
CREATE TABLE parted_jan PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE parted_rest PARTITION OF parted DEFAULT PARTITION BY HASH (n);
CREATE TABLE parted_rest_0 PARTITION OF parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_rest_1 PARTITION OF parted_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT date '2026-01-01' + i, i FROM generate_series(0, 90) i;
CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO child SELECT i, i FROM generate_series(1, 10) i;
CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self DEFERRABLE INITIALLY DEFERRED);
INSERT INTO self VALUES (1, 2), (2, 1);
CREATE UNLOGGED TABLE fleeting (x int); INSERT INTO fleeting VALUES (1);
CREATE TABLE "no columns" ();
CREATE VIEW halves AS SELECT n, half(n) AS h FROM parted;
`;

/** SQL for the objects that depend on those. */
export const DEPENDENT_OBJECTS_SQL = `
CREATE VIEW checked AS SELECT * FROM self WHERE id > 0 WITH LOCAL CHECK OPTION;
CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS rows, sum(n) AS sum FROM parted;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE INDEX parted_half ON parted (half(n)) WHERE n > 3;
CREATE STATISTICS parted_stats ON at, n FROM parted;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := NEW.n + 1000; RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON parted FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER asleep BEFORE UPDATE ON self FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE self DISABLE TRIGGER asleep;
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE RULE quiet AS ON DELETE TO parent DO INSTEAD NOTHING;
ALTER TABLE self ENABLE ROW LEVEL SECURITY; ALTER TABLE self FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON self FOR SELECT TO PUBLIC USING (id = 1);
GRANT SELECT (id) ON self TO pg_monitor WITH GRANT OPTION; GRANT USAGE ON SCHEMA "Odd ""schema"" ü" TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor;
REVOKE EXECUTE ON FUNCTION half(int) FROM PUBLIC;
COMMENT ON TABLE parted IS E'a comment with ''quotes''\\nand ☃'; COMMENT ON COLUMN self.up IS 'up';
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
CREATE TABLE words (w text COLLATE german); INSERT INTO words VALUES ('ä'), ('z');
CREATE PUBLICATION everyone FOR TABLE parent;
CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION noticed();
SELECT lo_from_bytea(424242, decode(repeat('00ff27', 5000), 'hex')); COMMENT ON LARGE OBJECT 424242 IS 'blob';
`;
