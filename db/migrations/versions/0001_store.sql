-- Generated from db/tables when this revision was frozen; later changes are later revisions.

CREATE TABLE store.activity (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    action TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id UUID,
    actor_name TEXT NOT NULL,
    summary TEXT NOT NULL,
    job_id UUID,
    lead_id UUID,
    lead_count BIGINT,
    ip_address TEXT,
    details JSONB DEFAULT '{}' NOT NULL,
    PRIMARY KEY (organization_id, id, at)
) PARTITION BY RANGE (at);

CREATE INDEX activity_newest ON store.activity (organization_id, at DESC, id DESC);

CREATE TABLE store.api_keys (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    permissions TEXT[] DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX api_keys_prefix ON store.api_keys (prefix);

CREATE TABLE store.bulk_results (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    job_id UUID NOT NULL,
    position INTEGER NOT NULL,
    lead_id UUID,
    given TEXT,
    outcome TEXT NOT NULL,
    code TEXT,
    message TEXT,
    PRIMARY KEY (organization_id, job_id, position)
);

CREATE TABLE store.calls (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    lead_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    status TEXT NOT NULL,
    duration_seconds INTEGER,
    created_by TEXT,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX calls_of_lead ON store.calls (organization_id, lead_id, at);

CREATE TABLE store.companies (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    external_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT companies_name_key UNIQUE (organization_id, name_key)
);

CREATE TABLE store.custom_fields (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    key TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, key)
);

CREATE TABLE store.deliveries (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    job_id UUID,
    file_id UUID,
    webhook_endpoint_id UUID,
    event TEXT,
    payload JSONB DEFAULT '{}' NOT NULL,
    state TEXT DEFAULT 'PENDING' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    last_error TEXT,
    response_status INTEGER,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    link_expires_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX deliveries_due ON store.deliveries (next_attempt_at) WHERE state = 'PENDING';

CREATE INDEX deliveries_of_endpoint ON store.deliveries (organization_id, webhook_endpoint_id, created_at DESC);

CREATE INDEX deliveries_of_job ON store.deliveries (organization_id, job_id);

CREATE TABLE store.export_schedules (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    enabled BOOLEAN DEFAULT true NOT NULL,
    spec JSONB DEFAULT '{}' NOT NULL,
    incremental BOOLEAN DEFAULT false NOT NULL,
    skip_when_empty BOOLEAN DEFAULT false NOT NULL,
    deliver JSONB DEFAULT '{}' NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id UUID,
    actor_name TEXT NOT NULL,
    next_run_at TIMESTAMP WITH TIME ZONE,
    last_job_id UUID,
    delta_token TEXT,
    consecutive_failures INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX export_schedules_due ON store.export_schedules (next_run_at) WHERE enabled;

CREATE TABLE store.export_templates (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    spec JSONB DEFAULT '{}' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT export_templates_name UNIQUE (organization_id, name)
);

CREATE TABLE store.idempotency_keys (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    input_hash TEXT NOT NULL,
    response JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, operation, key)
);

CREATE TABLE store.import_changes (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    job_id UUID NOT NULL,
    row INTEGER NOT NULL,
    lead_id UUID NOT NULL,
    version_after INTEGER,
    before JSONB DEFAULT '{}' NOT NULL,
    after JSONB DEFAULT '{}' NOT NULL,
    reverted BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (organization_id, job_id, row)
);

CREATE INDEX import_changes_of_lead ON store.import_changes (organization_id, job_id, lead_id);

CREATE TABLE store.import_issue_groups (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    job_id UUID NOT NULL,
    group_key TEXT NOT NULL,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    column_name TEXT,
    field TEXT,
    value TEXT,
    rows INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    message TEXT NOT NULL,
    suggestion TEXT,
    PRIMARY KEY (organization_id, job_id, group_key)
);

CREATE TABLE store.import_issues (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    job_id UUID NOT NULL,
    row INTEGER NOT NULL,
    position SMALLINT NOT NULL,
    line INTEGER,
    column_name TEXT,
    field TEXT,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    message TEXT NOT NULL,
    value TEXT,
    suggestion TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, job_id, row, position, created_at)
) PARTITION BY RANGE (created_at);

CREATE UNLOGGED TABLE store.import_keys (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    job_id UUID NOT NULL,
    kind CHAR(1) NOT NULL,
    key TEXT NOT NULL,
    lead_id UUID NOT NULL,
    row INTEGER NOT NULL,
    state JSONB,
    PRIMARY KEY (organization_id, job_id, kind, key, lead_id)
);

CREATE INDEX import_keys_of_lead ON store.import_keys (lead_id, job_id);

CREATE TABLE store.import_mappings (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    columns JSONB DEFAULT '{}' NOT NULL,
    options JSONB DEFAULT '{}' NOT NULL,
    used_count INTEGER DEFAULT 0 NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT import_mappings_name UNIQUE (organization_id, name)
);

CREATE TABLE store.import_outcomes (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    job_id UUID NOT NULL,
    block INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    last_row INTEGER NOT NULL,
    rows INTEGER[] NOT NULL,
    lines INTEGER[],
    source_rows INTEGER[],
    outcomes TEXT NOT NULL,
    lead_ids UUID[] NOT NULL,
    matched_by TEXT NOT NULL,
    PRIMARY KEY (organization_id, job_id, block)
);

CREATE TABLE store.job_files (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    job_id UUID NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    content_type TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    rows BIGINT,
    sha256 TEXT NOT NULL,
    sensitive BOOLEAN DEFAULT false NOT NULL,
    uploader_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    download_count INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX job_files_expiring ON store.job_files (expires_at) WHERE deleted_at IS NULL;

CREATE INDEX job_files_of_job ON store.job_files (organization_id, job_id);

CREATE TABLE store.job_progress (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    job_id UUID NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    phase TEXT DEFAULT 'queued' NOT NULL,
    processed BIGINT DEFAULT 0 NOT NULL,
    total BIGINT,
    rows_per_second DOUBLE PRECISION,
    eta_seconds INTEGER,
    revision INTEGER DEFAULT 1 NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, job_id)
)
 WITH (fillfactor = 50);

CREATE TABLE store.jobs (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    large BOOLEAN DEFAULT false NOT NULL,
    priority INTEGER DEFAULT 0 NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    attempts SMALLINT DEFAULT 0 NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id UUID,
    actor_name TEXT NOT NULL,
    actor_role TEXT,
    actor_permissions TEXT[] DEFAULT '{}' NOT NULL,
    actor_address TEXT,
    trigger TEXT NOT NULL,
    schedule_id UUID,
    spec JSONB DEFAULT '{}' NOT NULL,
    result JSONB DEFAULT '{}' NOT NULL,
    failure JSONB,
    idempotency_key TEXT,
    input_hash TEXT,
    file_sha256 TEXT,
    row_count BIGINT DEFAULT 0 NOT NULL,
    byte_count BIGINT DEFAULT 0 NOT NULL,
    engine_id BIGINT,
    cancel_requested BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    admitted_at TIMESTAMP WITH TIME ZONE,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT jobs_idempotency_key UNIQUE (organization_id, idempotency_key)
);

CREATE INDEX jobs_active ON store.jobs (state, organization_id) WHERE state IN ('QUEUED', 'RUNNING', 'CANCELLING');

CREATE INDEX jobs_newest ON store.jobs (organization_id, created_at DESC, id DESC);

CREATE INDEX jobs_same_file ON store.jobs (organization_id, file_sha256) WHERE file_sha256 IS NOT NULL;

CREATE INDEX jobs_waiting ON store.jobs (organization_id, priority DESC, created_at) WHERE state = 'QUEUED';

CREATE TABLE store.lead_deletions (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    lead_id UUID NOT NULL,
    external_id TEXT,
    deleted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    changed_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    PRIMARY KEY (organization_id, lead_id)
);

CREATE INDEX lead_deletions_since ON store.lead_deletions (organization_id, changed_xid);

CREATE TABLE store.notes (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    lead_id UUID NOT NULL,
    text TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT,
    import_job_id UUID,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX notes_of_lead ON store.notes (organization_id, lead_id, created_at, id);

CREATE TABLE store.organizations (
    id UUID NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    settings JSONB DEFAULT '{}' NOT NULL,
    limits JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (slug)
);

CREATE TABLE store.statuses (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    key TEXT NOT NULL,
    key_folded TEXT NOT NULL,
    label TEXT NOT NULL,
    stage TEXT NOT NULL,
    position INTEGER DEFAULT 0 NOT NULL,
    color TEXT,
    active BOOLEAN DEFAULT true NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT statuses_key UNIQUE (organization_id, key_folded)
);

CREATE TABLE store.uploads (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    file_name TEXT NOT NULL,
    key TEXT NOT NULL,
    content_type TEXT,
    declared_bytes BIGINT,
    bytes BIGINT,
    sha256 TEXT,
    state TEXT NOT NULL,
    actor_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX uploads_expiring ON store.uploads (expires_at);

CREATE TABLE store.users (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    external_id TEXT,
    name TEXT NOT NULL,
    email TEXT,
    role TEXT NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT users_external_id UNIQUE (organization_id, external_id)
);

CREATE TABLE store.webhook_endpoints (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    url TEXT NOT NULL,
    events TEXT[] DEFAULT '{}' NOT NULL,
    enabled BOOLEAN DEFAULT true NOT NULL,
    secret_cipher TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE store.chatbots (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    company_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT chatbots_name_key UNIQUE (organization_id, name_key),
    CONSTRAINT chatbots_company FOREIGN KEY(organization_id, company_id) REFERENCES store.companies (organization_id, id)
);

CREATE TABLE store.leads (
    organization_id UUID DEFAULT nullif(current_setting('app.organization_id', true), '')::uuid NOT NULL,
    id UUID NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    external_id TEXT,
    name TEXT,
    phone TEXT,
    phone_display TEXT,
    phone_key TEXT,
    email TEXT,
    email_key TEXT,
    national_id_cipher TEXT,
    national_id_last4 TEXT,
    address_street TEXT,
    address_city TEXT,
    address_region TEXT,
    address_postal_code TEXT,
    address_country TEXT,
    policy_of_interest TEXT,
    preferred_contact_time TEXT,
    status_id UUID NOT NULL,
    stage TEXT NOT NULL,
    status_code TEXT,
    source TEXT DEFAULT 'UNKNOWN' NOT NULL,
    lead_source TEXT,
    score SMALLINT,
    interest_level TEXT,
    confidence TEXT,
    category TEXT,
    primary_language TEXT,
    detected_languages TEXT[] DEFAULT '{}' NOT NULL,
    ai_legitimate BOOLEAN,
    ai_confidence_score SMALLINT,
    ai_verification_reasons TEXT[] DEFAULT '{}' NOT NULL,
    session_id TEXT,
    user_agent TEXT,
    ip_address TEXT,
    location_country TEXT,
    location_city TEXT,
    message_count INTEGER,
    session_duration INTEGER,
    first_interest_detected TIMESTAMP WITH TIME ZONE,
    last_interest_detected TIMESTAMP WITH TIME ZONE,
    conversation_summary TEXT,
    conversation_id TEXT,
    company_id UUID,
    chatbot_id UUID,
    assignee_id UUID,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    converted_at TIMESTAMP WITH TIME ZONE,
    conversion_value NUMERIC(18, 4),
    conversion_currency TEXT,
    conversion_source TEXT,
    last_call_at TIMESTAMP WITH TIME ZONE,
    last_call_status TEXT,
    last_call_duration_seconds INTEGER,
    property_id TEXT,
    case_type TEXT,
    won_reason TEXT,
    loss_reason TEXT,
    notes_count INTEGER DEFAULT 0 NOT NULL,
    custom JSONB DEFAULT '{}' NOT NULL,
    search_text TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT,
    updated_by TEXT,
    import_job_id UUID,
    changed_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    PRIMARY KEY (organization_id, id),
    CONSTRAINT leads_status FOREIGN KEY(organization_id, status_id) REFERENCES store.statuses (organization_id, id),
    CONSTRAINT leads_company FOREIGN KEY(organization_id, company_id) REFERENCES store.companies (organization_id, id),
    CONSTRAINT leads_assignee FOREIGN KEY(organization_id, assignee_id) REFERENCES store.users (organization_id, id)
);

CREATE INDEX leads_by_email ON store.leads (organization_id, email_key) WHERE email_key IS NOT NULL;

CREATE INDEX leads_by_external_id ON store.leads (organization_id, external_id) WHERE external_id IS NOT NULL;

CREATE INDEX leads_by_import ON store.leads (organization_id, import_job_id) WHERE import_job_id IS NOT NULL;

CREATE INDEX leads_by_name ON store.leads (organization_id, (lower(name) COLLATE "C"), id);

CREATE INDEX leads_by_phone ON store.leads (organization_id, phone_key);

CREATE INDEX leads_by_score ON store.leads (organization_id, score DESC NULLS LAST, id DESC);

CREATE INDEX leads_newest ON store.leads (organization_id, created_at DESC, id DESC);

CREATE INDEX leads_recently_updated ON store.leads (organization_id, updated_at DESC, id DESC);

CREATE INDEX leads_search ON store.leads USING gin (organization_id, search_text gin_trgm_ops);

CREATE INDEX leads_status_newest ON store.leads (organization_id, status_id, created_at DESC, id DESC);

CREATE TABLE store.activity_default PARTITION OF store.activity DEFAULT;

CREATE TABLE store.import_issues_default PARTITION OF store.import_issues DEFAULT;

-- Makes the partitions of this month (in UTC) and of so many after it, and moves rows that came before them out of the
-- default partition; gives back how many it made.
CREATE FUNCTION store.create_partitions(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = store, pg_temp AS $$
DECLARE
    parent text;
    at_column text;
    starts timestamptz;
    ends timestamptz;
    part text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('store.create_partitions', 0));
    FOR parent, at_column IN VALUES ('activity', 'at'), ('import_issues', 'created_at') LOOP
        FOR month IN 0..months LOOP
            starts := date_trunc('month', now() AT TIME ZONE 'UTC' + make_interval(months => month)) AT TIME ZONE 'UTC';
            ends := (starts AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
            part := parent || to_char(starts AT TIME ZONE 'UTC', '_YYYY_MM');
            CONTINUE WHEN to_regclass('store.' || part) IS NOT NULL;
            EXECUTE format('CREATE TABLE store.%I (LIKE store.%I INCLUDING DEFAULTS)', part, parent);
            EXECUTE format('WITH moved AS (DELETE FROM store.%I WHERE %I >= %L AND %I < %L RETURNING *) '
                'INSERT INTO store.%I SELECT * FROM moved', parent || '_default', at_column, starts, at_column, ends, part);
            EXECUTE format('ALTER TABLE store.%I ATTACH PARTITION store.%I FOR VALUES FROM (%L) TO (%L)',
                parent, part, starts, ends);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END;
$$;
