-- Three ledgers with one shape: points, account credit and gift cards. Entries are only ever
-- added, carry as their sequence the revision of their account that they made, and say what the balance was
-- after them; who moves a balance holds the lock of its owner.

-- Rules of the points programme. Versions are never changed: a later one of the same channel
-- ends an earlier one when it begins. channel '' is for all channels without rules of their own.
CREATE TABLE loyalty_policy (
    tenant_id            uuid NOT NULL,
    id                   uuid NOT NULL,
    version              text COLLATE "C" NOT NULL,
    channel              text COLLATE "C" NOT NULL DEFAULT '',
    number               bigint NOT NULL CONSTRAINT loyalty_policy_number_check CHECK (number > 0),
    currency             text CONSTRAINT loyalty_policy_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    points_per_unit      numeric NOT NULL CONSTRAINT loyalty_policy_rate_check CHECK (points_per_unit BETWEEN 0 AND 1000000),
    rounding             text NOT NULL CONSTRAINT loyalty_policy_rounding_check CHECK (rounding IN ('FLOOR', 'NEAREST', 'CEIL')),
    pending_days         integer NOT NULL DEFAULT 0 CONSTRAINT loyalty_policy_pending_check CHECK (pending_days BETWEEN 0 AND 3650),
    channel_multipliers  jsonb NOT NULL DEFAULT '[]',
    redeem_mode          text NOT NULL CONSTRAINT loyalty_policy_mode_check CHECK (redeem_mode IN ('PER_POINT', 'BLOCK')),
    redeem_currency      text CONSTRAINT loyalty_policy_redeem_currency_check CHECK (redeem_currency ~ '^[A-Z]{3}$'),
    redeem_value         bigint CONSTRAINT loyalty_policy_redeem_value_check CHECK (redeem_value BETWEEN 0 AND 9007199254740991),
    block_size           bigint CONSTRAINT loyalty_policy_block_check CHECK (block_size > 0),
    min_points           bigint CONSTRAINT loyalty_policy_min_check CHECK (min_points > 0),
    max_points_per_order bigint CONSTRAINT loyalty_policy_max_check CHECK (max_points_per_order > 0),
    expire_after_days    integer CONSTRAINT loyalty_policy_expiry_check CHECK (expire_after_days BETWEEN 1 AND 36500),
    effective_from       timestamptz NOT NULL,
    ends_at              timestamptz,
    created_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT loyalty_policy_version_key UNIQUE (tenant_id, version),
    CONSTRAINT loyalty_policy_number_key UNIQUE (tenant_id, channel, number),
    CONSTRAINT loyalty_policy_money_check CHECK ((redeem_value IS NULL) = (redeem_currency IS NULL)),
    CONSTRAINT loyalty_policy_block_mode_check CHECK ((redeem_mode = 'BLOCK') = (block_size IS NOT NULL)),
    CONSTRAINT loyalty_policy_period_check CHECK (ends_at > effective_from)
);
--bun:split
CREATE INDEX loyalty_policy_effective_idx ON loyalty_policy (tenant_id, effective_from, id);
--bun:split
ALTER TABLE loyalty_policy ADD CONSTRAINT loyalty_policy_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
GRANT SELECT, INSERT ON loyalty_policy TO crmgraph_app;
--bun:split
ALTER TABLE loyalty_policy ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY loyalty_policy_tenant ON loyalty_policy TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split

