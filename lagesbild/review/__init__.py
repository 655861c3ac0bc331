"""The web page where staff read, understand and correct themes.

`index` prepares a snapshot for reading, `queue` and `search` find reports in it, `reports` shows
one, `decide` takes what people say of it (`lagesbild.store.decisions` keeps it), `people` knows who
may do what, `app` ties them together. Reports are read from the newest snapshot's index, never from
the warehouse, and everything decided since lies over it.
"""
