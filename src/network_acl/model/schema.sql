CREATE TABLE IF NOT EXISTS acl (
  account TEXT NOT NULL, region TEXT NOT NULL, acl TEXT NOT NULL,
  vpc TEXT, is_default INTEGER NOT NULL, quota INTEGER NOT NULL,
  PRIMARY KEY (account, region, acl)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS subnet (
  account TEXT NOT NULL, region TEXT NOT NULL, subnet TEXT NOT NULL, acl TEXT NOT NULL,
  PRIMARY KEY (account, region, subnet)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS entry (
  account TEXT NOT NULL, region TEXT NOT NULL, acl TEXT NOT NULL, direction TEXT NOT NULL, rule INTEGER NOT NULL,
  cidr TEXT NOT NULL, protocol TEXT NOT NULL, allow INTEGER NOT NULL,
  PRIMARY KEY (account, region, acl, direction, rule)
) STRICT, WITHOUT ROWID;

-- kind: own_address, own_network, aws_service
CREATE TABLE IF NOT EXISTS inventory (
  kind TEXT NOT NULL, cidr TEXT NOT NULL,
  PRIMARY KEY (kind, cidr)
) STRICT, WITHOUT ROWID;
