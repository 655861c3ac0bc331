"""The only code that opens the databases.

`inbox.sqlite`     raw records as received, and the ledger of pulls (only nights write it)
`warehouse.duckdb` cleaned, classified, counted (only nights write it, in one short transaction)
`review.sqlite`    people's decisions (only the review page writes it)
`snapshots/`       read-only copies of the warehouse, a new name each; `CURRENT` names the newest
"""
