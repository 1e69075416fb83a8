-- Who asked to see or to erase what stand-ins stand for. A running gateway looks here as for label orders: it alone writes
-- audit leaves. That an order was carried out says the leaf with its id; no original is ever in this table.
CREATE TABLE vault_order (
  id           TEXT PRIMARY KEY,
  at_ns        INTEGER NOT NULL,
  action       TEXT NOT NULL CHECK (action IN ('open', 'erase')),
  scope        TEXT NOT NULL,
  tokens       TEXT NOT NULL,              -- JSON: the stand-ins
  request_id   TEXT NOT NULL,              -- "" where stand-ins were named
  conversation TEXT NOT NULL,              -- hex; "" where none was named
  by           TEXT NOT NULL,
  os_user      TEXT NOT NULL,
  reason       TEXT NOT NULL,
  refused      TEXT,                       -- why it was not done
  is_open      INTEGER NOT NULL DEFAULT 1 CHECK (is_open IN (0, 1))
) STRICT;

CREATE INDEX vault_order_open ON vault_order (at_ns) WHERE is_open;
