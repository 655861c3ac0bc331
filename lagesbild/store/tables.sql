-- The warehouse. Times are UTC without zone; *_date are days in Europe/Stockholm.
-- Big tables have no primary key (the file is a third smaller); `verify` checks uniqueness.

create table if not exists submission (          -- one row for each version of a remark
    submission_id varchar not null,
    version integer not null,
    is_current boolean not null,                  -- false: superseded, or withdrawn at the source
    raw_id bigint not null,
    source varchar not null,
    source_record_id varchar not null,
    part varchar not null,
    kind varchar not null,
    text varchar not null,                        -- redacted
    text_sha256 varchar not null,                  -- see redacted_text
    content_sha256 varchar not null,
    question varchar,
    category varchar,
    status varchar,
    reported_at timestamp not null,
    reported_date date not null,
    occurred_at timestamp,
    updated_at timestamp,
    closed_at timestamp,
    lat double,
    lon double,
    stance_hint varchar,
    reporter_hash varchar,
    wave varchar,
    language varchar not null,
    n_redacted integer not null,
    redactor_version varchar not null
);

create table if not exists submission_area (
    submission_id varchar not null,
    version integer not null,
    area_type varchar not null,
    area_code varchar not null,
    geo_version varchar not null,
    method varchar not null
);

create table if not exists area (
    area_type varchar not null,
    area_code varchar not null,
    area_name varchar not null,
    geo_version varchar not null,
    primary key (area_type, area_code, geo_version)
);

create table if not exists rejected_submission (
    raw_id bigint not null,
    source varchar not null,
    source_record_id varchar not null,
    part varchar not null,
    reason varchar not null,
    detail varchar not null
);

create table if not exists survey_answer (
    source varchar not null,
    source_record_id varchar not null,
    item varchar not null,
    value varchar not null,
    wave varchar not null,
    respondent_hash varchar not null,
    answered_at timestamp not null,
    raw_id bigint not null,
    is_current boolean not null
);

create table if not exists classified_text (     -- one row for each text and classifier version
    submission_id varchar not null,
    text_sha256 varchar not null,
    classifier_version varchar not null,
    is_current boolean not null,                  -- false once a newer classifier has spoken
    abstain varchar,
    needs_review boolean not null,
    language varchar not null,
    probabilities map(varchar, float) not null
);

create table if not exists classification (      -- decided themes; rows change only where words are hidden
    submission_id varchar not null,
    text_sha256 varchar not null,
    theme varchar not null,
    classifier_version varchar not null,
    subtheme varchar,
    probability double not null,
    stance varchar not null,
    evidence integer[][] not null
);

create table if not exists review (              -- people's decisions, merged from review.sqlite
    decision_id varchar primary key,
    submission_id varchar not null,
    theme varchar not null,
    verdict varchar not null,                     -- accepted, rejected, added, withdrawn
    subtheme varchar,
    stance varchar,
    reviewer varchar not null,
    decided_at timestamp not null,
    text_sha256 varchar not null,
    classifier_version varchar not null,
    mode varchar                                  -- how it was read: blind measures, never teaches
);
alter table review add column if not exists mode varchar;

create table if not exists redaction (           -- personal data that people marked, taken out
    redaction_id varchar primary key,
    submission_id varchar not null,
    n_places integer not null,                    -- hidden in all versions of the text together
    is_erased boolean not null                    -- gone from the file too, not only from the tables
);

create table if not exists redacted_text (       -- text_sha256 is what the text was known by before
    submission_id varchar not null,
    text_sha256 varchar not null,
    redacted_sha256 varchar not null              -- of the text as it stands
);

create table if not exists merge_cursor (        -- how far of each source's inbox is in here
    source varchar primary key,
    raw_id bigint not null
);

create table if not exists theme_count (
    area_type varchar not null,
    area_code varchar not null,
    period_type varchar not null,                 -- month, week
    period varchar not null,                      -- 2025-03, 2025-V09 (ISO week)
    theme varchar not null,
    subtheme varchar not null,                    -- '' where none was decided
    source varchar not null,
    stance varchar not null,
    n_reports bigint not null
);
alter table theme_count add column if not exists n_incidents bigint;  -- as told by one report each

create table if not exists earlier_total (       -- what the last recount found before it
    theme varchar not null,
    n_reports bigint not null
);

create table if not exists report_count (        -- the denominators of theme_count
    area_type varchar not null,
    area_code varchar not null,
    period_type varchar not null,
    period varchar not null,
    source varchar not null,
    n_reports bigint not null,
    n_with_theme bigint not null,                 -- at least one of the safety themes
    n_undecided bigint not null                   -- the classifier abstained as unsure
);

create table if not exists text_sketch (         -- of every report's text, to find nearly equal ones
    text_hash ubigint not null,
    bands uinteger[] not null
);
create table if not exists compared_text (       -- pairs that share a part of their sketches
    text_hash ubigint, other_hash ubigint, is_alike boolean
);

create table if not exists incident_report (     -- reports told by several; the others stand alone
    submission_id varchar not null,
    incident_id varchar not null,                 -- the submission_id of the first of them
    kind varchar not null                         -- incident, campaign
);

create table if not exists theme_move (          -- codes of earlier code plans found in here
    theme varchar not null,
    subtheme varchar not null,
    said varchar not null,                        -- by the machine, or accepted or rejected by people
    to_theme varchar not null,
    to_subtheme varchar,
    is_rejected boolean not null                  -- the part of a split theme that was not meant
);

create table if not exists counted_by (          -- one row: the code plan of the last recount
    theme_version varchar not null
);
