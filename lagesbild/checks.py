"""What each source must look like: fail holds a source's night back, warn tells a person.

Every check compares one pull's ledger with the source's settings and with its own history. The
profiles compared are counts of values and of filled fields; they never hold a resident's text.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lagesbild.records import Alarm
from lagesbild.settings import Checks
from lagesbild.sources import SourceConfig
from lagesbild.store.inbox import PullLedger

MAX_VALUES = 500  # distinct values of one field kept in a profile
LARGEST_LOSS_OF_VARIETY = 1.7
_RESAMPLES = 400


def lookup(payload: Any, path: str) -> Any:
    """The value of a key, or at a dotted path of nested objects; None where there is none."""
    if isinstance(payload, Mapping) and path in payload:
        return payload[path]
    for part in path.split("."):
        payload = payload.get(part) if isinstance(payload, Mapping) else None
    return payload


class Profile:
    """Counts that tell whether a source still means what it meant. Built record by record."""

    def __init__(self, drift_fields: Sequence[str] = ()) -> None:
        self._drift_fields = drift_fields
        self._filled: Counter[str] = Counter()
        self._values: dict[str, Counter[str]] = {name: Counter() for name in drift_fields}
        self._refused: Counter[str] = Counter()
        self._n_raw = 0
        self._n_remarks = 0
        self._n_placed = 0

    def add_raw(self, payload: Any) -> None:
        self._n_raw += 1
        if isinstance(payload, Mapping):
            self._filled.update(
                key for key, value in payload.items() if value not in (None, "", [])
            )
        for name in self._drift_fields:
            value = lookup(payload, name)
            if isinstance(value, str | int) and value != "":
                self._values[name][str(value)[:80]] += 1

    def add_remark(self, *, is_placed: bool) -> None:
        self._n_remarks += 1
        self._n_placed += is_placed

    def add_refusal(self, reason: str) -> None:
        self._refused[reason] += 1

    def as_dict(self) -> dict[str, Any]:
        return {
            "n_raw": self._n_raw,
            "n_remarks": self._n_remarks,
            "n_placed": self._n_placed,
            "refused": dict(self._refused),
            "filled": dict(self._filled),
            "values": {k: dict(v.most_common(MAX_VALUES)) for k, v in self._values.items()},
        }


History = Sequence[tuple[datetime, PullLedger]]  # earlier completed pulls, newest first


def check(
    source: str,
    config: SourceConfig,
    limits: Checks,
    ledger: PullLedger,
    history: History,
    last_new_at: datetime | None,
    now: datetime,
) -> list[Alarm]:
    """All alarms of one pull. `last_new_at`: when this source last brought anything new."""

    def alarm(name: str, severity: Any, message: str) -> Alarm:
        return Alarm(source, name, severity, message)

    return [
        alarm(*found)
        for part in (
            _pull(config, ledger, history),
            _silence(config, last_new_at, now),
            _refusals(limits, ledger),
            _drift(limits, ledger, history, now),
        )
        for found in part
    ]


_Found = Iterator[tuple[str, str, str]]


def _pull(config: SourceConfig, ledger: PullLedger, history: History) -> _Found:
    if ledger.error:
        yield "hamtning", "fail", ledger.error
    elif ledger.pages and ledger.received < config.min_received:  # no page: nothing has changed
        yield (
            "minsta_antal",
            "fail",
            f"{ledger.received} poster kom, minst {config.min_received} väntades; "
            "källan publiceras inte i natt och posterna väntar i inkorgen",
        )
    if config.max_received is not None and ledger.received > config.max_received:
        yield (
            "storsta_antal",
            "warn",
            f"{ledger.received} poster kom, högst {config.max_received} väntades",
        )
    if ledger.gap_from and ledger.gap_to:
        yield (
            "lucka",
            "warn",
            f"källans fönster börjar {ledger.gap_to} men förra hämtningen slutade "
            f"{ledger.gap_from}; poster däremellan kan ha gått förlorade",
        )
    for note in ledger.notes:  # what the source itself found odd
        yield "notering", "warn", note
    earlier = [old.received for _, old in history if old.pages and not old.error]
    if len(earlier) >= 7 and not ledger.error:
        usual = statistics.median(earlier)
        if ledger.pages and usual >= 20 and ledger.received < usual / 4:
            yield "ovanligt_fa", "warn", f"{ledger.received} poster kom, {usual:.0f} är det vanliga"


def _silence(config: SourceConfig, last_new_at: datetime | None, now: datetime) -> _Found:
    if config.silence_hours is None or last_new_at is None:
        return
    silent = now - last_new_at
    if silent > timedelta(hours=config.silence_hours):
        yield (
            "tystnad",
            "warn",
            f"inget nytt på {silent.total_seconds() / 3600:.0f} timmar, "
            f"högst {config.silence_hours:g} väntades",
        )


def _refusals(limits: Checks, ledger: PullLedger) -> _Found:
    n_raw = ledger.profile.get("n_raw", 0)
    refused = ledger.profile.get("refused", {})
    n_refused = sum(refused.values())
    if n_raw >= limits.min_records_for_shares and n_refused > limits.max_refused_share * n_raw:
        worst = max(refused, key=lambda reason: refused[reason])
        yield (
            "avvisade",
            "fail",
            f"{n_refused} av {n_raw} poster avvisades, flest som {worst}; "
            "källan publiceras inte i natt",
        )


# --- drift: does the source still mean the same? --------------------------------------------------


def _drift(limits: Checks, ledger: PullLedger, history: History, now: datetime) -> _Found:
    recent, baseline = _recent_and_baseline(limits, ledger, history, now)
    if recent["n_raw"] < limits.min_records_for_shares or baseline["n_raw"] < 2 * recent["n_raw"]:
        return
    yield from _filled_drift(recent, baseline)
    yield from _placed_drift(limits, recent, baseline)
    for name, values in recent["values"].items():
        before = baseline["values"].get(name, {})
        excess, lost = excess_distance(values, before), lost_variety(values, before)
        if excess > limits.max_drift:
            change = f"har andra värden än förut (avstånd {excess:.2f} utöver slumpen)"
        elif lost > LARGEST_LOSS_OF_VARIETY:
            change = f"har {len(values)} olika värden, {lost:.1f} gånger färre än väntat"
        else:
            continue
        top = ", ".join(key for key, _ in Counter(values).most_common(3))
        yield f"andrad_betydelse:{name}", "warn", f"fältet {name} {change}; vanligast nu: {top}"


def _recent_and_baseline(
    limits: Checks, ledger: PullLedger, history: History, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Profiles summed: the last day (longer until there is enough to judge), and before that."""
    recent: list[PullLedger] = [ledger]
    older: list[PullLedger] = []
    for moment, old in history:
        enough = sum(p.profile.get("n_raw", 0) for p in recent) >= limits.min_records_for_shares
        if older or (enough and now - moment > timedelta(hours=20)):
            older.append(old)
        else:
            recent.append(old)
    return _summed(recent), _summed(older)


