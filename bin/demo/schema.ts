/** The tables of an installation: those this program uses, and enough others for a realistic backup. */

const ACCOUNTS = `
  CREATE TABLE users (
    username varchar(50) PRIMARY KEY,
    display_name varchar(100),
    password_hash varchar(255) NOT NULL,
    is_admin boolean NOT NULL DEFAULT false,
    preferences jsonb NOT NULL DEFAULT '{}',
    created_at timestamp NOT NULL DEFAULT now(),
    last_login timestamp
  );

  CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    username varchar(50) NOT NULL REFERENCES users(username) ON DELETE CASCADE,
    created_at timestamp NOT NULL DEFAULT now(),
    expires_at timestamp NOT NULL
  );
  CREATE INDEX sessions_expiry ON sessions (expires_at);

  CREATE TABLE settings (
    name varchar(100) PRIMARY KEY,
    value jsonb NOT NULL,
    updated_by varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    updated_at timestamp NOT NULL DEFAULT now()
  );`;

const FRACTALS = `
  CREATE TABLE fractals (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(100) NOT NULL UNIQUE,
    description text,
    is_default boolean NOT NULL DEFAULT false,
    is_system boolean NOT NULL DEFAULT false,
    created_by varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    log_count bigint NOT NULL DEFAULT 0,
    size_bytes bigint NOT NULL DEFAULT 0,
    earliest_log timestamp,
    latest_log timestamp,
    retention_days integer,
    archive_schedule varchar(20) NOT NULL DEFAULT 'never',
    max_archives integer,
    archive_split varchar(10) NOT NULL DEFAULT 'none',
    disk_quota_bytes bigint,
    disk_quota_action varchar(10) NOT NULL DEFAULT 'reject',
    CHECK (archive_schedule IN ('never', 'daily', 'weekly', 'monthly')),
    CHECK (archive_split IN ('none', 'hour', 'day', 'week'))
  );
  CREATE UNIQUE INDEX fractals_one_default ON fractals (is_default) WHERE is_default;

  CREATE TABLE fractal_permissions (
    id serial PRIMARY KEY,
    fractal_id uuid NOT NULL REFERENCES fractals(id) ON DELETE CASCADE,
    username varchar(50) NOT NULL REFERENCES users(username) ON DELETE CASCADE,
    role varchar(20) NOT NULL DEFAULT 'viewer' CHECK (role IN ('viewer', 'analyst', 'admin')),
    UNIQUE (fractal_id, username)
  );

  CREATE TABLE ingest_tokens (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fractal_id uuid NOT NULL REFERENCES fractals(id) ON DELETE CASCADE,
    name varchar(100) NOT NULL,
    token_value varchar(128) NOT NULL UNIQUE,
    parser_type varchar(20) NOT NULL DEFAULT 'json',
    is_active boolean NOT NULL DEFAULT true,
    is_default boolean NOT NULL DEFAULT false,
    log_count bigint NOT NULL DEFAULT 0,
    created_by varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    last_used_at timestamp
  );

  CREATE TABLE api_keys (
    id serial PRIMARY KEY,
    username varchar(50) NOT NULL REFERENCES users(username) ON DELETE CASCADE,
    fractal_id uuid REFERENCES fractals(id) ON DELETE CASCADE,
    key_hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL DEFAULT '{search}',
    expires_at timestamp,
    created_at timestamp NOT NULL DEFAULT now()
  );`;

const ARCHIVES = `
  CREATE TABLE archive_groups (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fractal_id uuid NOT NULL REFERENCES fractals(id) ON DELETE CASCADE,
    split_granularity varchar(10) NOT NULL DEFAULT 'none',
    status varchar(20) NOT NULL DEFAULT 'in_progress',
    error_message text,
    total_log_count bigint NOT NULL DEFAULT 0,
    total_size_bytes bigint NOT NULL DEFAULT 0,
    archive_count integer NOT NULL DEFAULT 0,
    completed_count integer NOT NULL DEFAULT 0,
    archive_type varchar(20) NOT NULL DEFAULT 'adhoc',
    created_by varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    created_at timestamp NOT NULL DEFAULT now()
  );
  CREATE INDEX archive_groups_fractal ON archive_groups (fractal_id, created_at DESC);

  CREATE TABLE archives (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fractal_id uuid NOT NULL REFERENCES fractals(id) ON DELETE CASCADE,
    filename varchar(255) NOT NULL,
    storage_type varchar(20) NOT NULL DEFAULT 'disk',
    storage_path text NOT NULL,
    size_bytes bigint NOT NULL DEFAULT 0,
    log_count bigint NOT NULL DEFAULT 0,
    time_range_start timestamp,
    time_range_end timestamp,
    status varchar(20) NOT NULL DEFAULT 'in_progress',
    error_message text,
    created_by varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    archive_type varchar(20) NOT NULL DEFAULT 'adhoc',
    format_version integer NOT NULL DEFAULT 1,
    archive_end_ts timestamp,
    cursor_ts timestamp,
    cursor_id text NOT NULL DEFAULT '',
    checksum text,
    restore_lines_sent bigint NOT NULL DEFAULT 0,
    restore_error text,
    group_id uuid REFERENCES archive_groups(id) ON DELETE CASCADE,
    period_label varchar(30)
  );
  CREATE INDEX archives_fractal ON archives (fractal_id, created_at DESC);
  CREATE UNIQUE INDEX archives_one_active ON archives (fractal_id) WHERE status IN ('in_progress', 'restoring');`;

