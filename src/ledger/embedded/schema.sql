CREATE TABLE IF NOT EXISTS meta (
  account TEXT NOT NULL, region TEXT NOT NULL, acl TEXT NOT NULL,
  version INTEGER NOT NULL, lease_owner TEXT, lease_until INTEGER, body TEXT NOT NULL,
  PRIMARY KEY (account, region, acl)
) STRICT, WITHOUT ROWID;

-- Not WITHOUT ROWID, as rows are long: such a tree holds few of them in a page, and every level of it would hold whole rows.
CREATE TABLE IF NOT EXISTS entry (
  account TEXT NOT NULL, region TEXT NOT NULL, acl TEXT NOT NULL,
  direction TEXT NOT NULL, cidr TEXT NOT NULL,
  state TEXT NOT NULL, rule INTEGER, seq INTEGER NOT NULL, planned_at INTEGER NOT NULL, expires INTEGER, body TEXT NOT NULL,
  PRIMARY KEY (account, region, acl, direction, cidr)
) STRICT;

-- One rule number, one entry. The one that is being evicted shares it with the one that replaces it.
CREATE UNIQUE INDEX IF NOT EXISTS entry_by_rule ON entry (account, region, acl, direction, rule)
  WHERE state IN ('planned', 'applied', 'expiring') AND rule IS NOT NULL;
-- Those that went stay in the table for good, so what is read for every finding or in every sweep must not pass over them.
CREATE INDEX IF NOT EXISTS entry_by_state ON entry (state, planned_at)
  WHERE state IN ('planned', 'applied', 'evicting', 'expiring');
CREATE INDEX IF NOT EXISTS entry_live ON entry (account, region, acl, seq)
  WHERE state IN ('planned', 'applied', 'evicting', 'expiring');

CREATE TABLE IF NOT EXISTS finding (
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, versions INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS finding_versions ON finding (versions);

CREATE TABLE IF NOT EXISTS lists (
  one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, event TEXT NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL
) STRICT;

-- How many audit rows there are of each event; of decisions, by reason. Kept, since the audit only grows.
CREATE TABLE IF NOT EXISTS tally (
  event TEXT NOT NULL, reason TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (event, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS message (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, sent INTEGER, given_up INTEGER NOT NULL DEFAULT 0,
  next INTEGER NOT NULL, attempts INTEGER NOT NULL, last_error TEXT, addresses TEXT NOT NULL, payload TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS message_unsent ON message (number, next) WHERE sent IS NULL AND given_up = 0;
CREATE INDEX IF NOT EXISTS message_sent ON message (sent) WHERE sent IS NOT NULL;

CREATE TABLE IF NOT EXISTS alert (
  number INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER REFERENCES message (number), body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS alert_waiting ON alert (number) WHERE message IS NULL;

CREATE TABLE IF NOT EXISTS unreadable (
  digest TEXT PRIMARY KEY, at INTEGER NOT NULL, times INTEGER NOT NULL, reason TEXT NOT NULL, length INTEGER NOT NULL, bytes BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS unreadable_by_age ON unreadable (at DESC, digest);

-- Numbers of any size, padded so that they sort as texts.
CREATE TABLE IF NOT EXISTS position (
  reader TEXT PRIMARY KEY, place TEXT NOT NULL
) STRICT, WITHOUT ROWID;
