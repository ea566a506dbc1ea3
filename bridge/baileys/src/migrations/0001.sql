-- What the sidecar keeps, in a schema of its own: nothing here refers to Fanfare's tables, nor they to it.

CREATE SCHEMA baileys;

-- Which of these files were run.
CREATE TABLE baileys.migrations (
  name text PRIMARY KEY,
  run_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Since when the ledger knows everything: a key that is absent proves "not sent" only for an attempt that began later.
CREATE TABLE baileys.ledger (
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one)
);
INSERT INTO baileys.ledger DEFAULT VALUES;

-- The ledger: what became of each key. content is the sealed message, for a phone that could not read it and asks again.
CREATE TABLE baileys.sends (
  key text PRIMARY KEY,
  session text NOT NULL,
  state text NOT NULL CHECK (state IN ('reserved', 'dispatching', 'sent', 'failed', 'closed')),
  fingerprint bytea,
  message_id text,
  content bytea,
  error text,
  answer jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX sends_message_id_key ON baileys.sends (session, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX sends_updated_at ON baileys.sends USING brin (updated_at);

-- A ledger that was emptied knows nothing from before.
CREATE FUNCTION baileys.ledger_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE baileys.ledger SET since = clock_timestamp();
  RETURN NULL;
END $$;
CREATE TRIGGER sends_emptied AFTER TRUNCATE ON baileys.sends EXECUTE FUNCTION baileys.ledger_emptied();

-- A session and who runs it. Only the holder of an unexpired lease connects it, saves its keys and dispatches its sends.
CREATE TABLE baileys.sessions (
  name text PRIMARY KEY,
  wanted boolean NOT NULL DEFAULT true, -- false: it rests (disconnected, logged out, banned, replaced) until it is started
  state text NOT NULL DEFAULT 'closed',
  phone text,
  last_error text,
  restricted_until timestamptz,
  creds bytea, -- sealed; null: not paired yet
  holder bigint, -- the process that has the lease: the number of the advisory lock that it holds while it lives
  lease_until timestamptz,
  last_message_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);

-- Signal's keys and ratchets, sealed.
CREATE TABLE baileys.signal_keys (
  session text NOT NULL REFERENCES baileys.sessions (name) ON DELETE CASCADE,
  type text NOT NULL,
  id text NOT NULL,
  value bytea NOT NULL,
  PRIMARY KEY (session, type, id)
) WITH (fillfactor = 70);

-- Events on their way to Fanfare, kept until they are accepted.
CREATE TABLE baileys.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  body text NOT NULL,
  tries integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX outbox_due_at ON baileys.outbox (due_at);

-- Which numbers WhatsApp knows, and under which address: asking often gets accounts banned.
CREATE TABLE baileys.numbers (
  number text PRIMARY KEY, -- digits only
  exists boolean NOT NULL,
  lid text,
  checked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
