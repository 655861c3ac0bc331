"""What two parts say of a stance, weighed so that shares mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.learned_stance import log_shares
from classifiers.stance_shares import StanceShares
from lagesbild.records import STANCES


def _drawn(n, seed):
    """True log shares of n mentions, and stances drawn by them."""
    chance = np.random.default_rng(seed)
    shares = log_shares(chance.normal(size=(n, len(STANCES)), scale=2.0))
    stances = [chance.choice(len(STANCES), p=np.exp(row)) for row in shares]
    return shares, [STANCES[place] for place in stances]


def test_a_part_that_says_everything_twice_is_believed_half():
    shares, stances = _drawn(4000, 1)
    fitted = StanceShares.fit([log_shares(2 * shares)], stances)
    assert fitted.weights[0] == pytest.approx(0.5, abs=0.05)
    assert np.exp(fitted.of([log_shares(2 * shares)])) == pytest.approx(np.exp(shares), abs=0.1)


def test_two_parts_that_say_the_same_count_as_one():
    shares, stances = _drawn(4000, 2)
    fitted = StanceShares.fit([shares, shares], stances)
    assert fitted.weights.sum() == pytest.approx(1.0, abs=0.1)


def test_a_part_that_knows_nothing_weighs_nothing():
    shares, stances = _drawn(4000, 3)
    guess, _ = _drawn(4000, 4)
    fitted = StanceShares.fit([shares, guess], stances)
    assert fitted.weights == pytest.approx([1.0, 0.0], abs=0.1)


def test_how_common_a_stance_is_counts_beside_the_parts():
    silent = np.full((1000, len(STANCES)), -np.log(len(STANCES)))
    fitted = StanceShares.fit([silent], ["problem"] * 900 + ["berom"] * 100)
    told = np.exp(fitted.of([silent[:1]])[0])
    assert told[STANCES.index("problem")] == pytest.approx(0.9, abs=0.05)
    assert told[STANCES.index("berom")] == pytest.approx(0.1, abs=0.05)


@given(st.lists(st.lists(st.floats(-50, 50), min_size=7, max_size=7), min_size=1, max_size=5))
def test_shares_sum_to_one_even_where_a_part_rules_a_stance_out(rows):
    ruled_out = log_shares(np.array(rows))
    ruled_out[:, 0] = -np.inf
    shares = StanceShares.alike(2).of([ruled_out, log_shares(np.array(rows))])
    assert np.exp(shares).sum(axis=1) == pytest.approx(1.0)
    assert np.isfinite(shares).all()


def test_saved_and_read_again_it_says_the_same():
    shares, stances = _drawn(50, 5)
    fitted = StanceShares.fit([shares], stances)
    again = StanceShares.from_state(fitted.state())
    assert np.array_equal(again.of([shares]), fitted.of([shares]))
