"""Small numbers identify people: which counts may be shown.

Counts of 1 to 4 are hidden wherever something leaves the store; 0 is shown. The threshold of 5 is
the common custom of Swedish authorities.
"""

SMALLEST_SHOWN = 5
HIDDEN = ".."  # Statistics Sweden's sign for "not shown"; never 0


def is_hidden(count: int) -> bool:
    """Whether a count is too small to be shown."""
    return 0 < count < SMALLEST_SHOWN
