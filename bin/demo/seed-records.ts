import type { LogKind } from './seed-rows.ts';

/** A fractal of the demo and its number of rows. */
export interface DemoFractal {
  id: string;
  name: string;
  description: string;
  kind: LogKind;
  rows: number;
  is_default?: boolean;
  is_system?: boolean;
  archive_schedule?: 'daily' | 'weekly' | 'monthly';
  archive_split?: 'hour' | 'day' | 'week';
  retention_days?: number;
  max_archives?: number;
}

const id = (number: number): string => `b1f7ac70-0000-4000-8000-${String(number).padStart(12, '0')}`;

export const DEMO_FRACTALS: DemoFractal[] = [
  {
    id: id(1),
    name: 'default',
    description: 'Whatever has no place of its own',
    kind: 'mixed',
    rows: 20_000,
    is_default: true,
  },
  {
    id: id(2),
    name: 'web-prod',
    description: 'Access logs of the shop',
    kind: 'web',
    rows: 300_000,
    archive_schedule: 'daily',
    archive_split: 'day',
    retention_days: 90,
    max_archives: 30,
  },
  {
    id: id(3),
    name: 'syslog',
    description: 'Linux hosts: sshd, sudo, kernel',
    kind: 'syslog',
    rows: 30_000,
    archive_schedule: 'weekly',
    retention_days: 365,
  },
  {
    id: id(4),
    name: 'windows-events',
    description: 'Domain controllers and workstations',
    kind: 'windows',
    rows: 20_000,
    archive_schedule: 'weekly',
    archive_split: 'week',
    max_archives: 12,
  },
  {
    id: id(5),
    name: 'payments-json',
    description: 'Payment service, structured – Größe, 日本語, 🚚',
    kind: 'json',
    rows: 15_000,
    archive_schedule: 'monthly',
    archive_split: 'hour',
  },
  { id: id(6), name: 'staging', description: 'Nothing has arrived here yet', kind: 'mixed', rows: 0 },
  {
    id: id(7),
    name: 'system',
    description: 'What Bifract itself does',
    kind: 'json',
    rows: 2_000,
    is_system: true,
  },
];

const PEOPLE = `
  INSERT INTO users (username, display_name, password_hash, is_admin, preferences, created_at, last_login)
  SELECT name, initcap(name), '$2b$12$' || md5(name) || left(md5(name || '!'), 21), name = 'admin',
    jsonb_build_object('theme', CASE WHEN length(name) > 4 THEN 'dark' ELSE 'light' END, 'timezone', 'Europe/Berlin'),
    now() - interval '200 days', now() - interval '3 hours'
  FROM unnest(ARRAY['admin', 'alice', 'bob', 'carol', 'ingest']) AS name;

  INSERT INTO sessions
  SELECT sha256(convert_to(username, 'UTF8')), username, now() - interval '1 hour', now() + interval '7 days' FROM users;

  INSERT INTO settings (name, value, updated_by) VALUES
    ('instance.name', '"Demo"', 'admin'),
    ('retention.default_days', '90', 'admin'),
    ('smtp', '{"host": "mail.example.com", "port": 587, "tls": true, "from": "bifract@example.com"}', 'admin'),
    ('features', '["archives", "alerts", "notebooks"]', NULL);`;

const ACCESS = `
  INSERT INTO fractal_permissions (fractal_id, username, role)
  SELECT f.id, u.username, CASE WHEN u.username = 'alice' THEN 'admin' ELSE 'analyst' END
  FROM fractals f, users u WHERE NOT f.is_system AND u.username IN ('alice', 'bob', 'carol');

  INSERT INTO ingest_tokens (fractal_id, name, token_value, parser_type, is_default, is_active, created_by, last_used_at)
  SELECT f.id, 'collector ' || n, 'demo_' || md5(f.name || n), CASE WHEN f.name IN ('syslog', 'web-prod') THEN 'kv' ELSE 'json' END,
    n = 1, n = 1, 'admin', CASE WHEN n = 1 THEN now() - interval '1 minute' END
  FROM fractals f, generate_series(1, 2) AS n;

  INSERT INTO api_keys (username, fractal_id, key_hash, scopes, expires_at)
  SELECT 'alice', id, sha256(convert_to(name, 'UTF8')), ARRAY['search', 'alerts'], now() + interval '1 year' FROM fractals;`;

const WORK = `
  INSERT INTO saved_queries (fractal_id, name, query_text, tags, created_by)
  SELECT f.id, q.name, q.text, q.tags, 'bob' FROM fractals f, (VALUES
    ('Failed logins', 'raw_log=/failed (password|logon)/i | count() by user', ARRAY['auth']),
    ('Server errors', 'status>=500 | timechart(1h)', ARRAY['web', 'sla']),
    (E'It''s "quoted", tab\\there', E'msg="Größe" \\\\ path', '{}'::text[])) AS q(name, text, tags);

  INSERT INTO alerts (fractal_id, name, query_text, severity, condition, created_by)
  SELECT f.id, a.name || ' in ' || f.name, a.text, a.severity,
    jsonb_build_object('threshold', a.severity * 10, 'window', '5m', 'notify', jsonb_build_array('mail', 'webhook')), 'carol'
  FROM fractals f, (VALUES ('Brute force', 'EventID=4625 OR raw_log=/Failed password/', 4), ('Too quiet', '* | count()', 2)) AS a(name, text, severity);

  INSERT INTO alert_executions (alert_id, executed_at, matches, duration_ms, sample)
  SELECT a.id, now() - n * interval '30 minutes', n % 7, 1.5 + n % 90,
    CASE WHEN n % 7 > 5 THEN jsonb_build_object('ip', '10.0.0.' || n % 255, 'count', n) END
  FROM alerts a, generate_series(1, 300) AS n;

  INSERT INTO notebooks (fractal_id, title, cells, created_by)
  SELECT id, 'Investigation of ' || name,
    jsonb_build_array(jsonb_build_object('type', 'markdown', 'text', '# Findings – ' || name), jsonb_build_object('type', 'query', 'text', '* | head 10')), 'alice'
  FROM fractals;

  INSERT INTO attachments (notebook_id, filename, content)
  SELECT id, 'capture.bin', (SELECT string_agg(sha256(convert_to(title || n, 'UTF8')), ''::bytea) FROM generate_series(1, 8000) AS n)
  FROM notebooks;

  INSERT INTO comments (fractal_id, log_id, log_timestamp, body, author)
  SELECT f.id, md5(n::text) , now() - n * interval '1 hour', E'Seen before, see case #' || n || E'\\n🙂', 'bob'
  FROM fractals f, generate_series(1, 40) AS n;

  REFRESH MATERIALIZED VIEW alert_activity;`;

/** All other records, to insert before and after the fractals. */
export const RECORDS_BEFORE = PEOPLE;
export const RECORDS_AFTER = ACCESS + WORK;
