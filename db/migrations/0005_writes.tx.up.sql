-- What changing the core needs: events, idempotency keys, settings, consent, addresses,
-- merges, and the columns that the rules of writing ask for.

-- Everything that happened, in order. Insert-only: the application's role has no UPDATE and
-- no DELETE here. It holds no names, addresses or numbers of people, so it outlives them.
CREATE TABLE event (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL,
    sequence        bigint GENERATED ALWAYS AS IDENTITY,
    type            text NOT NULL CONSTRAINT event_type_check CHECK (type ~ '^[A-Z][A-Z0-9_]{0,63}$'),
    record_type     text NOT NULL,
    record_id       uuid NOT NULL,
    actor           text NOT NULL,
    correlation_id  text,
    reason          text,
    source_refs     jsonb NOT NULL DEFAULT '[]',
    revision_before bigint,
    revision_after  bigint,
    changed_fields  text[] NOT NULL DEFAULT '{}',
    details         jsonb NOT NULL DEFAULT '{}',
    occurred_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT event_sequence_key UNIQUE (tenant_id, sequence)
);
--bun:split
CREATE INDEX event_record_idx ON event (tenant_id, record_id, sequence);
--bun:split
CREATE INDEX event_type_idx ON event (tenant_id, type, sequence);
--bun:split
CREATE INDEX event_occurred_idx ON event (tenant_id, occurred_at, id);
--bun:split

-- What became of a request that carried a key, for 24 hours.
CREATE TABLE idempotency_key (
    tenant_id  uuid NOT NULL,
    operation  text NOT NULL,
    key        text COLLATE "C" NOT NULL,
    input_hash bytea NOT NULL,
    -- json and not jsonb: the answer is replayed as it was.
    outcome    json,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, operation, key)
);
--bun:split
CREATE INDEX idempotency_key_created_idx ON idempotency_key (tenant_id, created_at);
--bun:split

-- How a tenant wants its rules; a tenant without a row has the defaults.
CREATE TABLE tenant_settings (
    tenant_id           uuid NOT NULL,
    id                  uuid NOT NULL,
    email_unique        boolean NOT NULL DEFAULT true,
    phone_unique        boolean NOT NULL DEFAULT false,
    contact_propagation text NOT NULL DEFAULT 'UPWARD' CONSTRAINT tenant_settings_propagation_check
                        CHECK (contact_propagation IN ('UPWARD', 'DOWNWARD', 'DISABLED')),
    restrictions        text[] NOT NULL DEFAULT '{}',
    -- Empty means every country.
    active_countries    text[] NOT NULL DEFAULT '{}',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    revision            bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT tenant_settings_single_check CHECK (id = tenant_id)
);
--bun:split

CREATE TABLE communication_preferences (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    email         text CONSTRAINT communication_preferences_email_check CHECK (email IN ('OPT_IN', 'OPT_OUT', 'NOT_APPLICABLE')),
    sms           text CONSTRAINT communication_preferences_sms_check CHECK (sms IN ('OPT_IN', 'OPT_OUT', 'NOT_APPLICABLE')),
    phone         text CONSTRAINT communication_preferences_phone_check CHECK (phone IN ('OPT_IN', 'OPT_OUT', 'NOT_APPLICABLE')),
    marketing     text CONSTRAINT communication_preferences_marketing_check CHECK (marketing IN ('OPT_IN', 'OPT_OUT', 'NOT_APPLICABLE')),
    custom        jsonb,
    note          text,
    update_source text NOT NULL,
    updated_by    text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    revision      bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id)
);
--bun:split

CREATE TABLE consent (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    party_id    uuid NOT NULL,
    type        text COLLATE "C" NOT NULL CONSTRAINT consent_type_check CHECK (type ~ '^[a-z][a-z0-9_]{0,127}$'),
    state       text NOT NULL CONSTRAINT consent_state_check CHECK (state IN ('GRANTED', 'DENIED', 'WITHDRAWN', 'UNKNOWN')),
    source      text,
    captured_at timestamptz NOT NULL,
    expires_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT consent_type_key UNIQUE (tenant_id, party_id, type)
);
--bun:split

