-- Trials of virtual models: what is known of each, and who stopped or resumed it.

-- JSON, see `routing/arm_comparison.py`. Written twice a second at most; a crash loses what came since.
CREATE TABLE trial_state (
  trial TEXT PRIMARY KEY,                  -- model, name and arm: another arm is another trial
  at_ns INTEGER NOT NULL,
  state BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A running gateway looks here as for label orders: it alone writes audit leaves. The latest order counts: that of a named
-- person once its leaf is written, that of a gateway itself ("" in `by`) at once.
CREATE TABLE trial_order (
  id       TEXT PRIMARY KEY,
  at_ns    INTEGER NOT NULL,
  action   TEXT NOT NULL CHECK (action IN ('stop', 'resume')),
  model    TEXT NOT NULL,
  name     TEXT NOT NULL,
  arm      TEXT NOT NULL,
  by       TEXT NOT NULL,
  os_user  TEXT NOT NULL,
  reason   TEXT NOT NULL,
  refused  TEXT,                           -- why it was not done
  is_open  INTEGER NOT NULL DEFAULT 1 CHECK (is_open IN (0, 1))
) STRICT;

CREATE INDEX trial_order_open ON trial_order (at_ns) WHERE is_open;
