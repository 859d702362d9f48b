-- Positions were integers, which the sequence numbers of streams do not fit.
ALTER TABLE position RENAME TO position_2;
CREATE TABLE position (
  reader TEXT PRIMARY KEY, place TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO position SELECT reader, printf('%0129d', number) FROM position_2;
DROP TABLE position_2;
