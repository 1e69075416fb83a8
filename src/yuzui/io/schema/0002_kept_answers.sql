-- Answers that clients asked to keep (OpenAI's Responses), with what led to them. `content` is encrypted with a key that
-- lies outside this file; `level` is the name of a sensitivity level.
CREATE TABLE kept_answer (
  scope      TEXT NOT NULL,
  id         TEXT NOT NULL,
  level      TEXT NOT NULL,
  expires_ns INTEGER NOT NULL,
  content    BLOB NOT NULL,
  PRIMARY KEY (scope, id)
) STRICT;

-- By which other names a client may refer to an answer: those of the items in it.
CREATE TABLE kept_name (
  scope TEXT NOT NULL,
  name  TEXT NOT NULL,
  id    TEXT NOT NULL,
  PRIMARY KEY (scope, name),
  FOREIGN KEY (scope, id) REFERENCES kept_answer (scope, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_name_id ON kept_name (scope, id);
CREATE INDEX kept_answer_expires ON kept_answer (expires_ns);

-- The batch of 0001 with one more array.
DROP TRIGGER batch_is_booked;
DROP VIEW batch;
CREATE VIEW batch (first_seq, void, intents, closings, postings, memories, kept, records) AS
  SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL;

CREATE TRIGGER batch_is_booked INSTEAD OF INSERT ON batch BEGIN
  DELETE FROM intent WHERE NEW.void IS NOT NULL AND request_id IN (SELECT value FROM json_each(NEW.void));

  -- closings: 0 request_id, 1 at_ns, 2 key_id, 3 app, 4 team, 5 model, 6 target, 7 outcome, 8 window, 9 reserved,
  --           10 spent, 11 is_estimated, 12 input_tokens, 13 output_tokens, 14 offset, 15 length
  INSERT INTO request
    SELECT NEW.first_seq + key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
           value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13
    FROM json_each(NEW.closings);
  INSERT INTO leaf (seq, record)
    SELECT NEW.first_seq + key, substr(NEW.records, value ->> 14, value ->> 15) FROM json_each(NEW.closings);

  -- postings: 0 position of the closing, 1 leg, 2 account, 3 amount, 4 currency, 5 price version, 6 rate
  INSERT INTO posting (seq, leg, account, amount_nano, currency, price_version, rate)
    SELECT NEW.first_seq + (value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
    FROM json_each(NEW.postings);

  -- memories: 0 hash in hex, 1 level, 2 at_ns
  INSERT INTO conversation_memory (hash, level, at_ns)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(NEW.memories);

  -- kept: 0 scope, 1 id, 2 level, 3 expires_ns, 4 names, 5 offset, 6 length
  INSERT OR REPLACE INTO kept_answer (scope, id, level, expires_ns, content)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, substr(NEW.records, value ->> 5, value ->> 6)
    FROM json_each(NEW.kept) WHERE NEW.kept IS NOT NULL;
  INSERT OR REPLACE INTO kept_name (scope, name, id)
    SELECT k.value ->> 0, n.value, k.value ->> 1 FROM json_each(NEW.kept) k, json_each(k.value -> 4) n
    WHERE NEW.kept IS NOT NULL;

  -- After the closings, so that what they give back can be let out again at once.
  -- intents: 0 request_id, 1 at_ns, 2 key_id, 3 window, 4 cap, 5 reserved, 6 offset, 7 length
  INSERT INTO budget (key_id, window, cap, reserved, spent)
    SELECT value ->> 2, value ->> 3, value ->> 4, 0, 0 FROM json_each(NEW.intents) WHERE value ->> 3 <> ''
    ON CONFLICT DO UPDATE SET cap = excluded.cap WHERE cap <> excluded.cap;
  INSERT INTO intent (request_id, at_ns, key_id, window, reserved, record)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 5,
           substr(NEW.records, value ->> 6, value ->> 7)
    FROM json_each(NEW.intents);
END;
