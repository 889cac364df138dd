-- The core of the graph. Rules every table follows are told in docs/architecture.md
-- ("Tables"); db/tables.go lists the tables by kind and a test holds both to them.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
--bun:split
CREATE EXTENSION IF NOT EXISTS btree_gin;
--bun:split

-- Reference table: small, known everywhere, globally unique keys.
CREATE TABLE tenant (
    id         uuid PRIMARY KEY,
    code       text NOT NULL CONSTRAINT tenant_code_key UNIQUE,
    name       text NOT NULL,
    status     text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT tenant_status_check CHECK (status IN ('ACTIVE', 'SUSPENDED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_code_check CHECK (code ~ '^[a-z][a-z0-9-]{0,62}$')
);
--bun:split

-- One row per tenant and kind of number; taken FOR UPDATE when a number is given out.
CREATE TABLE counter (
    tenant_id  uuid NOT NULL,
    name       text NOT NULL,
    last_value bigint NOT NULL CONSTRAINT counter_value_check CHECK (last_value BETWEEN 0 AND 9007199254740991),
    PRIMARY KEY (tenant_id, name)
);
--bun:split

CREATE TABLE party (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    number         bigint NOT NULL,
    key            text COLLATE "C" NOT NULL,
    kind           text NOT NULL CONSTRAINT party_kind_check CHECK (kind IN ('INDIVIDUAL', 'ORGANIZATION')),
    status         text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT party_status_check
                   CHECK (status IN ('ACTIVE', 'PENDING', 'SUSPENDED', 'INACTIVE', 'MERGED', 'ANONYMIZED')),
    display_name   text NOT NULL,
    search_name    text COLLATE "C" NOT NULL,
    first_name     text,
    last_name      text,
    legal_name     text,
    trading_name   text,
    tax_id         text,
    birth_date     date,
    language       text,
    parent_id      uuid,
    merged_into_id uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    revision       bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT party_number_key UNIQUE (tenant_id, number),
    CONSTRAINT party_key_key UNIQUE (tenant_id, key),
    CONSTRAINT party_names_check CHECK (
        CASE kind WHEN 'ORGANIZATION' THEN legal_name IS NOT NULL ELSE legal_name IS NULL AND trading_name IS NULL END
    ),
    CONSTRAINT party_parent_check CHECK (parent_id <> id),
    CONSTRAINT party_merged_check CHECK ((status = 'MERGED') = (merged_into_id IS NOT NULL) AND merged_into_id <> id)
);
--bun:split

CREATE TABLE identifier (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    party_id   uuid NOT NULL,
    kind       text NOT NULL CONSTRAINT identifier_kind_check CHECK (kind IN ('EMAIL', 'PHONE', 'CODE', 'EXTERNAL')),
    system     text NOT NULL DEFAULT '',
    value      text NOT NULL,
    normalised text COLLATE "C" NOT NULL,
    -- A claim is an identifier that no other party of the tenant may hold.
    is_claim   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT identifier_system_check CHECK ((kind = 'EXTERNAL') = (system <> '')),
    CONSTRAINT identifier_party_key UNIQUE (tenant_id, party_id, kind, system, normalised)
);
--bun:split
CREATE UNIQUE INDEX identifier_claim_key ON identifier (tenant_id, kind, system, normalised) WHERE is_claim;
--bun:split
CREATE INDEX identifier_value_idx ON identifier (tenant_id, kind, normalised, party_id);
--bun:split

CREATE TABLE customer (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    number     bigint NOT NULL,
    code       text COLLATE "C" NOT NULL,
    type       text NOT NULL DEFAULT 'PRIVATE' CONSTRAINT customer_type_check
               CHECK (type IN ('PRIVATE', 'COMMERCIAL', 'GOVERNMENT')),
    status     text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT customer_status_check
               CHECK (status IN ('ACTIVE', 'INACTIVE', 'MERGED', 'ANONYMIZED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    revision   bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT customer_number_key UNIQUE (tenant_id, number),
    CONSTRAINT customer_code_key UNIQUE (tenant_id, code)
);
--bun:split

CREATE TABLE billing_terms (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    code       text COLLATE "C" NOT NULL,
    label      text NOT NULL,
    net_days   integer NOT NULL CONSTRAINT billing_terms_days_check CHECK (net_days BETWEEN 0 AND 3650),
    is_default boolean NOT NULL DEFAULT false,
    status     text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT billing_terms_status_check
               CHECK (status IN ('ACTIVE', 'INACTIVE', 'ARCHIVED')),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT billing_terms_code_key UNIQUE (tenant_id, code)
);
--bun:split
CREATE UNIQUE INDEX billing_terms_default_key ON billing_terms (tenant_id) WHERE is_default;
--bun:split

CREATE TABLE account (
    tenant_id         uuid NOT NULL,
    id                uuid NOT NULL,
    code              text COLLATE "C" NOT NULL,
    status            text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT account_status_check
                      CHECK (status IN ('ACTIVE', 'INACTIVE', 'DOOMED')),
    tier              text CONSTRAINT account_tier_check
                      CHECK (tier IN ('STANDARD', 'BRONZE', 'SILVER', 'GOLD', 'PLATINUM', 'ENTERPRISE')),
    billing_terms_id  uuid,
    invoice_delivery  text NOT NULL DEFAULT 'EMAIL' CONSTRAINT account_delivery_check
                      CHECK (invoice_delivery IN ('EMAIL', 'PORTAL', 'MAIL', 'EMAIL_AND_MAIL')),
    currency          text CONSTRAINT account_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    credit_limit      bigint CONSTRAINT account_limit_check CHECK (credit_limit BETWEEN 0 AND 9007199254740991),
    credit_used       bigint NOT NULL DEFAULT 0 CONSTRAINT account_used_check CHECK (credit_used BETWEEN 0 AND 9007199254740991),
    credit_hold       boolean NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    revision          bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT account_code_key UNIQUE (tenant_id, code),
    CONSTRAINT account_money_check CHECK (currency IS NOT NULL OR (credit_limit IS NULL AND credit_used = 0))
);
--bun:split

CREATE TABLE role (
    tenant_id uuid NOT NULL,
    id        uuid NOT NULL,
    code      text COLLATE "C" NOT NULL,
    label     text NOT NULL,
    position  integer NOT NULL,
    status    text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT role_status_check CHECK (status IN ('ACTIVE', 'INACTIVE')),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT role_code_key UNIQUE (tenant_id, code),
    CONSTRAINT role_code_check CHECK (code ~ '^[A-Z][A-Z0-9_]{0,63}$')
);
--bun:split

CREATE TABLE contact (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    key              text COLLATE "C" NOT NULL,
    organization_id  uuid NOT NULL,
    person_id        uuid NOT NULL,
    title            text,
    is_primary       boolean NOT NULL DEFAULT false,
    invoice_delivery text CONSTRAINT contact_delivery_check
                     CHECK (invoice_delivery IN ('EMAIL', 'PORTAL', 'MAIL', 'EMAIL_AND_MAIL')),
    status           text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT contact_status_check CHECK (status IN ('ACTIVE', 'INACTIVE')),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    revision         bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT contact_key_key UNIQUE (tenant_id, key),
    CONSTRAINT contact_person_key UNIQUE (tenant_id, organization_id, person_id),
    CONSTRAINT contact_organization_key UNIQUE (tenant_id, id, organization_id),
    CONSTRAINT contact_self_check CHECK (organization_id <> person_id)
);
--bun:split
CREATE INDEX contact_organization_idx ON contact (tenant_id, organization_id, id);
--bun:split
CREATE INDEX contact_person_idx ON contact (tenant_id, person_id, id);
--bun:split

CREATE TABLE contact_role (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL,
    contact_id      uuid NOT NULL,
    -- Repeats the contact's organisation so that the one-primary rule is an index.
    organization_id uuid NOT NULL,
    role_id         uuid NOT NULL,
    is_primary      boolean NOT NULL DEFAULT false,
    status          text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT contact_role_status_check CHECK (status IN ('ACTIVE', 'INACTIVE')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    revision        bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT contact_role_role_key UNIQUE (tenant_id, contact_id, role_id),
    CONSTRAINT contact_role_primary_check CHECK (NOT is_primary OR status = 'ACTIVE')
);
--bun:split
CREATE UNIQUE INDEX contact_role_primary_key ON contact_role (tenant_id, organization_id, role_id) WHERE is_primary;
--bun:split
CREATE INDEX contact_role_role_idx ON contact_role (tenant_id, role_id, id);
--bun:split

CREATE TABLE contact_point (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    party_id   uuid NOT NULL,
    kind       text NOT NULL CONSTRAINT contact_point_kind_check CHECK (kind IN ('EMAIL', 'PHONE')),
    label      text NOT NULL DEFAULT 'OTHER' CONSTRAINT contact_point_label_check
               CHECK (label IN ('HOME', 'WORK', 'MOBILE', 'OTHER')),
    value      text NOT NULL,
    normalised text COLLATE "C" NOT NULL,
    extension  text CONSTRAINT contact_point_extension_check CHECK (extension IS NULL OR kind = 'PHONE' AND extension ~ '^[0-9]{1,10}$'),
    is_primary boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    revision   bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id)
);
--bun:split
CREATE UNIQUE INDEX contact_point_primary_key ON contact_point (tenant_id, party_id, kind) WHERE is_primary;
--bun:split
CREATE INDEX contact_point_party_idx ON contact_point (tenant_id, party_id, id);
--bun:split
CREATE INDEX contact_point_value_idx ON contact_point (tenant_id, kind, normalised, party_id);
--bun:split

CREATE TABLE vehicle (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    number           bigint NOT NULL,
    vin              text COLLATE "C",
    vin_entered      text,
    plate            text,
    plate_normalised text COLLATE "C",
    plate_region     text,
    unit_number      text COLLATE "C",
    description      text,
    make             text COLLATE "C",
    model            text COLLATE "C",
    year             integer CONSTRAINT vehicle_year_check CHECK (year BETWEEN 1886 AND 2200),
    trim             text,
    search_text      text NOT NULL,
    status           text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT vehicle_status_check CHECK (status IN ('ACTIVE', 'INACTIVE')),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    revision         bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT vehicle_number_key UNIQUE (tenant_id, number),
    CONSTRAINT vehicle_vin_check CHECK (vin ~ '^[A-HJ-NPR-Z0-9]{17}$'),
    CONSTRAINT vehicle_entered_check CHECK ((vin IS NULL) = (vin_entered IS NULL)),
    CONSTRAINT vehicle_plate_check CHECK ((plate IS NULL) = (plate_normalised IS NULL) AND (plate IS NOT NULL OR plate_region IS NULL))
);
--bun:split
CREATE UNIQUE INDEX vehicle_vin_key ON vehicle (tenant_id, vin) WHERE status = 'ACTIVE';
--bun:split
CREATE INDEX vehicle_vin_idx ON vehicle (tenant_id, vin, id);
--bun:split
CREATE INDEX vehicle_plate_idx ON vehicle (tenant_id, plate_normalised, id);
--bun:split
CREATE INDEX vehicle_make_idx ON vehicle (tenant_id, make, id);
--bun:split

-- Who had a vehicle and when: [effective_from, effective_to), open when there is no end.
CREATE TABLE vehicle_association (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    vehicle_id     uuid NOT NULL,
    party_id       uuid NOT NULL,
    kind           text NOT NULL CONSTRAINT vehicle_association_kind_check CHECK (kind IN ('OWNER', 'PRIMARY_DRIVER')),
    effective_from timestamptz NOT NULL,
    effective_to   timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT vehicle_association_period_check CHECK (effective_to >= effective_from)
);
--bun:split
CREATE UNIQUE INDEX vehicle_association_owner_key ON vehicle_association (tenant_id, vehicle_id)
    WHERE kind = 'OWNER' AND effective_to IS NULL;
--bun:split
CREATE UNIQUE INDEX vehicle_association_open_key ON vehicle_association (tenant_id, vehicle_id, party_id, kind)
    WHERE effective_to IS NULL;
--bun:split
CREATE INDEX vehicle_association_vehicle_idx ON vehicle_association (tenant_id, vehicle_id, effective_from, id);
--bun:split
CREATE INDEX vehicle_association_party_idx ON vehicle_association (tenant_id, party_id, kind, vehicle_id)
    WHERE effective_to IS NULL;
--bun:split

-- The running totals of a customer's points. balance is the sum of the ledger and of
-- what its lots still hold; what of it is spendable now follows from the lots' dates.
CREATE TABLE loyalty_account (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL,
    balance         bigint NOT NULL DEFAULT 0 CONSTRAINT loyalty_account_balance_check CHECK (balance BETWEEN 0 AND 9007199254740991),
    lifetime_earned bigint NOT NULL DEFAULT 0 CONSTRAINT loyalty_account_lifetime_check CHECK (lifetime_earned BETWEEN 0 AND 9007199254740991),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    revision        bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id)
);
--bun:split

-- Insert-only: the application's role has no UPDATE and no DELETE here.
CREATE TABLE loyalty_transaction (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    account_id    uuid NOT NULL,
    type          text NOT NULL CONSTRAINT loyalty_transaction_type_check
                  CHECK (type IN ('EARN', 'REDEEM', 'ADJUST', 'EXPIRE', 'REVERSE', 'RESTORE')),
    points        bigint NOT NULL CONSTRAINT loyalty_transaction_points_check
                  CHECK (points BETWEEN -9007199254740991 AND 9007199254740991),
    balance_after bigint NOT NULL CONSTRAINT loyalty_transaction_balance_check CHECK (balance_after >= 0),
    currency      text CONSTRAINT loyalty_transaction_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    amount        bigint,
    redeem_value  bigint,
    channel       text,
    order_ref     text COLLATE "C",
    reason        text,
    available_at  timestamptz,
    expires_at    timestamptz,
    occurred_at   timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT loyalty_transaction_money_check CHECK (currency IS NOT NULL OR (amount IS NULL AND redeem_value IS NULL)),
    CONSTRAINT loyalty_transaction_sign_check CHECK (
        CASE type WHEN 'EARN' THEN points >= 0 WHEN 'RESTORE' THEN points >= 0
                  WHEN 'REDEEM' THEN points <= 0 WHEN 'EXPIRE' THEN points <= 0 WHEN 'REVERSE' THEN points <= 0
                  ELSE true END
    )
);
--bun:split
CREATE INDEX loyalty_transaction_account_idx ON loyalty_transaction (tenant_id, account_id, id);
--bun:split
CREATE INDEX loyalty_transaction_order_idx ON loyalty_transaction (tenant_id, order_ref, id) WHERE order_ref IS NOT NULL;
--bun:split

-- Which earlier transaction a REVERSE or RESTORE answers. Insert-only, too.
CREATE TABLE loyalty_transaction_link (
    tenant_id      uuid NOT NULL,
    transaction_id uuid NOT NULL,
    related_id     uuid NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, related_id),
    CONSTRAINT loyalty_transaction_link_self_check CHECK (transaction_id <> related_id)
);
--bun:split

-- Points that came in together and expire together; debits take from remaining.
CREATE TABLE loyalty_lot (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    account_id     uuid NOT NULL,
    transaction_id uuid NOT NULL,
    points         bigint NOT NULL CONSTRAINT loyalty_lot_points_check CHECK (points > 0),
    remaining      bigint NOT NULL,
    available_at   timestamptz NOT NULL,
    expires_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT loyalty_lot_remaining_check CHECK (remaining BETWEEN 0 AND points),
    CONSTRAINT loyalty_lot_period_check CHECK (expires_at > available_at)
);
--bun:split
CREATE INDEX loyalty_lot_open_idx ON loyalty_lot (tenant_id, account_id, expires_at, id) WHERE remaining > 0;
--bun:split

CREATE TABLE warranty (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    customer_id   uuid NOT NULL,
    vehicle_id    uuid,
    serial_number text COLLATE "C" NOT NULL,
    status        text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT warranty_status_check
                  CHECK (status IN ('ACTIVE', 'EXPIRED', 'VOIDED', 'DOOMED')),
    months        integer CONSTRAINT warranty_months_check CHECK (months BETWEEN 1 AND 1200),
    coverage      text,
    description   text,
    order_ref     text,
    starts_at     timestamptz NOT NULL,
    expires_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    revision      bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT warranty_period_check CHECK (expires_at > starts_at)
);
--bun:split
CREATE UNIQUE INDEX warranty_serial_key ON warranty (tenant_id, serial_number) WHERE status = 'ACTIVE';
--bun:split
CREATE INDEX warranty_serial_idx ON warranty (tenant_id, serial_number, id);
--bun:split
CREATE INDEX warranty_customer_idx ON warranty (tenant_id, customer_id, id);
--bun:split
CREATE INDEX warranty_vehicle_idx ON warranty (tenant_id, vehicle_id, id);
--bun:split
CREATE INDEX warranty_expires_idx ON warranty (tenant_id, expires_at, id);
--bun:split
CREATE INDEX party_parent_idx ON party (tenant_id, parent_id, id);
--bun:split
CREATE INDEX party_merged_idx ON party (tenant_id, merged_into_id, id) WHERE merged_into_id IS NOT NULL;
--bun:split
CREATE INDEX party_name_idx ON party (tenant_id, search_name, id);
--bun:split
CREATE INDEX party_created_idx ON party (tenant_id, created_at, id);
--bun:split
CREATE INDEX customer_created_idx ON customer (tenant_id, created_at, id);
--bun:split

-- What connections are filtered and sorted by, beside what the edges need.
CREATE INDEX customer_status_idx ON customer (tenant_id, status, id);
--bun:split
CREATE INDEX customer_type_idx ON customer (tenant_id, type, id);
--bun:split
CREATE INDEX party_status_idx ON party (tenant_id, status, id);
--bun:split
CREATE INDEX party_kind_idx ON party (tenant_id, kind, id);
--bun:split
CREATE INDEX contact_status_idx ON contact (tenant_id, status, id);
--bun:split
CREATE INDEX contact_created_idx ON contact (tenant_id, created_at, id);
--bun:split
CREATE INDEX contact_role_organization_idx ON contact_role (tenant_id, organization_id, id);
--bun:split
CREATE INDEX contact_role_status_idx ON contact_role (tenant_id, status, id);
--bun:split
CREATE INDEX contact_role_created_idx ON contact_role (tenant_id, created_at, id);
--bun:split
CREATE INDEX vehicle_status_idx ON vehicle (tenant_id, status, id);
--bun:split
CREATE INDEX vehicle_unit_idx ON vehicle (tenant_id, unit_number, id);
--bun:split
CREATE INDEX vehicle_model_idx ON vehicle (tenant_id, model, id);
--bun:split
CREATE INDEX vehicle_year_idx ON vehicle (tenant_id, year, id);
--bun:split
CREATE INDEX vehicle_created_idx ON vehicle (tenant_id, created_at, id);
--bun:split
CREATE INDEX loyalty_account_created_idx ON loyalty_account (tenant_id, created_at, id);
--bun:split
CREATE INDEX loyalty_transaction_type_idx ON loyalty_transaction (tenant_id, type, id);
--bun:split
CREATE INDEX loyalty_transaction_occurred_idx ON loyalty_transaction (tenant_id, occurred_at, id);
--bun:split
CREATE INDEX warranty_status_idx ON warranty (tenant_id, status, id);
--bun:split
CREATE INDEX warranty_starts_idx ON warranty (tenant_id, starts_at, id);