-- Channels are written in lower case from here on.
ALTER TABLE loyalty_transaction ADD COLUMN sequence bigint;
--bun:split
ALTER TABLE loyalty_transaction ADD COLUMN policy_version text COLLATE "C";
--bun:split
ALTER TABLE loyalty_transaction ADD COLUMN source_refs jsonb NOT NULL DEFAULT '[]';
--bun:split
UPDATE loyalty_transaction x SET channel = lower(x.channel), sequence = n.sequence
FROM (SELECT tenant_id, id, row_number() OVER (PARTITION BY tenant_id, account_id ORDER BY id) + 1 AS sequence FROM loyalty_transaction) n
WHERE n.tenant_id = x.tenant_id AND n.id = x.id;
--bun:split
UPDATE loyalty_account a SET revision = greatest(a.revision, n.sequence)
FROM (SELECT tenant_id, account_id, max(sequence) AS sequence FROM loyalty_transaction GROUP BY tenant_id, account_id) n
WHERE n.tenant_id = a.tenant_id AND n.account_id = a.id;
--bun:split
ALTER TABLE loyalty_transaction ALTER COLUMN sequence SET NOT NULL;
--bun:split
ALTER TABLE loyalty_transaction ADD CONSTRAINT loyalty_transaction_sequence_key UNIQUE (tenant_id, account_id, sequence);
--bun:split
DROP INDEX loyalty_transaction_account_idx;
--bun:split

-- How much of the related entry an entry answers: an earning may be reversed in parts.
ALTER TABLE loyalty_transaction_link ADD COLUMN points bigint;
--bun:split
UPDATE loyalty_transaction_link l SET points = abs(x.points)
FROM loyalty_transaction x WHERE x.tenant_id = l.tenant_id AND x.id = l.transaction_id;
--bun:split
ALTER TABLE loyalty_transaction_link ALTER COLUMN points SET NOT NULL;
--bun:split
ALTER TABLE loyalty_transaction_link ADD CONSTRAINT loyalty_transaction_link_points_check CHECK (points >= 0);
--bun:split
CREATE INDEX loyalty_transaction_link_related_idx ON loyalty_transaction_link (tenant_id, related_id);
--bun:split

-- What each debit took from which lot: a lot's remaining points are its points less these.
CREATE TABLE loyalty_lot_debit (
    tenant_id      uuid NOT NULL,
    lot_id         uuid NOT NULL,
    transaction_id uuid NOT NULL,
    points         bigint NOT NULL CONSTRAINT loyalty_lot_debit_points_check CHECK (points > 0),
    PRIMARY KEY (tenant_id, lot_id, transaction_id)
);
--bun:split
CREATE INDEX loyalty_lot_debit_transaction_idx ON loyalty_lot_debit (tenant_id, transaction_id);
--bun:split
-- Of earlier debits only the totals are known; they are matched with the lots in order.
INSERT INTO loyalty_lot_debit (tenant_id, lot_id, transaction_id, points)
SELECT d.tenant_id, l.id, d.id, least(l.upto, d.upto) - greatest(l.since, d.since)
FROM (SELECT tenant_id, account_id, id, sum(-points) OVER w AS upto, sum(-points) OVER w + points AS since
      FROM loyalty_transaction WHERE points < 0 WINDOW w AS (PARTITION BY tenant_id, account_id ORDER BY sequence)) d
JOIN (SELECT tenant_id, account_id, id, sum(points - remaining) OVER w AS upto, sum(points - remaining) OVER w - (points - remaining) AS since
      FROM loyalty_lot WHERE points > remaining WINDOW w AS (PARTITION BY tenant_id, account_id ORDER BY id)) l
  ON l.tenant_id = d.tenant_id AND l.account_id = d.account_id AND l.since < d.upto AND d.since < l.upto;
--bun:split
ALTER TABLE loyalty_lot_debit ADD CONSTRAINT loyalty_lot_debit_lot_fkey FOREIGN KEY (tenant_id, lot_id) REFERENCES loyalty_lot (tenant_id, id);
--bun:split
ALTER TABLE loyalty_lot_debit ADD CONSTRAINT loyalty_lot_debit_transaction_fkey FOREIGN KEY (tenant_id, transaction_id) REFERENCES loyalty_transaction (tenant_id, id);
--bun:split
GRANT SELECT, INSERT ON loyalty_lot_debit TO crmgraph_app;
--bun:split
ALTER TABLE loyalty_lot_debit ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY loyalty_lot_debit_tenant ON loyalty_lot_debit TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
CREATE INDEX loyalty_lot_transaction_idx ON loyalty_lot (tenant_id, transaction_id);
--bun:split
CREATE INDEX loyalty_lot_account_idx ON loyalty_lot (tenant_id, account_id, id);
--bun:split

