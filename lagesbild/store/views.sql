-- Question a number here.

-- What counts: the current version of every remark; a summary of a night is many events, not one.
create or replace view counted_submission as
select * from submission where is_current and kind <> 'summary';

-- A person's decision wins until the text changes, or until it is withdrawn. Where earlier themes
-- have become one, the newest decision holds, and of one reading's the one that found the theme.
create or replace view decided_theme as
select submission_id, theme, verdict, subtheme, stance, decision_id from (
    select r.* replace (coalesce(m.to_theme, r.theme) as theme,
        if(m.to_theme is null, r.subtheme, m.to_subtheme) as subtheme,
        if(m.is_rejected and r.verdict <> 'withdrawn', 'rejected', r.verdict) as verdict)
    from review r
    join submission s on s.submission_id = r.submission_id and s.is_current
        and s.text_sha256 = r.text_sha256
    left join theme_move m on m.theme = r.theme and m.subtheme = coalesce(r.subtheme, '')
        and m.said = if(r.verdict = 'rejected', 'rejected', 'accepted')
    qualify rank() over (
        partition by r.submission_id, r.theme order by r.decided_at desc, r.decision_id desc
    ) = 1
) where verdict <> 'withdrawn'
qualify row_number() over (
    partition by submission_id, theme
    order by decided_at desc, verdict = 'rejected', decision_id desc
) = 1;

-- What the machine decided, in the themes there are now; where two have become one, the likelier.
create or replace view recoded_classification as
with moved as (
    select c.* replace (m.to_theme as theme, m.to_subtheme as subtheme)
    from classification c
    join theme_move m on m.theme = c.theme and m.subtheme = coalesce(c.subtheme, '')
        and m.said = 'machine'
), kept as (
    select c.* from classification c
    anti join (select * from theme_move where said = 'machine') m
        on m.theme = c.theme and m.subtheme = coalesce(c.subtheme, '')
)
select * from kept
union all by name
select * from moved anti join kept using (submission_id, text_sha256, classifier_version, theme)
qualify row_number() over (
    partition by submission_id, text_sha256, classifier_version, theme order by probability desc
) = 1;

create or replace view assigned_theme as
with machine as (
    select c.submission_id, c.theme, c.subtheme, c.stance, c.probability
    from recoded_classification c
    join classified_text t using (submission_id, text_sha256, classifier_version)
    join submission s on s.submission_id = c.submission_id and s.text_sha256 = c.text_sha256
    where t.is_current and s.is_current
)
select
    coalesce(d.submission_id, m.submission_id) as submission_id,
    coalesce(d.theme, m.theme) as theme,
    coalesce(d.subtheme, m.subtheme, '') as subtheme,
    coalesce(d.stance, m.stance, 'problem') as stance,
    m.probability,
    d.verdict is not null as is_reviewed
from machine m
full join decided_theme d on d.submission_id = m.submission_id and d.theme = m.theme
where d.verdict is null or d.verdict in ('accepted', 'added');

-- Every remark in one area of every type; where we do not know, the area is 'okand'.
-- The type 'alla' holds everything, so that totals need no sum over areas.
create or replace view located_submission as
select s.submission_id, s.source, s.reported_date, a.area_type,
    coalesce(p.area_code, 'okand') as area_code
from counted_submission s
cross join (select distinct area_type from area) a
left join submission_area p on p.submission_id = s.submission_id
    and p.version = s.version and p.area_type = a.area_type
union all
select submission_id, source, reported_date, 'alla' as area_type, 'alla' as area_code
from counted_submission;

create or replace view dated_submission as
select submission_id, source, area_type, area_code, 'month' as period_type,
    strftime(reported_date, '%Y-%m') as period
from located_submission
union all by name
select submission_id, source, area_type, area_code, 'week' as period_type,
    strftime(reported_date, '%G-V%V') as period
from located_submission;

create or replace view theme_recount as
select area_type, area_code, period_type, period, theme, subtheme, source, stance,
    count(*) as n_reports,
    count(*) filter (where i.incident_id is null) + count(distinct i.incident_id) as n_incidents
from dated_submission join assigned_theme using (submission_id)
left join incident_report i using (submission_id)
group by all;

create or replace view report_recount as
select area_type, area_code, period_type, period, source,
    count(*) as n_reports,
    count(*) filter (where h.submission_id is not null) as n_with_theme,
    count(*) filter (where t.abstain = 'unsure' and h.submission_id is null) as n_undecided
from dated_submission d
left join (
    select distinct submission_id from assigned_theme where theme <> 'drift_underhall'
) h using (submission_id)
left join (
    select c.submission_id, c.abstain from classified_text c
    join submission s using (submission_id, text_sha256)
    where c.is_current and s.is_current
) t using (submission_id)
group by all;
