"""Logistic probes of many cells by scikit-learn, for probes.py: prints one line of JSON with the seconds that they took."""
import argparse, json, pathlib, time, warnings
import joblib, numpy
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

options = argparse.ArgumentParser()
options.add_argument("folder", type=pathlib.Path)
options.add_argument("--nested", action="store_true")
options.add_argument("--penalties", default="0.01,0.1,1,10,100")
options.add_argument("--folds", type=int, default=5)
options.add_argument("--inner", type=int, default=4)
options.add_argument("--tolerance", type=float, default=1e-4)
options.add_argument("--type", default="float32", help="in which numbers it works; it keeps the type of its input")
options.add_argument("--jobs", type=int, default=0, help="cells at once, a thread each; without, cells in turn, all threads each")
options.add_argument("--save", type=pathlib.Path)
options = options.parse_args()

sizes = json.loads((options.folder / "sizes.json").read_text())
cells, items, width = (sizes[name] for name in ("cells", "items", "width"))
states = numpy.memmap(options.folder / "states.bin", dtype="<f4", mode="r", shape=(cells, items, width))
labels = numpy.fromfile(options.folder / "labels.bin", dtype="<u4").reshape(cells, items)
penalties = [float(penalty) for penalty in options.penalties.split(",")]
limits = {"tol": options.tolerance, "max_iter": 1000}


def single(rows, labels):
    """One probe of all items: weights and intercept in the features' own units."""
    scale = StandardScaler().fit(rows)
    fit = LogisticRegression(C=1 / penalties[len(penalties) // 2], **limits).fit(scale.transform(rows), labels)
    weights = fit.coef_ / scale.scale_
    return numpy.hstack([weights, (fit.intercept_ - weights @ scale.mean_)[:, None]])


def nested(rows, labels):
    """Log-probabilities of items held out, the penalty by inner folds (scaled with the outer fold, as its pipelines do)."""
    told = numpy.empty((len(rows), sizes["classes"]))
    for train, test in StratifiedKFold(options.folds, shuffle=True, random_state=0).split(rows, labels):
        inner = LogisticRegressionCV(Cs=[1 / penalty for penalty in penalties], cv=options.inner, scoring="neg_log_loss", **limits)
        fit = make_pipeline(StandardScaler(), inner).fit(rows[train], labels[train])
        told[test] = fit.predict_log_proba(rows[test])
    return told


def cell(place):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        rows = numpy.asarray(states[place], dtype=options.type)
        return (nested if options.nested else single)(rows, labels[place])


def alone(place):
    with threadpool_limits(1):
        return cell(place)


def ready(place):
    """Does nothing, once the process that does it has imported what it needs."""
    return LogisticRegression.__name__


if options.jobs:
    joblib.Parallel(options.jobs)(joblib.delayed(ready)(place) for place in range(4 * options.jobs))
begun = time.perf_counter()
if options.jobs:
    found = joblib.Parallel(options.jobs)(joblib.delayed(alone)(place) for place in range(cells))
else:
    found = [cell(place) for place in range(cells)]
seconds = time.perf_counter() - begun
if options.save:
    options.save.write_text(json.dumps([rows.tolist() for rows in found]))
print(json.dumps({"seconds": seconds, "cells": cells}))