-- What organisations owe. used_after is what was owed after an entry, credit_limit the limit
-- then; buying on credit never passes it, whatever the program believes.
CREATE TABLE credit_transaction (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL,
    account_id   uuid NOT NULL,
    type         text NOT NULL CONSTRAINT credit_transaction_type_check
                 CHECK (type IN ('CONSUME', 'RELEASE', 'LIMIT_CHANGE', 'TRANSFER')),
    currency     text NOT NULL CONSTRAINT credit_transaction_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    amount       bigint NOT NULL,
    used_after   bigint NOT NULL CONSTRAINT credit_transaction_used_check CHECK (used_after BETWEEN 0 AND 9007199254740991),
    credit_limit bigint,
    order_ref    text COLLATE "C",
    actor        text NOT NULL,
    reason       text,
    source_refs  jsonb NOT NULL DEFAULT '[]',
    sequence     bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT credit_transaction_sequence_key UNIQUE (tenant_id, account_id, sequence),
    CONSTRAINT credit_transaction_sign_check CHECK (
        CASE type WHEN 'CONSUME' THEN amount > 0 WHEN 'RELEASE' THEN amount <= 0 WHEN 'LIMIT_CHANGE' THEN amount = 0 ELSE true END),
    CONSTRAINT credit_transaction_limit_check CHECK (type <> 'CONSUME' OR used_after <= coalesce(credit_limit, 0))
);
--bun:split
CREATE INDEX credit_transaction_order_idx ON credit_transaction (tenant_id, order_ref, id) WHERE order_ref IS NOT NULL;
--bun:split
-- What was owed before there was a ledger.
INSERT INTO credit_transaction (tenant_id, id, account_id, type, currency, amount, used_after, credit_limit, actor, reason, sequence, created_at)
SELECT tenant_id, gen_random_uuid(), id, 'TRANSFER', currency, credit_used, credit_used, credit_limit, 'migration', 'carried over', revision, updated_at
FROM account WHERE credit_used > 0;
--bun:split
ALTER TABLE credit_transaction ADD CONSTRAINT credit_transaction_account_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, id);
--bun:split
GRANT SELECT, INSERT ON credit_transaction TO crmgraph_app;
--bun:split
ALTER TABLE credit_transaction ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY credit_transaction_tenant ON credit_transaction TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split

-- Stored value in the hands of whoever knows the code. The code itself is not kept: code_hash
-- finds the card, masked_code shows its shape and its last four characters.
CREATE TABLE gift_card (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    code_hash      text COLLATE "C" NOT NULL,
    masked_code    text NOT NULL,
    status         text NOT NULL CONSTRAINT gift_card_status_check CHECK (status IN ('ACTIVE', 'DEPLETED', 'EXPIRED', 'VOID')),
    currency       text NOT NULL CONSTRAINT gift_card_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    initial_amount bigint NOT NULL CONSTRAINT gift_card_amount_check CHECK (initial_amount BETWEEN 1 AND 9007199254740991),
    balance        bigint NOT NULL,
    customer_id    uuid,
    order_ref      text COLLATE "C",
    last_order_ref text COLLATE "C",
    expires_at     timestamptz,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    revision       bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT gift_card_code_key UNIQUE (tenant_id, code_hash),
    CONSTRAINT gift_card_balance_check CHECK (balance BETWEEN 0 AND initial_amount),
    CONSTRAINT gift_card_depleted_check CHECK (status <> 'DEPLETED' OR balance = 0)
);
--bun:split
CREATE INDEX gift_card_customer_idx ON gift_card (tenant_id, customer_id, id) WHERE customer_id IS NOT NULL;
--bun:split
CREATE INDEX gift_card_expires_idx ON gift_card (tenant_id, expires_at, id);
--bun:split
CREATE INDEX gift_card_created_idx ON gift_card (tenant_id, created_at, id);
--bun:split
ALTER TABLE gift_card ADD CONSTRAINT gift_card_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE gift_card ADD CONSTRAINT gift_card_customer_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES customer (tenant_id, id);
--bun:split
GRANT SELECT, INSERT, UPDATE ON gift_card TO crmgraph_app;
--bun:split
ALTER TABLE gift_card ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY gift_card_tenant ON gift_card TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split

