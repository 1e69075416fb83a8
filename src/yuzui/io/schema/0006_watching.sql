-- What watching has learnt: one row per promise, one per shadowed target. `state` is JSON of counts, sums and wealths; no
-- content. `version` counts the writes: whoever writes says which version it saw.
CREATE TABLE promise (
  model       TEXT NOT NULL,
  router      TEXT NOT NULL,               -- SHA-256 of its file
  certificate TEXT NOT NULL,
  version     INTEGER NOT NULL,
  state       TEXT NOT NULL,
  PRIMARY KEY (model, router, certificate)
) STRICT, WITHOUT ROWID;

CREATE TABLE shadow (
  model   TEXT NOT NULL,
  target  TEXT NOT NULL,
  version INTEGER NOT NULL,
  state   TEXT NOT NULL,
  PRIMARY KEY (model, target)
) STRICT, WITHOUT ROWID;

-- Who asked to trust a model again. A running gateway looks here as for label orders: it alone writes audit leaves.
CREATE TABLE watch_order (
  id          TEXT PRIMARY KEY,
  at_ns       INTEGER NOT NULL,
  model       TEXT NOT NULL,
  router      TEXT NOT NULL,
  certificate TEXT NOT NULL,
  by          TEXT NOT NULL,
  os_user     TEXT NOT NULL,
  reason      TEXT NOT NULL,
  refused     TEXT,                        -- why it was not done
  leaf        INTEGER,                     -- index of the audit leaf that tells of it
  is_open     INTEGER NOT NULL DEFAULT 1 CHECK (is_open IN (0, 1))
) STRICT;

CREATE INDEX watch_order_open ON watch_order (at_ns) WHERE is_open;
