"""Alarms: what is lost, silent, refused or has changed its meaning is told, and nothing else is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.checks import LARGEST_LOSS_OF_VARIETY, Profile, check, excess_distance, lost_variety
from lagesbild.records import Alarm
from lagesbild.settings import Checks
from lagesbild.sources import SourceConfig
from lagesbild.store.inbox import PullLedger
from tests.city import NOON


def alarms(ledger: PullLedger, config: dict[str, Any] | None = None, **more: Any) -> list[Alarm]:
    return check(
        "stan",
        SourceConfig.model_validate({"kind": "town", **(config or {})}),
        Checks(),
        ledger,
        more.get("history", ()),
        more.get("last_new_at", NOON),
        NOON,
    )


def names(found: list[Alarm]) -> list[tuple[str, str]]:
    return [(alarm.check, alarm.severity) for alarm in found]


def pulled(records: list[dict[str, Any]], n_placed: int = 0) -> PullLedger:
    profile = Profile(("typ", "plats.namn"))
    for number, record in enumerate(records):
        profile.add_raw(record)
        profile.add_remark(is_placed=number < n_placed)
    return PullLedger(received=len(records), new=len(records), profile=profile.as_dict())


def days(ledger: PullLedger, n: int) -> list[tuple[Any, PullLedger]]:
    return [(NOON - timedelta(days=back), ledger) for back in range(1, n + 1)]


def test_a_quiet_good_night_raises_nothing() -> None:
    assert alarms(PullLedger(received=3)) == []


def test_too_few_holds_and_too_many_warns() -> None:
    config = {"min_received": 5, "max_received": 10}
    assert names(alarms(PullLedger(pages=1, received=4), config)) == [("minsta_antal", "fail")]
    assert names(alarms(PullLedger(pages=1, received=5), config)) == []
    assert names(alarms(PullLedger(pages=0, received=0), config)) == []  # nothing had changed
    assert names(alarms(PullLedger(received=11), config)) == [("storsta_antal", "warn")]


def test_an_error_holds_whatever_came() -> None:
    ledger = PullLedger(received=9, error="Källan svarar inte.")
    assert names(alarms(ledger, {"min_received": 10})) == [("hamtning", "fail")]


def test_a_window_that_overran_is_told() -> None:
    ledger = PullLedger(gap_from="2026-01-01T00:00", gap_to="2026-01-09T00:00")
    assert names(alarms(ledger)) == [("lucka", "warn")]


def test_silence_counts_from_the_last_new_record() -> None:
    config = {"silence_hours": 24}
    assert alarms(PullLedger(), config, last_new_at=NOON - timedelta(hours=23)) == []
    found = alarms(PullLedger(), config, last_new_at=NOON - timedelta(hours=49))
    assert "49 timmar" in found[0].message


def test_far_fewer_than_usual_is_told_after_a_week() -> None:
    usual = PullLedger(pages=1, received=100)
    assert names(alarms(PullLedger(pages=1, received=20), history=days(usual, 7))) == [
        ("ovanligt_fa", "warn")
    ]
    assert alarms(PullLedger(pages=1, received=20), history=days(usual, 6)) == []


def test_mostly_refused_holds_the_source() -> None:
    profile = Profile()
    for _ in range(30):
        profile.add_raw({"id": 1})
        profile.add_refusal("missing_time")
    assert names(alarms(PullLedger(received=30, profile=profile.as_dict()))) == [
        ("avvisade", "fail")
    ]


def mixed(n: int, *, county: bool = False) -> list[dict[str, Any]]:
    """`n` records over 40 towns; when `county`, the same towns' 4 counties instead."""
    return [
        {"typ": f"t{i % 5}", "plats": {"namn": f"lan{i % 4}" if county else f"stad{i * 7 % 40}"}}
        for i in range(n)
    ]


def test_a_field_that_changes_meaning_is_told_the_same_day() -> None:
    history = days(pulled(mixed(60)), 10)
    assert alarms(pulled(mixed(60)), history=history) == []
    found = alarms(pulled(mixed(60, county=True)), history=history)
    assert names(found) == [("andrad_betydelse:plats.namn", "warn")]


def test_a_field_that_empties_or_appears_is_told() -> None:
    history = days(pulled([{"typ": "a", "text": "x"}] * 40), 5)
    found = alarms(pulled([{"typ": "a", "ny": "x"}] * 40), history=history)
    assert names(found) == [("tomma_falt:ny", "warn"), ("tomma_falt:text", "warn")]


def test_a_drop_in_placed_records_is_told() -> None:
    history = days(pulled([{"typ": "a"}] * 40, n_placed=38), 5)
    assert alarms(pulled([{"typ": "a"}] * 40, n_placed=36), history=history) == []
    found = alarms(pulled([{"typ": "a"}] * 40, n_placed=4), history=history)
    assert names(found) == [("platser", "warn")]


def test_no_alarm_texts_hold_free_text() -> None:
    secret = "Kalle på Storgatan 1"
    history = days(pulled([{"typ": "a", "fritext": secret}] * 40), 5)
    found = alarms(pulled([{"typ": "b", "annat": secret}] * 40), history=history)
    assert found
    assert all(secret not in alarm.message for alarm in found)


def test_chance_alone_seldom_looks_like_drift() -> None:
    random = np.random.default_rng(1)
    shares = random.dirichlet(np.ones(50))
    before = dict(enumerate(random.multinomial(2000, shares)))
    excesses = [
        excess_distance(
            {str(k): int(v) for k, v in enumerate(random.multinomial(40, shares))},
            {str(k): int(v) for k, v in before.items()},
        )
        for _ in range(200)
    ]
    assert np.mean([excess > 0.1 for excess in excesses]) <= 0.01


def test_many_towns_becoming_few_counties_is_told_though_each_was_seen_before() -> None:
    random = np.random.default_rng(2)
    values = [f"stad{n}" for n in range(290)] + [f"lan{n}" for n in range(21)]
    shares = np.array([0.75 / 290] * 290 + [0.25 / 21] * 21)
    before = dict(zip(values, map(int, random.multinomial(600, shares)), strict=True))
    same = dict(zip(values, map(int, random.multinomial(70, shares)), strict=True))
    counties = {f"lan{n}": int(k) for n, k in enumerate(random.multinomial(70, [1 / 21] * 21))}
    assert lost_variety(same, before) == 1
    assert lost_variety(counties, before) > LARGEST_LOSS_OF_VARIETY


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50)),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50)),
)
def test_distance_stays_between_0_and_1(now: dict[str, int], before: dict[str, int]) -> None:
    assert 0 <= excess_distance(now, before) <= 1
    assert excess_distance(now, {k: 100 * v for k, v in now.items()}) == 0
    assert lost_variety(now, {k: 100 * v for k, v in now.items()}) == 1
