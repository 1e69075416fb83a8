-- The books: keys, budgets, intents, requests with their audit leaves, double entries, conversation memory.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES ('key_generation', 0);

-- Virtual keys. `key_hash` is keyed with a pepper that lies outside this file; the secret is nowhere.
CREATE TABLE virtual_key (
  id                      TEXT PRIMARY KEY,
  key_hash                BLOB NOT NULL UNIQUE,
  app                     TEXT NOT NULL,
  team                    TEXT NOT NULL,
  floor                   TEXT NOT NULL,
  models                  TEXT,              -- JSON array; NULL: all
  own_only                INTEGER NOT NULL CHECK (own_only IN (0, 1)),
  forbidden_jurisdictions TEXT NOT NULL,     -- JSON array
  requests_per_minute     INTEGER NOT NULL CHECK (requests_per_minute >= 0),
  tokens_per_minute       INTEGER NOT NULL CHECK (tokens_per_minute >= 0),
  concurrency             INTEGER NOT NULL CHECK (concurrency >= 0),
  budget_nano             INTEGER CHECK (budget_nano >= 0),
  budget_period           TEXT NOT NULL CHECK (budget_period IN ('day', 'week', 'month', 'total')),
  created_ns              INTEGER NOT NULL,
  expires_ns              INTEGER,
  revoked_ns              INTEGER,
  rotated_from            TEXT NOT NULL
) STRICT;

-- A running gateway keeps keys in memory; this number tells it that they changed, whoever changed them.
CREATE TRIGGER virtual_key_added AFTER INSERT ON virtual_key BEGIN
  UPDATE meta SET value = value + 1 WHERE name = 'key_generation';
END;
CREATE TRIGGER virtual_key_changed AFTER UPDATE ON virtual_key BEGIN
  UPDATE meta SET value = value + 1 WHERE name = 'key_generation';
END;
CREATE TRIGGER virtual_key_removed AFTER DELETE ON virtual_key BEGIN
  UPDATE meta SET value = value + 1 WHERE name = 'key_generation';
END;

-- Money in nano-units of the book currency. A window's name is derived from time, so nothing ever resets it.
CREATE TABLE budget (
  key_id   TEXT NOT NULL,
  window   TEXT NOT NULL,
  cap      INTEGER NOT NULL,
  reserved INTEGER NOT NULL CHECK (reserved >= 0),
  spent    INTEGER NOT NULL CHECK (spent >= 0),
  PRIMARY KEY (key_id, window)
) STRICT, WITHOUT ROWID;

-- What was let out and has not come back yet.
CREATE TABLE intent (
  request_id TEXT PRIMARY KEY,
  at_ns      INTEGER NOT NULL,
  key_id     TEXT NOT NULL,
  window     TEXT NOT NULL,
  reserved   INTEGER NOT NULL CHECK (reserved >= 0),
  record     BLOB NOT NULL
) STRICT;

-- How each request ended. `seq` is the index of its audit leaf: 0, 1, 2, … without gaps.
CREATE TABLE request (
  seq           INTEGER PRIMARY KEY,
  request_id    TEXT NOT NULL UNIQUE,
  at_ns         INTEGER NOT NULL,
  key_id        TEXT NOT NULL,
  app           TEXT NOT NULL,
  team          TEXT NOT NULL,
  model         TEXT NOT NULL,
  target        TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  window        TEXT NOT NULL,
  reserved      INTEGER NOT NULL CHECK (reserved >= 0),
  spent         INTEGER NOT NULL CHECK (spent >= 0),
  is_estimated  INTEGER NOT NULL CHECK (is_estimated IN (0, 1)),
  input_tokens  INTEGER NOT NULL CHECK (input_tokens >= 0),
  output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0)
) STRICT;

CREATE INDEX request_at ON request (at_ns);

-- Apart from `request`, so that a report over a million requests does not read a million records.
CREATE TABLE leaf (
  seq    INTEGER PRIMARY KEY REFERENCES request (seq),
  record BLOB NOT NULL
) STRICT;

-- Double entry: the legs of one request sum to zero in each currency.
CREATE TABLE posting (
  seq           INTEGER NOT NULL REFERENCES request (seq),
  leg           INTEGER NOT NULL,
  account       TEXT NOT NULL,
  amount_nano   INTEGER NOT NULL,
  currency      TEXT NOT NULL,
  price_version TEXT NOT NULL,
  rate          TEXT NOT NULL,
  PRIMARY KEY (seq, leg)
) STRICT, WITHOUT ROWID;

-- Appended only: keyed hashes are random, and an index on them would write one page per message.
CREATE TABLE conversation_memory (
  id    INTEGER PRIMARY KEY,
  hash  BLOB NOT NULL,
  level INTEGER NOT NULL CHECK (level >= 0),
  at_ns INTEGER NOT NULL
) STRICT;

-- Admission: rows of one statement are checked one after the other, each against what the rows before it reserved.
CREATE TRIGGER intent_needs_room BEFORE INSERT ON intent WHEN NEW.window <> '' BEGIN
  SELECT RAISE(IGNORE) WHERE NOT EXISTS (
    SELECT 1 FROM budget
    WHERE key_id = NEW.key_id AND window = NEW.window AND spent + reserved + NEW.reserved <= cap
  );
END;
CREATE TRIGGER intent_reserves AFTER INSERT ON intent WHEN NEW.window <> '' BEGIN
  UPDATE budget SET reserved = reserved + NEW.reserved WHERE key_id = NEW.key_id AND window = NEW.window;
END;
CREATE TRIGGER intent_gives_back AFTER DELETE ON intent WHEN OLD.window <> '' BEGIN
  UPDATE budget SET reserved = reserved - OLD.reserved WHERE key_id = OLD.key_id AND window = OLD.window;
END;

-- Closing: what was reserved comes back and what was spent is booked, in the window of admission.
CREATE TRIGGER request_closes_intent AFTER INSERT ON request BEGIN
  DELETE FROM intent WHERE request_id = NEW.request_id;
END;
CREATE TRIGGER request_is_charged AFTER INSERT ON request WHEN NEW.window <> '' AND NEW.spent <> 0 BEGIN
  INSERT INTO budget (key_id, window, cap, reserved, spent) VALUES (NEW.key_id, NEW.window, 0, 0, NEW.spent)
  ON CONFLICT DO UPDATE SET spent = spent + excluded.spent;
END;

-- One row in is one transaction of the gateway: a batch of reservations and closings, as JSON arrays of arrays, with
-- the records end to end in one blob. `void` names reservations whose fate was unknown after a failed commit.
CREATE VIEW batch (first_seq, void, intents, closings, postings, memories, records) AS
  SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL;

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
