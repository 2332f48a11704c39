"""Which params tell runs apart, and which of them are but the seed?"""

import math

import pytest

from mini_mlflow import seeds


@pytest.mark.parametrize(
    "name",
    ["seed", "SEED", "random_seed", "data.seed", "train/randomSeed", "fold", "cv_fold", "fold_id", "foldIdx", "seed2",
     "random_state", "model.random_state", "seed_everything", "manual-seed"],
)  # fmt: skip
def test_a_name_of_a_seed_is_known(name):
    assert seeds.is_seed_like(name)


@pytest.mark.parametrize(
    "name",
    ["lr", "n_fold", "num_fold", "folds", "k_fold", "use_seed", "seed_length", "seeding", "linseed", "state", "", "7",
     "unfold", "manifold", "id", "\u00fc"],
)  # fmt: skip
def test_a_name_that_only_looks_like_that_of_a_seed_is_none(name):
    assert not seeds.is_seed_like(name)


def test_what_differs_in_otherwise_equal_runs_is_the_seed():
    runs = [{"lr": lr, "seed": seed, "batch": "8"} for lr in "12" for seed in "345"]
    assert seeds.split_seeds(runs) == (["lr"], ["seed"])


def test_a_seed_that_belongs_to_its_setting_makes_a_difference():
    runs = [{"lr": "1", "seed": "3"}, {"lr": "2", "seed": "4"}]
    assert seeds.split_seeds(runs) == (["lr", "seed"], [])


def test_several_seeds_are_left_out_together():
    runs = [{"lr": "1", "seed": seed, "fold": fold} for seed in "12" for fold in "34"]
    assert seeds.split_seeds(runs) == ([], ["fold", "seed"])


def test_a_param_that_some_runs_lack_differs():
    assert seeds.split_seeds([{"lr": "1"}, {"lr": "1", "aug": "null"}]) == (["aug"], [])


def test_no_runs_and_equal_runs_have_nothing_that_differs():
    assert seeds.split_seeds([]) == ([], [])
    assert seeds.split_seeds([{"seed": "1"}, {"seed": "1"}]) == ([], [])


@pytest.mark.parametrize(
    ("a", "b"), [(1, 1.0), (0.0, -0.0), (math.nan, math.nan), ({"p": 1, "q": 2}, {"q": 2, "p": 1})]
)
def test_equal_values_have_equal_texts(a, b):
    assert seeds.comparable(a) == seeds.comparable(b)


def test_other_values_have_other_texts():
    values = [1, 1.5, True, "1", "true", None, "null", "", [], {}, [1], math.nan, "NaN", math.inf, -math.inf, 1e300]
    assert len({seeds.comparable(value) for value in values}) == len(values)
