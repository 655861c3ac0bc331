"""Errors a user is meant to read: one sentence in Swedish saying what, where and what to do.

The exit codes are part of the command-line contract. Never put a resident's text in a message.
"""


class LagesbildError(Exception):
    """Something went wrong that the user can understand; the command exits with `exit_code`."""

    exit_code = 1


class UsageError(LagesbildError):
    """Wrong usage or bad configuration."""

    exit_code = 2


class SourceCheckError(LagesbildError):
    """A source failed its checks, or `verify` found something broken."""

    exit_code = 3


class SourceError(LagesbildError):
    """A source could not be pulled tonight: unreachable, refused us, or answered nonsense."""
