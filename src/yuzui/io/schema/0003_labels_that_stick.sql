-- Labels that stick: whose conversation a remembered hash belongs to, texts by their parts, and who lowered a label.

ALTER TABLE conversation_memory ADD COLUMN conversation BLOB NOT NULL DEFAULT x'';
ALTER TABLE conversation_memory ADD COLUMN masked INTEGER;   -- the level under masking; NULL: the same

-- Appended only, like conversation_memory. `data` is fingerprints end to end, or sealed forms of originals.
CREATE TABLE labelled_text (
  id           INTEGER PRIMARY KEY,
  conversation BLOB NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('prints', 'forms')),
  level        INTEGER NOT NULL CHECK (level >= 0),
  masked       INTEGER,
  at_ns        INTEGER NOT NULL,
  data         BLOB NOT NULL
) STRICT;

-- What a person asked for on this machine. A running gateway looks here twice a second: it alone writes audit leaves.
CREATE TABLE label_order (
  id           TEXT PRIMARY KEY,
  at_ns        INTEGER NOT NULL,
  scope        TEXT NOT NULL,
  conversation BLOB NOT NULL,
  to_level     TEXT NOT NULL,              -- its name
  by           TEXT NOT NULL,
  os_user      TEXT NOT NULL,
  reason       TEXT NOT NULL,
  refused      TEXT,                       -- why it was not done
  is_open      INTEGER NOT NULL DEFAULT 1 CHECK (is_open IN (0, 1))
) STRICT;

CREATE INDEX label_order_open ON label_order (at_ns) WHERE is_open;

-- What was done, in the same transaction as its audit leaf.
CREATE TABLE declassification (
  seq          INTEGER PRIMARY KEY REFERENCES request (seq),
  order_id     TEXT NOT NULL UNIQUE REFERENCES label_order (id),
  conversation BLOB NOT NULL,
  level        INTEGER NOT NULL CHECK (level >= 0)
) STRICT;

CREATE TRIGGER declassification_lowers AFTER INSERT ON declassification BEGIN
  UPDATE conversation_memory SET level = NEW.level, masked = min(masked, NEW.level)
    WHERE conversation = NEW.conversation AND level > NEW.level;
  UPDATE labelled_text SET level = NEW.level, masked = min(masked, NEW.level)
    WHERE conversation = NEW.conversation AND level > NEW.level;
  UPDATE label_order SET is_open = 0 WHERE id = NEW.order_id;
END;

-- The batch of 0002 with two more arrays.
DROP TRIGGER batch_is_booked;
DROP VIEW batch;
CREATE VIEW batch (first_seq, void, intents, closings, postings, memories, texts, lowered, kept, records) AS
  SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL;

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

  -- memories: 0 hash in hex, 1 level, 2 at_ns, 3 conversation in hex, 4 level under masking
  INSERT INTO conversation_memory (hash, level, at_ns, conversation, masked)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4 FROM json_each(NEW.memories);

  -- texts: 0 conversation in hex, 1 kind, 2 level, 3 at_ns, 4 level under masking, 5 offset, 6 length
  INSERT INTO labelled_text (conversation, kind, level, at_ns, masked, data)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4,
           substr(NEW.records, value ->> 5, value ->> 6)
    FROM json_each(NEW.texts) WHERE NEW.texts IS NOT NULL;

  -- lowered: 0 position of the closing, 1 order, 2 conversation in hex, 3 level
  INSERT INTO declassification (seq, order_id, conversation, level)
    SELECT NEW.first_seq + (value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3
    FROM json_each(NEW.lowered) WHERE NEW.lowered IS NOT NULL;

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
