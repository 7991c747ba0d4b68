-- What the catalogue says, as received: kind is municipality, unit, post, calendar or carta.
-- The primary key answers "latest version of one thing" and "all things of one kind".
CREATE TABLE catalogue (
    municipality text NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    data jsonb NOT NULL,
    PRIMARY KEY (municipality, kind, id, version)
);

-- Numbers of actions, without gaps: INC-<year>-<number>.
CREATE TABLE action_number (
    year integer PRIMARY KEY,
    last integer NOT NULL CHECK (last >= 1)
);

CREATE TABLE action (
    action text PRIMARY KEY,
    municipality text NOT NULL,
    carta text NOT NULL,
    carta_version integer NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    responsible_unit text NOT NULL,
    window_id text NOT NULL,
    -- All windows that joined: [first start, last end).
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL CHECK (window_end > window_start),
    revision integer NOT NULL CHECK (revision >= 1),
    state text NOT NULL CHECK (state IN ('requested', 'acknowledged', 'filed', 'returned',
                                         'approved', 'implemented', 'closed')),
    level integer NOT NULL DEFAULT 1 CHECK (level >= 1),
    -- Highest rank of the ladder that was told; an escalation tells the next one.
    told_rank integer NOT NULL DEFAULT 0,
    requested_at timestamptz NOT NULL,
    scheduled boolean NOT NULL DEFAULT false,
    acknowledge_by timestamptz,
    plan_by timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    filed_at timestamptz,
    filed_by text,
    cause_category text,
    cause text,
    containment text,
    plan text,
    planned_for date,
    propose_change boolean NOT NULL DEFAULT false,
    -- How often its terms began anew: after a return, or when a recovered window broke again.
    rounds integer NOT NULL DEFAULT 0,
    return_reason text,
    approved_at timestamptz,
    public_text text,
    recovered_at timestamptz,
    link_version integer NOT NULL DEFAULT 1,
    -- Message-ID of the first mail: the others answer it.
    thread text,
    UNIQUE (municipality, compromiso, unit, window_id)
);
-- LIST_ACTIONS.
CREATE INDEX action_by_unit ON action (municipality, responsible_unit);
-- UNSCHEDULED.
CREATE INDEX action_unscheduled ON action (requested_at) WHERE NOT scheduled;

-- What asks for the action: a breached window, or an upheld complaint (then with its folio).
CREATE TABLE action_trigger (
    breach text NOT NULL,
    folio text NOT NULL DEFAULT '',
    action text NOT NULL REFERENCES action,
    event_id text NOT NULL,
    joined_at timestamptz NOT NULL,
    recovered_at timestamptz,
    data jsonb NOT NULL,
    PRIMARY KEY (breach, folio)
);
-- TRIGGERS_OF.
CREATE INDEX action_trigger_by_action ON action_trigger (action);

-- Who took which step, when, with what; never changed.
CREATE TABLE action_step (
    action text NOT NULL REFERENCES action,
    revision integer NOT NULL,
    step text NOT NULL,
    post text,
    at timestamptz NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (action, revision)
);

-- `round` counts the times that the terms began anew.
CREATE TABLE deadline (
    action text NOT NULL REFERENCES action,
    round integer NOT NULL,
    level integer NOT NULL,
    awaited text NOT NULL CHECK (awaited IN ('acknowledgement', 'plan')),
    due_at timestamptz NOT NULL,
    outcome text NOT NULL DEFAULT 'pending'
        CHECK (outcome IN ('pending', 'kept', 'escalated', 'dropped')),
    settled_at timestamptz,
    PRIMARY KEY (action, round, level)
);
-- DUE_ACTIONS.
CREATE INDEX deadline_pending ON deadline (due_at) WHERE outcome = 'pending';

-- Statements that ask for no action: late cases, risks, confirmations.
CREATE TABLE notice (
    event_id text PRIMARY KEY,
    municipality text NOT NULL,
    kind text NOT NULL,
    responsible_unit text NOT NULL,
    carta text NOT NULL,
    carta_version integer NOT NULL,
    compromiso text NOT NULL,
    unit text NOT NULL,
    window_id text NOT NULL,
    case_id text,
    due_at timestamptz,
    noted_at timestamptz NOT NULL,
    digest text
);
-- UNDIGESTED.
CREATE INDEX notice_undigested ON notice (municipality, noted_at)
    WHERE digest IS NULL AND kind IN ('late_case', 'at_risk');
-- FORGET_NOTICES.
CREATE INDEX notice_by_age ON notice (noted_at);

CREATE TABLE digest_run (
    municipality text NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (municipality, day)
);

-- What somebody must be told, once. It becomes mail as soon as somebody can be addressed.
CREATE TABLE alert (
    alert text PRIMARY KEY,
    municipality text NOT NULL,
    action text REFERENCES action,
    kind text NOT NULL,
    responsible_unit text NOT NULL,
    from_rank integer NOT NULL,
    preferred_post text,
    facts jsonb NOT NULL,
    caused_at timestamptz,
    created_at timestamptz NOT NULL,
    -- Set once those that were passed over stand in the ledger.
    skips_noted boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'addressed'))
);
-- WAITING_ALERTS.
CREATE INDEX alert_waiting ON alert (created_at) WHERE state = 'waiting';

-- Mail with its bytes, frozen when it was written. `mail` is the first half of its Message-ID.
CREATE TABLE mail (
    mail text PRIMARY KEY,
    alert text REFERENCES alert,
    municipality text,
    action text,
    kind text NOT NULL,
    post text,
    mailbox text NOT NULL,
    message_id text NOT NULL UNIQUE,
    -- Null once a mail with a one-time link is settled.
    message bytea,
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'accepted', 'refused', 'abandoned')),
    caused_at timestamptz,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    give_up_at timestamptz NOT NULL,
    leased_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    settled_at timestamptz
);
-- LEASE_MAILS.
CREATE INDEX mail_waiting ON mail (next_attempt_at) WHERE state = 'waiting';
-- TRIED.
CREATE INDEX mail_by_alert ON mail (alert);

-- The ledger: each attempt, and each post that could not be told. Never changed.
CREATE TABLE delivery (
    delivery bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail text REFERENCES mail,
    municipality text,
    action text,
    kind text NOT NULL,
    post text,
    mailbox text,
    at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('accepted', 'deferred', 'refused', 'abandoned',
                                             'no_address', 'invalid_address', 'rejected_before',
                                             'nobody')),
    code integer,
    reply text NOT NULL DEFAULT ''
);
-- DELIVERIES.
CREATE INDEX delivery_by_municipality ON delivery (municipality, delivery DESC);
CREATE INDEX delivery_by_action ON delivery (action, delivery DESC);

-- Mailboxes whose server refused for good; until mail to them is accepted or a person clears them.
CREATE TABLE rejecting_mailbox (
    mailbox text PRIMARY KEY,
    since timestamptz NOT NULL,
    code integer,
    reply text NOT NULL
);
