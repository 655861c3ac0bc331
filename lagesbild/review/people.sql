create table if not exists person (
    name text primary key,
    role text not null check (role in ('reviewer', 'planner', 'admin')),
    password_hash text,                   -- null: only by OpenID Connect
    is_active integer not null,
    created_at text not null
) strict;
create table if not exists session (
    token_sha256 text primary key,        -- the token itself is only in the person's browser
    name text not null references person,
    csrf text not null,
    created_at real not null,
    seen_at real not null
) strict, without rowid;
create index if not exists session_of_person on session (name);
create table if not exists failed_log_in (key text not null, failed_at real not null) strict;
create index if not exists failed_log_in_by_key on failed_log_in (key, failed_at);
create table if not exists audit (
    audit_id integer primary key autoincrement,
    happened_at text not null,
    name text not null,
    action text not null,
    submission_id text not null,
    detail text not null                  -- never a text of a report
) strict;
create index if not exists audit_of_report on audit (submission_id);
create trigger if not exists audit_is_final before update on audit
begin select raise(abort, 'the audit log is never changed'); end;
create trigger if not exists audit_stays before delete on audit
begin select raise(abort, 'the audit log is never shortened'); end;
create table if not exists in_hand (      -- what each was sent to last; nobody else is for a while
    name text primary key, submission_id text not null, since real not null
) strict, without rowid;
create table if not exists secret (only_one integer primary key check (only_one = 1), value text not null) strict;
