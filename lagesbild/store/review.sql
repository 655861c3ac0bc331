-- What people decided. Decisions and readings are only ever added to.

create table if not exists decision (     -- one theme of one report; what nights merge
    decision_id text primary key,         -- made by the client, so that sending twice adds nothing
    submission_id text not null, theme text not null,
    -- withdrawn: undone, so that the machine's answer holds again
    verdict text not null check (verdict in ('accepted', 'rejected', 'added', 'withdrawn')),
    subtheme text, stance text,
    reviewer text not null, decided_at text not null,
    text_sha256 text not null, classifier_version text not null
) strict;
create trigger if not exists decision_is_final before update on decision
begin select raise(abort, 'decisions are never changed'); end;
create trigger if not exists decision_stays before delete on decision
begin select raise(abort, 'decisions are never removed'); end;

create table if not exists reading (      -- one person's act on one report
    reading_id text primary key,          -- made by the client
    submission_id text not null,
    text_sha256 text not null,
    classifier_version text not null,
    reviewer text not null,
    read_at text not null,
    mode text not null check (mode in ('open', 'bulk', 'blind', 'second', 'settle', 'undo')),
    outcome text not null check (outcome in ('decided', 'cannot_decide', 'withdrawn')),
    themes text not null,                 -- JSON {theme: {"subtheme", "stance"}} that the person chose
    machine text not null,                -- JSON [theme]: the machine's answer, shown or not
    weight real,                          -- blind sample: 1 / probability of being drawn
    note text not null default '',
    batch_id text,
    undoes text
) strict;
create index if not exists reading_of_report on reading (submission_id, text_sha256);
create index if not exists reading_by_person on reading (reviewer, read_at);
create index if not exists reading_undoing on reading (undoes) where undoes is not null;
create index if not exists reading_of_batch on reading (batch_id) where batch_id is not null;
create trigger if not exists reading_is_final before update on reading
begin select raise(abort, 'readings are never changed'); end;
create trigger if not exists reading_stays before delete on reading
begin select raise(abort, 'readings are never removed'); end;

create table if not exists report_state ( -- follows from reading; lets the queue leave out what is done
    submission_id text not null,
    text_sha256 text not null,
    reading_id text not null,             -- the reading in force
    outcome text not null,
    is_blind integer not null,            -- read blind, so it may now be shown with the machine's answer
    primary key (submission_id, text_sha256)
) strict, without rowid;

create table if not exists redaction (    -- personal data that the redactor missed; where, never what
    redaction_id text not null,
    submission_id text not null,
    text_sha256 text not null,            -- of the text that the places are in
    start_at integer not null,
    end_at integer not null,
    shape text not null,                  -- letters as A and a, digits as 9
    reviewer text not null,
    marked_at text not null,
    primary key (redaction_id, start_at)
) strict, without rowid;
create index if not exists redaction_of_report on redaction (submission_id, text_sha256);

create table if not exists redaction_kind (
    redaction_id text primary key,
    kind text not null                    -- what it was: a kind of the redactor's, or annat
) strict, without rowid;
create table if not exists redaction_undo (
    redaction_id text primary key, reviewer text not null, undone_at text not null
) strict, without rowid;

create table if not exists quote_release ( -- words of a report that may be quoted; where, never what
    release_id text primary key,          -- made by the client
    submission_id text not null,
    text_sha256 text not null,            -- what the text is known by
    shown_sha256 text not null,           -- of the very text that the places are in
    start_at integer not null,
    end_at integer not null,
    reviewer text not null,
    released_at text not null
) strict, without rowid;
create index if not exists quote_of_report on quote_release (submission_id);
create trigger if not exists quote_is_final before update on quote_release
begin select raise(abort, 'releases are never changed'); end;
create trigger if not exists quote_stays before delete on quote_release
begin select raise(abort, 'releases are never removed'); end;
create table if not exists quote_undo (
    release_id text primary key, reviewer text not null, undone_at text not null
) strict, without rowid;
create trigger if not exists quote_undo_is_final before update on quote_undo
begin select raise(abort, 'releases are never changed'); end;
create trigger if not exists quote_undo_stays before delete on quote_undo
begin select raise(abort, 'releases are never removed'); end;

create table if not exists skip (
    reviewer text not null, submission_id text not null, text_sha256 text not null,
    skipped_at text not null,
    primary key (reviewer, submission_id, text_sha256)
) strict, without rowid;

create table if not exists rule_comment (
    comment_id text primary key, rule text not null, reviewer text not null,
    written_at text not null, text text not null,
    is_change integer not null            -- an agreed change of the rule, not only a remark
) strict;

create table if not exists saved_filter (
    reviewer text not null, name text not null, query text not null, saved_at text not null,
    primary key (reviewer, name)
) strict, without rowid;