-- Every change of a consent or a preference, insert-only. before and after are null where
-- nothing was said.
CREATE TABLE consent_change (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    party_id    uuid NOT NULL,
    kind        text NOT NULL CONSTRAINT consent_change_kind_check CHECK (kind IN ('CONSENT', 'PREFERENCE')),
    name        text COLLATE "C" NOT NULL,
    before      text,
    after       text,
    source      text,
    actor       text NOT NULL,
    reason      text,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
--bun:split
CREATE INDEX consent_change_party_idx ON consent_change (tenant_id, party_id, id);
--bun:split

CREATE TABLE location (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL,
    key          text COLLATE "C" NOT NULL,
    label        text,
    line1        text NOT NULL,
    line2        text,
    city         text NOT NULL,
    region       text,
    postal_code  text,
    country_code text NOT NULL CONSTRAINT location_country_check CHECK (country_code ~ '^[A-Z]{2}$'),
    -- Upper case, without spaces and hyphens, as postal codes are compared.
    postal_normalised text COLLATE "C",
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    revision     bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT location_key_key UNIQUE (tenant_id, key)
);
--bun:split
CREATE INDEX location_postal_idx ON location (tenant_id, postal_normalised, id);
--bun:split

CREATE TABLE party_location (
    tenant_id   uuid NOT NULL,
    party_id    uuid NOT NULL,
    location_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, party_id, location_id)
);
--bun:split
CREATE INDEX party_location_location_idx ON party_location (tenant_id, location_id, party_id);
--bun:split