def _summed(ledgers: Sequence[PullLedger]) -> dict[str, Any]:
    total: dict[str, Any] = {"n_raw": 0, "n_remarks": 0, "n_placed": 0}
    filled: Counter[str] = Counter()
    values: dict[str, Counter[str]] = {}
    for profile in (ledger.profile for ledger in ledgers):
        for name in total:
            total[name] += profile.get(name, 0)
        filled.update(profile.get("filled", {}))
        for name, counts in profile.get("values", {}).items():
            values.setdefault(name, Counter()).update(counts)
    return {**total, "filled": filled, "values": values}


def _filled_drift(recent: Mapping[str, Any], baseline: Mapping[str, Any]) -> _Found:
    for name in sorted(set(recent["filled"]) | set(baseline["filled"])):
        now_share = recent["filled"].get(name, 0) / recent["n_raw"]
        old_share = baseline["filled"].get(name, 0) / baseline["n_raw"]
        if old_share >= 0.3 and now_share < old_share / 2:
            change = f"var ifyllt i {old_share:.0%} av posterna men nu i {now_share:.0%}"
        elif old_share == 0 and now_share >= 0.3:
            change = f"är nytt och ifyllt i {now_share:.0%} av posterna"
        else:
            continue
        yield f"tomma_falt:{name}", "warn", f"fältet {name} {change}"


def _placed_drift(limits: Checks, recent: Mapping[str, Any], baseline: Mapping[str, Any]) -> _Found:
    if not recent["n_remarks"] or not baseline["n_remarks"]:
        return
    now_share = recent["n_placed"] / recent["n_remarks"]
    old_share = baseline["n_placed"] / baseline["n_remarks"]
    if old_share - now_share > limits.max_area_drop:
        yield (
            "platser",
            "warn",
            f"{now_share:.0%} av posterna kunde placeras i ett område, förut {old_share:.0%}",
        )


def excess_distance(now: Mapping[str, int], before: Mapping[str, int]) -> float:
    """Total variation distance between two counts, beyond what chance gives with so few now.

    0 when nothing can be said. Chance is the 99.9th percentile of the distance of samples of the
    same size drawn from `before` (fixed seed, so a night's alarms can be repeated).
    """
    new, samples, expected = _resampled(now, before)
    if not len(samples):
        return 0.0
    observed = 0.5 * np.abs(new / new.sum() - expected).sum()
    chance = 0.5 * np.abs(samples / new.sum() - expected).sum(axis=1)
    return float(max(0.0, observed - np.quantile(chance, 0.999)))


def lost_variety(now: Mapping[str, int], before: Mapping[str, int]) -> float:
    """How many times fewer different values there are now than chance would give; 1 if not fewer.

    Catches what a distance cannot where values are many and records few: municipalities, say,
    replaced by the few counties that were among the values already.
    """
    new, samples, _ = _resampled(now, before)
    if not len(samples):
        return 1.0
    varieties = (samples > 0).sum(axis=1)
    observed = int((new > 0).sum())
    return float(varieties.mean() / observed) if observed < np.quantile(varieties, 0.001) else 1.0


def _resampled(
    now: Mapping[str, int], before: Mapping[str, int]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Counts now, samples of the same size from `before` (none if either is empty), its shares."""
    keys = sorted(set(now) | set(before))
    new = np.array([now.get(key, 0) for key in keys], dtype=float)
    old = np.array([before.get(key, 0) for key in keys], dtype=float)
    if not new.sum() or not old.sum():
        return new, np.empty((0, len(keys)), dtype=np.int64), old
    expected = old / old.sum()
    random = np.random.default_rng(0)
    return new, random.multinomial(int(new.sum()), expected, size=_RESAMPLES), expected
