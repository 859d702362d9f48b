-- What the tables that `from_3.sql` put aside held.
INSERT INTO entry (account, region, acl, direction, cidr, state, rule, seq, planned_at, expires, body)
  SELECT account, region, acl, direction, cidr, state, rule, seq, planned_at, expires, body FROM entry_3 ORDER BY planned_at;
INSERT INTO finding (id, version, versions, body) SELECT id, version, versions, body FROM finding_3;
DROP TABLE entry_3;
DROP TABLE finding_3;
