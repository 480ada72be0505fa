-- What arrives and leaves often (message) is apart from what is written once and large (content): a receive rewrites
-- one small row, never the body.
CREATE TABLE IF NOT EXISTS queue (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    attributes  TEXT NOT NULL
);
-- AUTOINCREMENT: a sequence number is never given twice, also not after the newest message was deleted.
CREATE TABLE IF NOT EXISTS message (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT,
    queue             INTEGER NOT NULL,
    grp               TEXT,
    sent_at           INTEGER NOT NULL,
    visible_at        INTEGER NOT NULL,
    receives          INTEGER NOT NULL DEFAULT 0,
    -- Those of `receives` that do not count: their process was killed before it had finished with the message.
    uncounted         INTEGER NOT NULL DEFAULT 0,
    receives_before   INTEGER NOT NULL DEFAULT 0,
    first_received_at INTEGER,
    -- 1: in flight because it was received; 0: because a receiver said when it is to come back.
    held              INTEGER NOT NULL DEFAULT 0,
    dead_from         TEXT
);
CREATE TABLE IF NOT EXISTS content (
    seq        INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    dedup      TEXT,
    trace      TEXT,
    md5        TEXT NOT NULL,
    attributes TEXT,
    body       TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS dedup (
    queue      INTEGER NOT NULL,
    key        BLOB NOT NULL,
    sent_at    INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS topic (
    arn        TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscription (
    arn        TEXT PRIMARY KEY,
    topic      TEXT NOT NULL,
    endpoint   TEXT NOT NULL,
    attributes TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS text_message (
    seq        INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    phone      TEXT NOT NULL,
    message    TEXT NOT NULL,
    sent_at    INTEGER NOT NULL
);
