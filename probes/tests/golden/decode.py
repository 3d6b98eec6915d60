"""Makes decode.json: probes and figures of scikit-learn, for probes/tests/decode_parity.rs.

decode.py OUT.json      (scikit-learn 1.7 or later, scipy)

Numbers of the data are rounded first, so that both sides see the same.
"""
import json, sys, warnings
import numpy, scipy.optimize, sklearn
from sklearn.calibration import calibration_curve
from sklearn.feature_selection import f_classif
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, log_loss, r2_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

random = numpy.random.default_rng(20)


def states(items, width, classes):
    """Features that go together and have very different sizes and means, labels that depend on some of them."""
    mix = random.normal(size=(width, width)) / width**0.5 + numpy.eye(width)
    sizes = numpy.exp(random.normal(size=width))
    rows = (random.normal(size=(items, width)) @ mix) * sizes + random.normal(size=width) * 3
    rows = numpy.round(rows, 4)
    scaled = StandardScaler().fit_transform(rows)
    logits = scaled @ random.normal(size=(width, classes)) * 2 / width**0.5 + random.gumbel(size=(items, classes))
    return rows, logits.argmax(1)


def logistic(rows, labels, penalty):
    """Newton's method is exact where L-BFGS stops at its rounding."""
    fit = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-13, max_iter=1000).fit(rows, labels)
    intercepts = fit.intercept_ - (fit.intercept_.mean() if len(fit.intercept_) > 1 else 0)
    return {
        "weights": fit.coef_.tolist(),
        "intercepts": intercepts.tolist(),
        "log_probabilities": fit.predict_log_proba(rows[:5]).tolist(),
    }


cases = []
for items, width, classes in [(120, 12, 3), (90, 30, 2), (25, 40, 2)]:
    rows, labels = states(items, width, classes)
    scaled = StandardScaler().fit_transform(rows)
    targets = numpy.round(rows @ random.normal(size=(width, 2)) + random.normal(size=(items, 2)) * 5, 4)
    fits = []
    for penalty in [10.0, 1.0, 0.1]:
        ridge, signs = Ridge(alpha=penalty, solver="svd").fit(rows, targets), RidgeClassifier(alpha=penalty, solver="svd").fit(rows, labels)
        fits.append({
            "penalty": penalty,
            "own": logistic(rows, labels, penalty),
            "spread": logistic(scaled, labels, penalty),
            "ridge": {"weights": ridge.coef_.tolist(), "intercepts": ridge.intercept_.tolist(),
                      "explained": r2_score(targets, ridge.predict(rows), multioutput="raw_values").tolist()},
            "ridge_spread": Ridge(alpha=penalty, solver="svd").fit(scaled, targets).predict(scaled[:5]).tolist(),
            "signs": {"weights": numpy.atleast_2d(signs.coef_).tolist(), "intercepts": numpy.atleast_1d(signs.intercept_).tolist(), "classes": signs.predict(rows).tolist()},
        })
    hidden = MLPClassifier((7,), activation="relu", solver="lbfgs", alpha=0.5, max_iter=20, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hidden.fit(scaled, labels)
    inner, outer = hidden.coefs_
    parameters = [inner.T.ravel(), hidden.intercepts_[0], outer.T.ravel(), hidden.intercepts_[1]]
    cases.append({
        "rows": rows.tolist(), "labels": labels.tolist(), "classes": classes, "targets": targets.tolist(), "fits": fits,
        "anova": f_classif(rows, labels)[0].tolist(),
        "hidden": {"width": 7, "penalty": 0.5, "parameters": numpy.concatenate(parameters).tolist(), "loss": hidden.loss_ * items},
    })

logits = numpy.round(random.normal(size=(200, 3)) * 2, 4)
labels = (logits + random.gumbel(size=logits.shape) * 2).argmax(1)
logs = logits - scipy.special.logsumexp(logits, axis=1, keepdims=True)
right = (labels == 1).astype(int)
one = numpy.exp(logs[:, 1])
spent = lambda factor: log_loss(labels, scipy.special.softmax(logits * factor, axis=1))
best = scipy.optimize.minimize_scalar(spent, bounds=(0.01, 10), method="bounded", options={"xatol": 1e-12})
pair = scipy.special.expit(logits[:, 0])
figures = {
    "logits": logits.tolist(), "labels": labels.tolist(),
    "balanced": balanced_accuracy_score(labels, logits.argmax(1)), "nats": log_loss(labels, numpy.exp(logs)),
    "brier": float(((numpy.exp(logs) - numpy.eye(3)[labels]) ** 2).sum(1).mean()),
    "pair_brier": brier_score_loss(right, pair),
    "temperature": 1 / best.x,
    "even": [part.tolist() for part in calibration_curve(right, one, n_bins=7)],
    "filled": [part.tolist() for part in calibration_curve(right, one, n_bins=7, strategy="quantile")],
}
with open(sys.argv[1], "w") as file:
    json.dump({"scikit-learn": sklearn.__version__, "cases": cases, "figures": figures}, file)
    file.write("\n")
