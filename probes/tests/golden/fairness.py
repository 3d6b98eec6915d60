"""Rates and gaps by fairlearn, WEAT by numpy and itertools: the figures of tests/fairness.rs.

    pip install numpy fairlearn scikit-learn
    python probes/tests/golden/fairness.py
"""

import itertools
import json
import math
import pathlib

import numpy as np
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score

random = np.random.default_rng(0)


def classification():
    items, classes, groups = 400, 4, 3
    truth = random.choice(classes, items, p=[0.5, 0.3, 0.15, 0.05])
    group = random.integers(0, groups, items)
    right = random.random(items) < np.array([0.9, 0.7, 0.5])[group]
    prediction = np.where(right, truth, random.integers(0, classes, items))
    by_class = []
    for one in range(classes):
        is_one = [(of == one).astype(int) for of in (truth, prediction)]
        rates = {
            name: MetricFrame(metrics=rate, y_true=is_one[0], y_pred=is_one[1], sensitive_features=group).by_group.tolist()
            for name, rate in [("tpr", true_positive_rate), ("fpr", false_positive_rate), ("selection", selection_rate)]
        }
        by_class.append({
            **rates,
            "demographic_parity": demographic_parity_difference(*is_one, sensitive_features=group),
            "equal_opportunity": equal_opportunity_difference(*is_one, sensitive_features=group),
            "equalised_odds": equalized_odds_difference(*is_one, sensitive_features=group),
            "mean_odds": equalized_odds_difference(*is_one, sensitive_features=group, agg="mean") ,
        })
        # fairlearn's mean is over the two differences
        tpr, fpr = (max(rates[name]) - min(rates[name]) for name in ("tpr", "fpr"))
        assert math.isclose(by_class[-1]["mean_odds"], (tpr + fpr) / 2)
    gaps = [one["tpr"][0] - one["tpr"][2] for one in by_class]
    accuracy = MetricFrame(metrics=accuracy_score, y_true=truth, y_pred=prediction, sensitive_features=group)
    return {
        "truth": truth.tolist(),
        "prediction": prediction.tolist(),
        "group": group.tolist(),
        "classes": by_class,
        "gaps": gaps,
        "rms": float(np.sqrt(np.mean(np.square(gaps)))),
        "accuracy": accuracy.by_group.tolist(),
        "overall": accuracy.overall,
        "worst_group": accuracy.group_min(),
    }


def association(w, a, b):
    cosine = lambda one, other: one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    return np.mean([cosine(w, other) for other in a]) - np.mean([cosine(w, other) for other in b])


def weat(x_count, y_count):
    a, b = random.normal(size=(3, 6)), random.normal(size=(4, 6))
    x = random.normal(size=(x_count, 6)) + 0.5 * a.mean(0)
    y = random.normal(size=(y_count, 6)) + 0.5 * b.mean(0)
    s = [association(w, a, b) for w in np.concatenate([x, y])]
    effect = (np.mean(s[:x_count]) - np.mean(s[x_count:])) / np.std(s, ddof=1)
    everyone, observed = set(range(x_count + y_count)), np.mean(s[:x_count]) - np.mean(s[x_count:])
    as_far = total = 0
    for chosen in itertools.combinations(sorted(everyone), x_count):
        rest = sorted(everyone - set(chosen))
        difference = np.mean([s[i] for i in chosen]) - np.mean([s[i] for i in rest])
        as_far, total = as_far + (difference >= observed - 1e-12), total + 1
    lists = {name: of.tolist() for name, of in [("x", x), ("y", y), ("a", a), ("b", b)]}
    return {**lists, "associations": s, "effect": effect, "p": as_far / total, "partitions": total}


golden = {"classification": classification(), "weat": [weat(4, 4), weat(5, 3), weat(8, 8)]}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden) + "\n")
