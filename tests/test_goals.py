"""Which end of a metric is best."""

import math

import pytest

from mini_mlflow import goals


@pytest.mark.parametrize(
    ("metric", "goal"),
    [
        ("val/acc", "max"), ("valAccuracy", "max"), ("eval_f1", "max"), ("top1", "max"), ("acc5", "max"),
        ("ROC_AUC", "max"), ("episode_reward", "max"), ("BLEU", "max"), ("mIoU", "max"), ("val/r2", "max"),
        ("loss", "min"), ("trainLoss", "min"), ("val/bpb", "min"), ("rmse", "min"), ("test.ppl", "min"),
        ("acc_error", "min"), ("WER", "min"), ("fid50k", "min"),
        ("lr", None), ("epoch", None), ("", None), ("grad_norm", None), ("×", None),
    ],
)  # fmt: skip
def test_the_last_word_that_tells_anything_counts(metric, goal):
    assert goals.goal_of(metric) == goal


@pytest.mark.parametrize(
    ("text", "found"),
    [("acc", ("acc", None)), ("a:b", ("a:b", None)),
     ("acc:min", ("acc", "min")), ("a:b:max", ("a:b", "max")), (":min", (":min", None))],
)  # fmt: skip
def test_a_goal_can_follow_a_colon(text, found):
    assert goals.split_goal(text) == found


def test_metrics_come_in_the_order_in_which_they_matter():
    given = ["train/loss", "lr", "test/acc", "val/loss", "val/acc", "epoch"]
    assert goals.sort_metrics(given) == ("val/acc", "val/loss", "test/acc", "train/loss", "epoch", "lr")


def test_the_best_value_counts_unless_the_latest_is_no_finite_number():
    nan, inf = float("nan"), float("inf")
    counting = goals.counting_values([1, 2, 3, 4, None], [5, inf, -inf, None, 2**2000])
    assert counting == [1, inf, -inf, None, None]
    (value,) = goals.counting_values([0.5], [nan])
    assert math.isnan(value)