CREATE TABLE merge (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    survivor_id    uuid NOT NULL,
    actor          text NOT NULL,
    justification  text NOT NULL,
    reason_code    text CONSTRAINT merge_reason_check
                   CHECK (reason_code IN ('DATA_CONSOLIDATION', 'DUPLICATE_ACCOUNT', 'ORGANIZATIONAL_CHANGE', 'OTHER')),
    source_refs    jsonb NOT NULL DEFAULT '[]',
    moved          jsonb NOT NULL,
    correlation_id text,
    merged_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
--bun:split
CREATE INDEX merge_survivor_idx ON merge (tenant_id, survivor_id, id);
--bun:split

-- One party that a merge ended, as it was before.
CREATE TABLE merge_loser (
    tenant_id uuid NOT NULL,
    merge_id  uuid NOT NULL,
    party_id  uuid NOT NULL,
    snapshot  jsonb NOT NULL,
    PRIMARY KEY (tenant_id, merge_id, party_id)
);
--bun:split
CREATE INDEX merge_loser_party_idx ON merge_loser (tenant_id, party_id, merge_id);
--bun:split

-- Parties: when they left, where they are registered, how they are treated. A tier belongs
-- to a party of either kind, so it moves here from the account.
ALTER TABLE party ADD COLUMN deactivated_at timestamptz, ADD COLUMN anonymized_at timestamptz,
    ADD COLUMN country_code text, ADD COLUMN restrictions text[] NOT NULL DEFAULT '{}',
    ADD COLUMN core_name text COLLATE "C", ADD COLUMN tax_id_normalised text COLLATE "C",
    ADD COLUMN tier text, ADD COLUMN tier_assigned_at timestamptz, ADD COLUMN tier_assigned_by text,
    ADD COLUMN tier_is_manual boolean NOT NULL DEFAULT false, ADD COLUMN tier_note text,
    ADD COLUMN annual_revenue numeric, ADD COLUMN active_contracts integer, ADD COLUMN account_age_months integer;
--bun:split
UPDATE party p SET tier = a.tier, tier_assigned_at = a.created_at, tier_assigned_by = 'system'
FROM account a WHERE a.tenant_id = p.tenant_id AND a.id = p.id AND a.tier IS NOT NULL;
--bun:split
ALTER TABLE account DROP COLUMN tier;
--bun:split
UPDATE party SET core_name = coalesce(substring(regexp_replace(search_name,
        '( (inc|incorporated|corp|corporation|co|company|llc|ltd|limited|plc|gmbh|ag|sa|bv))+$', '') FROM '..+'), search_name),
    tax_id_normalised = upper(regexp_replace(tax_id, '[^[:alnum:]]', '', 'g'))
WHERE kind = 'ORGANIZATION';
--bun:split
ALTER TABLE party ADD CONSTRAINT party_tier_check CHECK (tier IN ('STANDARD', 'BRONZE', 'SILVER', 'GOLD', 'PLATINUM', 'ENTERPRISE'));
--bun:split
ALTER TABLE party ADD CONSTRAINT party_revenue_check CHECK (annual_revenue >= 0);
--bun:split
ALTER TABLE party ADD CONSTRAINT party_country_check CHECK (country_code ~ '^[A-Z]{2}$');
--bun:split
ALTER TABLE party ADD CONSTRAINT party_anonymized_check CHECK ((status = 'ANONYMIZED') = (anonymized_at IS NOT NULL));
--bun:split
CREATE INDEX party_tax_idx ON party (tenant_id, tax_id_normalised, id) WHERE tax_id_normalised IS NOT NULL;
--bun:split
CREATE INDEX party_core_trgm ON party USING gin (tenant_id, core_name gin_trgm_ops) WHERE kind = 'ORGANIZATION';
--bun:split

ALTER TABLE customer ADD COLUMN tags text[] NOT NULL DEFAULT '{}', ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN primary_address text, ADD COLUMN home_logical_id text;
--bun:split

ALTER TABLE role ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(), ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN revision bigint NOT NULL DEFAULT 1;
--bun:split
ALTER TABLE billing_terms ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(), ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN revision bigint NOT NULL DEFAULT 1;
--bun:split

-- An alias came with a merge: it leads to the survivor, but is not the survivor's own.
-- folded is an e-mail address without what its owner may add to it, for finding duplicates.
ALTER TABLE identifier ADD COLUMN is_alias boolean NOT NULL DEFAULT false, ADD COLUMN folded text COLLATE "C" NOT NULL DEFAULT '';
--bun:split
UPDATE identifier SET folded = CASE WHEN split_part(normalised, '@', 2) = 'gmail.com'
    THEN replace(split_part(split_part(normalised, '@', 1), '+', 1), '.', '') || '@gmail.com'
    ELSE split_part(split_part(normalised, '@', 1), '+', 1) || '@' || split_part(normalised, '@', 2) END
WHERE kind = 'EMAIL';
--bun:split
CREATE INDEX identifier_folded_idx ON identifier (tenant_id, folded, party_id) WHERE folded <> '';
--bun:split
-- Telephone numbers are compared by their digits.
UPDATE identifier SET normalised = regexp_replace(normalised, '[^0-9]', '', 'g') WHERE kind = 'PHONE';
--bun:split
UPDATE contact_point SET normalised = regexp_replace(normalised, '[^0-9]', '', 'g') WHERE kind = 'PHONE';
--bun:split

-- Vehicles are also found by unit number and description, whatever their case, spaces and
-- hyphens.
ALTER TABLE vehicle ADD COLUMN unit_normalised text COLLATE "C", ADD COLUMN description_normalised text COLLATE "C";
--bun:split
UPDATE vehicle SET unit_normalised = upper(translate(unit_number, E' -\t', '')), description_normalised = upper(translate(description, E' -\t', ''))
WHERE unit_number IS NOT NULL OR description IS NOT NULL;
--bun:split
CREATE INDEX vehicle_unit_normalised_idx ON vehicle (tenant_id, unit_normalised, id) WHERE unit_normalised IS NOT NULL;
--bun:split
CREATE INDEX vehicle_description_idx ON vehicle (tenant_id, description_normalised, id) WHERE description_normalised IS NOT NULL;
--bun:split

-- A merge moves an engagement to another organisation, and its roles with it.
ALTER TABLE contact_role DROP CONSTRAINT contact_role_contact_fkey;
--bun:split
ALTER TABLE contact_role ADD CONSTRAINT contact_role_contact_fkey FOREIGN KEY (tenant_id, contact_id, organization_id)
    REFERENCES contact (tenant_id, id, organization_id) ON DELETE CASCADE ON UPDATE CASCADE;
--bun:split

-- A merge hands over the points of a customer with a pair of TRANSFER entries.
ALTER TABLE loyalty_transaction DROP CONSTRAINT loyalty_transaction_type_check;
--bun:split
ALTER TABLE loyalty_transaction ADD CONSTRAINT loyalty_transaction_type_check
    CHECK (type IN ('EARN', 'REDEEM', 'ADJUST', 'EXPIRE', 'REVERSE', 'RESTORE', 'TRANSFER'));
--bun:split
ALTER TABLE loyalty_transaction ADD COLUMN lifetime_moved bigint;
--bun:split
ALTER TABLE loyalty_transaction ADD CONSTRAINT loyalty_transaction_lifetime_check CHECK ((type = 'TRANSFER') = (lifetime_moved IS NOT NULL));
--bun:split

ALTER TABLE event ADD CONSTRAINT event_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE idempotency_key ADD CONSTRAINT idempotency_key_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE tenant_settings ADD CONSTRAINT tenant_settings_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE communication_preferences ADD CONSTRAINT communication_preferences_party_fkey FOREIGN KEY (tenant_id, id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE consent ADD CONSTRAINT consent_party_fkey FOREIGN KEY (tenant_id, party_id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE consent_change ADD CONSTRAINT consent_change_party_fkey FOREIGN KEY (tenant_id, party_id) REFERENCES party (tenant_id, id);
--bun:split
ALTER TABLE location ADD CONSTRAINT location_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE party_location ADD CONSTRAINT party_location_party_fkey FOREIGN KEY (tenant_id, party_id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE party_location ADD CONSTRAINT party_location_location_fkey FOREIGN KEY (tenant_id, location_id) REFERENCES location (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE merge ADD CONSTRAINT merge_survivor_fkey FOREIGN KEY (tenant_id, survivor_id) REFERENCES party (tenant_id, id);
--bun:split
ALTER TABLE merge_loser ADD CONSTRAINT merge_loser_merge_fkey FOREIGN KEY (tenant_id, merge_id) REFERENCES merge (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE merge_loser ADD CONSTRAINT merge_loser_party_fkey FOREIGN KEY (tenant_id, party_id) REFERENCES party (tenant_id, id);
--bun:split
GRANT SELECT, INSERT ON event TO crmgraph_app;
--bun:split
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY event_tenant ON event TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_key TO crmgraph_app;
--bun:split
ALTER TABLE idempotency_key ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY idempotency_key_tenant ON idempotency_key TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_settings TO crmgraph_app;
--bun:split
ALTER TABLE tenant_settings ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY tenant_settings_tenant ON tenant_settings TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON communication_preferences TO crmgraph_app;
--bun:split
ALTER TABLE communication_preferences ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY communication_preferences_tenant ON communication_preferences TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON consent TO crmgraph_app;
--bun:split
ALTER TABLE consent ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY consent_tenant ON consent TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT ON consent_change TO crmgraph_app;
--bun:split
ALTER TABLE consent_change ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY consent_change_tenant ON consent_change TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON location TO crmgraph_app;
--bun:split
ALTER TABLE location ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY location_tenant ON location TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON party_location TO crmgraph_app;
--bun:split
ALTER TABLE party_location ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY party_location_tenant ON party_location TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON merge TO crmgraph_app;
--bun:split
ALTER TABLE merge ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY merge_tenant ON merge TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON merge_loser TO crmgraph_app;
--bun:split
ALTER TABLE merge_loser ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY merge_loser_tenant ON merge_loser TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split

-- Erasing a customer is the one act that ends a ledger. The application's role may not
-- delete from it, so this function, which runs as the tables' owner, does: for one party of
-- the tenant that the connection is set to, and nothing else. It returns what it removed.
CREATE FUNCTION crm_erase_ledgers(tenant uuid, party uuid)
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
    ), lots AS (
        DELETE FROM loyalty_lot l USING allowed a WHERE l.tenant_id = a.t AND l.account_id = a.p RETURNING 1
    ), entries AS (
        DELETE FROM loyalty_transaction x USING allowed a WHERE x.tenant_id = a.t AND x.account_id = a.p RETURNING 1
    ), accounts AS (
        DELETE FROM loyalty_account l USING allowed a WHERE l.tenant_id = a.t AND l.id = a.p RETURNING 1
    ), changes AS (
        DELETE FROM consent_change c USING allowed a WHERE c.tenant_id = a.t AND c.party_id = a.p RETURNING 1
    )
    SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM changes)
$$;
--bun:split
REVOKE ALL ON FUNCTION crm_erase_ledgers FROM PUBLIC;
--bun:split
GRANT EXECUTE ON FUNCTION crm_erase_ledgers TO crmgraph_app;
--bun:split

-- Organisations whose core name resembles one. It runs as the tables' owner for the same
-- reason as crm_search, under the same guard.
CREATE FUNCTION crm_similar_organizations(tenant uuid, core text, threshold real)
RETURNS TABLE (id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
SET pg_trgm.similarity_threshold = 0.5
AS $$
    SELECT p.id
    FROM party p
    WHERE p.tenant_id = tenant AND tenant = nullif(current_setting('app.tenant', true), '')::uuid
      AND p.kind = 'ORGANIZATION' AND p.core_name % core AND similarity(p.core_name, core) >= threshold
      AND p.merged_into_id IS NULL AND p.deactivated_at IS NULL AND p.anonymized_at IS NULL
    ORDER BY similarity(p.core_name, core) DESC, p.created_at, p.id
    LIMIT 50
$$;
--bun:split
REVOKE ALL ON FUNCTION crm_similar_organizations FROM PUBLIC;
--bun:split
GRANT EXECUTE ON FUNCTION crm_similar_organizations TO crmgraph_app;