const WORK = `
  CREATE TABLE saved_queries (
    id serial PRIMARY KEY,
    fractal_id uuid REFERENCES fractals(id) ON DELETE CASCADE,
    name varchar(200) NOT NULL,
    query_text text NOT NULL,
    tags text[] NOT NULL DEFAULT '{}',
    created_by varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    UNIQUE (fractal_id, name)
  );

  CREATE TABLE alerts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fractal_id uuid NOT NULL REFERENCES fractals(id) ON DELETE CASCADE,
    name varchar(200) NOT NULL,
    query_text text NOT NULL,
    severity smallint NOT NULL DEFAULT 3 CHECK (severity BETWEEN 1 AND 5),
    condition jsonb NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    created_by varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now()
  );
  CREATE INDEX alerts_condition ON alerts USING gin (condition);

  CREATE TABLE alert_executions (
    id bigserial PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
    executed_at timestamp NOT NULL DEFAULT now(),
    matches integer NOT NULL DEFAULT 0,
    duration_ms numeric(10, 3),
    sample jsonb
  );
  CREATE INDEX alert_executions_by_alert ON alert_executions (alert_id, executed_at DESC);

  CREATE TABLE notebooks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fractal_id uuid NOT NULL REFERENCES fractals(id) ON DELETE CASCADE,
    title varchar(200) NOT NULL,
    cells jsonb NOT NULL DEFAULT '[]',
    created_by varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now()
  );

  CREATE TABLE comments (
    id bigserial PRIMARY KEY,
    fractal_id uuid NOT NULL REFERENCES fractals(id) ON DELETE CASCADE,
    log_id text NOT NULL,
    log_timestamp timestamp NOT NULL,
    body text NOT NULL,
    author varchar(50) REFERENCES users(username) ON DELETE SET NULL,
    created_at timestamp NOT NULL DEFAULT now()
  );
  CREATE INDEX comments_log ON comments (fractal_id, log_id);

  CREATE TABLE attachments (
    id serial PRIMARY KEY,
    notebook_id uuid NOT NULL REFERENCES notebooks(id) ON DELETE CASCADE,
    filename varchar(255) NOT NULL,
    content bytea NOT NULL
  );`;

const DERIVED = `
  CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.updated_at := now();
    RETURN NEW;
  END $$;
  CREATE TRIGGER fractals_touch BEFORE UPDATE ON fractals FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
  CREATE TRIGGER alerts_touch BEFORE UPDATE ON alerts FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
  CREATE TRIGGER notebooks_touch BEFORE UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

  CREATE VIEW fractal_overview AS
    SELECT f.id, f.name, f.log_count, f.size_bytes,
           (SELECT count(*) FROM alerts a WHERE a.fractal_id = f.id) AS alerts,
           (SELECT max(r.created_at) FROM archives r WHERE r.fractal_id = f.id AND r.status = 'completed') AS archived_at
    FROM fractals f;
  CREATE MATERIALIZED VIEW alert_activity AS
    SELECT alert_id, date_trunc('day', executed_at) AS day, sum(matches) AS matches
    FROM alert_executions GROUP BY 1, 2;
  CREATE INDEX alert_activity_day ON alert_activity (day);`;

/** The PostgreSQL schema, for an empty database. Times have no zone and are UTC. */
export const POSTGRES_SCHEMA = [ACCOUNTS, FRACTALS, ARCHIVES, WORK, DERIVED].join('\n');
