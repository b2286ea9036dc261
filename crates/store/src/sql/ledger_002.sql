-- What an API token may do beside reading. Tokens of earlier versions could erase. They only read from now on.
ALTER TABLE api_token ADD COLUMN may_erase INTEGER NOT NULL DEFAULT 0;

-- Begins the label of each participant that the server numbers, for example sub-wkqzd01. It is random, so labels of this
-- server do not meet labels of a laboratory or of another server.
ALTER TABLE given ADD COLUMN prefix TEXT NOT NULL DEFAULT '';
UPDATE given SET prefix = 'w' || char(97 + abs(random() % 26), 97 + abs(random() % 26), 97 + abs(random() % 26),
                                      97 + abs(random() % 26));

-- What the browser sent, in bytes, for the quotas.
ALTER TABLE remote_session ADD COLUMN received_bytes INTEGER NOT NULL DEFAULT 0;

-- The session was closed because no request arrived. It goes on if its browser sends another one.
ALTER TABLE remote_session ADD COLUMN may_go_on INTEGER NOT NULL DEFAULT 0;