CREATE TABLE gift_card_transaction (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    gift_card_id  uuid NOT NULL,
    type          text NOT NULL CONSTRAINT gift_card_transaction_type_check CHECK (type IN ('ISSUE', 'REDEEM', 'VOID')),
    currency      text NOT NULL CONSTRAINT gift_card_transaction_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    amount        bigint NOT NULL,
    balance_after bigint NOT NULL CONSTRAINT gift_card_transaction_balance_check CHECK (balance_after >= 0),
    order_ref     text COLLATE "C",
    actor         text NOT NULL,
    reason        text,
    source_refs   jsonb NOT NULL DEFAULT '[]',
    sequence      bigint NOT NULL,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT gift_card_transaction_sequence_key UNIQUE (tenant_id, gift_card_id, sequence),
    CONSTRAINT gift_card_transaction_sign_check CHECK (
        CASE type WHEN 'ISSUE' THEN amount > 0 AND sequence = 1 WHEN 'REDEEM' THEN amount < 0 ELSE amount <= 0 END)
);
--bun:split
CREATE INDEX gift_card_transaction_order_idx ON gift_card_transaction (tenant_id, order_ref, id) WHERE order_ref IS NOT NULL;
--bun:split
ALTER TABLE gift_card_transaction ADD CONSTRAINT gift_card_transaction_card_fkey FOREIGN KEY (tenant_id, gift_card_id) REFERENCES gift_card (tenant_id, id);
--bun:split
GRANT SELECT, INSERT ON gift_card_transaction TO crmgraph_app;
--bun:split
ALTER TABLE gift_card_transaction ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY gift_card_transaction_tenant ON gift_card_transaction TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split

-- Erasing ends a customer's ledgers of points and credit. Its gift cards stay, as they are
-- owed to whoever holds them.
CREATE OR REPLACE FUNCTION crm_erase_ledgers(tenant uuid, party uuid)
RETURNS TABLE (transactions bigint, consent_changes bigint)
LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    WITH allowed AS (
        SELECT tenant AS t, party AS p WHERE tenant = nullif(current_setting('app.tenant', true), '')::uuid
    ), links AS (
        DELETE FROM loyalty_transaction_link l USING allowed a, loyalty_transaction x
        WHERE l.tenant_id = a.t AND x.tenant_id = a.t AND x.account_id = a.p AND x.id IN (l.transaction_id, l.related_id)
        RETURNING 1
    ), debits AS (
        DELETE FROM loyalty_lot_debit d USING allowed a, loyalty_lot l
        WHERE d.tenant_id = a.t AND l.tenant_id = a.t AND l.account_id = a.p AND l.id = d.lot_id RETURNING 1
    ), lots AS (
        DELETE FROM loyalty_lot l USING allowed a WHERE l.tenant_id = a.t AND l.account_id = a.p RETURNING 1
    ), entries AS (
        DELETE FROM loyalty_transaction x USING allowed a WHERE x.tenant_id = a.t AND x.account_id = a.p RETURNING 1
    ), accounts AS (
        DELETE FROM loyalty_account l USING allowed a WHERE l.tenant_id = a.t AND l.id = a.p RETURNING 1
    ), credit AS (
        DELETE FROM credit_transaction x USING allowed a WHERE x.tenant_id = a.t AND x.account_id = a.p RETURNING 1
    ), changes AS (
        DELETE FROM consent_change c USING allowed a WHERE c.tenant_id = a.t AND c.party_id = a.p RETURNING 1
    )
    SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM credit), (SELECT count(*) FROM changes)
$$;
