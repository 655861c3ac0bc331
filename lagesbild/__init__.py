"""lagesbild: from residents' remarks to a shared picture of how things stand.

The data's way: a source's `fetch` yields pages of `RawSubmission`, which land as received in the
inbox (`store/inbox.py`). `parse` makes each into `ParsedSubmission`, `SurveyAnswer` or `Rejection`;
`clean.py` takes personal data out and finds areas, giving `Submission`; a classifier gives
`Classified`; one short transaction merges all of it into the warehouse (`store/warehouse.py`),
where staff's decisions win (view `assigned_theme`) and `theme_count` is rebuilt. Readers get a
snapshot file. `night.py` runs these steps in order; `flows/` only schedules it.
"""
