create unique index item_of_report on item (submission_id);
create index item_by_worth on item (worth);
create index item_by_source on item (source, worth);
create index item_by_abstain on item (abstain, worth) where abstain is not null;
create index item_by_date on item (reported_date);
create index item_by_blind_rank on item (blind_rank) where blind_rank is not null;
create index item_with_new_words on item (item_id) where new_words <> '[]';
analyze;
