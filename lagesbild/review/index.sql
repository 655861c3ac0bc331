-- One for each snapshot. item_id follows the time of reporting: a larger one is newer. They lie
-- far apart, so that a report that comes late finds a place between two others.
create table item (
    item_id integer primary key,
    submission_id text not null,
    text_sha256 text not null,
    source text not null,
    kind text not null,
    question text,
    category text,
    status text,
    reported_at text not null,
    reported_date text not null,
    lat real,
    lon real,
    text text not null,                   -- redacted
    language text not null,
    abstain text,
    needs_review integer not null,
    classifier_version text not null,
    themes text not null,                 -- JSON [{theme, subtheme, probability, stance, evidence}]
    probabilities text not null,          -- JSON {theme: probability}
    areas text not null,                  -- JSON [{type, code, name}]
    worth real not null,
    reasons text not null,                -- JSON [key], strongest first
    new_words text not null,              -- JSON [word]
    weight real not null,                 -- 1 / probability of being drawn for the blind sample
    blind_rank real                       -- place in the blind sample; null: not drawn
) strict;
create table item_theme (
    theme text not null, worth real not null, item_id integer not null, stance text not null,
    primary key (theme, worth, item_id)
) strict, without rowid;
create table item_area (
    area text not null, worth real not null, item_id integer not null,
    primary key (area, worth, item_id)
) strict, without rowid;
create table changed_text (               -- decided before, but the text has changed
    item_id integer primary key
) strict;
create table part (                       -- of the word index: word_0, word_1 …
    part integer primary key, n_items integer not null
) strict;
create table common_word (                -- words that many reports of a part have
    part integer not null, word text not null, n_items integer not null,
    primary key (part, word)
) strict, without rowid;
create table area (area text primary key, area_type text not null, area_name text not null) strict;
create table fact (key text primary key, value text not null) strict;
