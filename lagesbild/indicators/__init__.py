"""What planners read off the counts: pure functions, numbers in, small frozen dataclasses out.

No database here. Each function names its method and source; `bench/coverage.py` measures whether
the intervals hold what they promise.
"""
