-- Long rows were kept in trees without row numbers, which grew deep. The tables of this form are made next.
DROP INDEX entry_by_rule;
DROP INDEX entry_by_state;
DROP INDEX entry_live;
DROP INDEX finding_versions;
ALTER TABLE entry RENAME TO entry_3;
ALTER TABLE finding RENAME TO finding_3;
