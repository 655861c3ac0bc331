"""Prefect only: schedules, retries and order. What could be wrong about data lives in the core."""
