"""Figures of erasing, comparing, single units and resampling by others, for the tests of parity: writes compare.json beside itself.

Python 3 with numpy, scipy, torch, concept-erasure 0.2.4, rsatoolbox 0.3, scikit-learn and statsmodels (any recent ones).
Where no package has a figure it is computed here from its definition, by another route than the Rust code takes.
"""
import itertools, json, pathlib
import numpy as np, scipy.linalg, scipy.spatial, scipy.stats, torch
import rsatoolbox, statsmodels.api, statsmodels.formula.api, statsmodels.stats.contingency_tables
from concept_erasure import LeaceFitter, OracleFitter
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import NearestNeighbors
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower

draw = np.random.default_rng(20)


def normal(*shape):
    return draw.normal(size=shape).round(5)


def listed(value):
    if isinstance(value, dict):
        return {name: listed(part) for name, part in value.items()}
    if isinstance(value, torch.Tensor):
        value = value.numpy()
    if isinstance(value, (list, tuple)):
        return [listed(part) for part in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def erasure():
    labels = draw.choice(3, size=60, p=[0.5, 0.3, 0.2])
    x = (normal(60, 8) @ normal(8, 8) + 2.0 * np.eye(3)[labels] @ normal(3, 8) + normal(8)).round(5)
    collinear = np.concatenate([x, x[:, :1] - 2 * x[:, 1:2], np.full((60, 1), 3.0)], axis=1)
    values = (x[:, :2] + normal(60, 2)).round(5)

    def tensor(rows):
        return torch.tensor(rows, dtype=torch.float64)

    def fitted(rows, z, **options):
        eraser = LeaceFitter.fit(tensor(rows), tensor(z), **options).eraser
        return {"matrix": eraser.P, "applied": eraser(tensor(rows))}

    one_hot = np.eye(3)[labels]
    oracle = OracleFitter.fit(tensor(x), tensor(one_hot)).eraser
    return {
        "x": x, "labels": labels, "collinear": collinear, "values": values,
        "leace": fitted(x, one_hot, shrinkage=False),
        "leace_shrunk": fitted(x, one_hot, shrinkage=True),
        "leace_collinear": fitted(collinear, one_hot, shrinkage=False),
        "leace_values": fitted(x, values, shrinkage=False),
        "orthogonal": fitted(x, one_hot, method="orth"),
        "oracle": oracle(tensor(x), tensor(one_hot)),
        "inlp": inlp(x, labels, 2),
    }


def inlp(x, labels, rounds):
    """With least squares without its intercept's column: centred rows on centred indicators, least norm."""
    z = np.eye(3)[labels]
    total, projection = np.zeros((8, 8)), np.eye(8)
    for _ in range(rounds):
        rows = x @ projection
        # only the first class against the rest, so that directions are left for a second round
        w = np.linalg.lstsq(rows - rows.mean(0), (z - z.mean(0))[:, :1], rcond=1e-10)[0]
        total += w @ np.linalg.pinv(w)
        basis = scipy.linalg.orth(total)
        projection = np.eye(8) - basis @ basis.T
    return projection


def similarities():
    patterns = normal(7, 9) + 0.3
    items, conditions, folds = normal(30, 5), np.tile(np.arange(5), 6), np.repeat(np.arange(3), 10)
    residuals = normal(12, 5) @ normal(5, 5)
    precision = np.linalg.inv(np.cov(normal(40, 9).T)).round(6)
    precision = (precision + precision.T) / 2
    weigh = np.linalg.inv(np.cov(normal(40, 5).T)).round(6)
    weigh = (weigh + weigh.T) / 2
    data = rsatoolbox.data.Dataset(patterns)
    rows = rsatoolbox.data.Dataset(items, obs_descriptors={"condition": conditions, "fold": folds})
    rdm = lambda *given, **named: rsatoolbox.rdm.calc_rdm(*given, **named).dissimilarities[0]
    unit = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    subjects = (np.abs(normal(1, 21)) + 0.5 * np.abs(normal(4, 21))).round(1)  # rounded: some are tied
    models = np.abs(normal(2, 21)).round(1)
    methods = {"Cosine": "cosine", "Pearson": "corr", "Spearman": "spearman", "RhoA": "rho-a", "TauA": "tau-a",
               "WhitenedCosine": "cosine_cov", "WhitenedPearson": "corr_cov"}
    all_rdms = rsatoolbox.rdm.RDMs(subjects)
    of_model = rsatoolbox.rdm.RDMs(models)
    ceilings = {name: rsatoolbox.inference.boot_noise_ceiling(all_rdms, method) for name, method in methods.items()}
    noise = {"Full": "full", "Diagonal": "diag", "ShrunkToEqual": "shrinkage_eye", "ShrunkToDiagonal": "shrinkage_diag"}
    covariances = {name: rsatoolbox.data.noise.cov_from_residuals(residuals, method=how) for name, how in noise.items()}
    return {
        "patterns": patterns, "precision": precision, "items": items, "conditions": conditions, "folds": folds,
        "weigh": weigh, "residuals": residuals, "subjects": subjects, "models": models,
        "squared_euclidean": rdm(data), "correlation": rdm(data, method="correlation"),
        "cosine": 1 - (unit @ unit.T)[np.triu_indices(7, 1)],
        "mahalanobis": rdm(data, method="mahalanobis", noise=precision),
        "crossnobis": rdm(rows, method="crossnobis", descriptor="condition", cv_descriptor="fold", noise=weigh),
        "covariance": covariances,
        "inverse": rsatoolbox.data.noise.prec_from_residuals(residuals, method="shrinkage_diag"),
        "similarity": {name: rsatoolbox.rdm.compare(of_model, all_rdms, method) for name, method in methods.items()},
        "ceiling": ceilings,
    }


def spaces():
    found = []
    for items, width, other in ((30, 4, 6), (9, 20, 15)):
        x = normal(items, width)
        y = (x[:, :2] @ normal(2, other) + normal(items, other)).round(5)
        found.append({"x": x, "y": y, **kernels(x, y), **linear(x, y)})
    curve = np.linspace(0, 3, 80) + 0.001 * normal(80)
    sheet = np.stack([np.cos(curve), np.sin(curve), 0.5 * normal(80)], axis=1).round(6)
    distances = NearestNeighbors(n_neighbors=3).fit(sheet).kneighbors(sheet)[0]
    ratios = np.sort(distances[:, 2] / distances[:, 1])[:72]
    slope = LinearRegression(fit_intercept=False).fit(np.log(ratios)[:, None], -np.log(1 - np.arange(72) / 80)).coef_[0]
    eigenvalues = np.linalg.eigvalsh(np.cov(sheet.T))
    return {"pairs": found, "sheet": sheet, "two_nn": slope, "participation": eigenvalues.sum() ** 2 / (eigenvalues**2).sum()}


def kernels(x, y):
    """CKA by centring matrices, and by Song et al.'s sum over kernels without their diagonals."""
    n = len(x)
    centre = np.eye(n) - 1 / n

    def plain(k, l):
        return np.trace(k @ centre @ l @ centre)

    def unbiased(k, l):
        k, l, one = k - np.diag(np.diag(k)), l - np.diag(np.diag(l)), np.ones(n)
        return np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ l @ one)

    def bell(rows):
        apart = scipy.spatial.distance.squareform(scipy.spatial.distance.pdist(rows))
        sigma = 0.8 * np.median(scipy.spatial.distance.pdist(rows))
        return np.exp(-(apart**2) / (2 * sigma**2))

    def ratio(product, k, l):
        return product(k, l) / np.sqrt(product(k, k) * product(l, l))

    flat, curved = (x @ x.T, y @ y.T), (bell(x), bell(y))
    return {"cka": ratio(plain, *flat), "debiased_cka": ratio(unbiased, *flat),
            "rbf_cka": ratio(plain, *curved), "debiased_rbf_cka": ratio(unbiased, *curved)}


def linear(x, y):
    """Canonical correlations as roots of the eigenvalues of Sxx⁻¹ Sxy Syy⁻¹ Syx, and the rotation by scipy."""
    x, y = x - x.mean(0), y - y.mean(0)

    def correlations(x, y):
        both = np.linalg.pinv(x.T @ x, rcond=1e-10) @ x.T @ y @ np.linalg.pinv(y.T @ y, rcond=1e-10) @ y.T @ x
        count = min(np.linalg.matrix_rank(x), np.linalg.matrix_rank(y))
        values, vectors = np.linalg.eig(both)
        order = np.argsort(-values.real)[:count]
        return np.sqrt(values.real[order].clip(0, 1)), x @ vectors.real[:, order]

    def main(rows):
        values, vectors = np.linalg.eigh(rows.T @ rows)
        shares = np.cumsum(values[::-1]) / values.sum()
        return rows @ vectors[:, ::-1][:, : np.searchsorted(shares, 0.9) + 1]

    rhos, variates = correlations(x, y)
    weights = np.abs((variates / np.linalg.norm(variates, axis=0)).T @ x).sum(1)
    a, b = x / np.linalg.norm(x), y / np.linalg.norm(y)
    width = max(a.shape[1], b.shape[1])
    a, b = (np.pad(rows, ((0, 0), (0, width - rows.shape[1]))) for rows in (a, b))
    turned = a @ scipy.linalg.orthogonal_procrustes(a, b)[0]
    few = np.linalg.matrix_rank(x) + np.linalg.matrix_rank(y) < len(x) - 1
    return {"correlations": rhos if few else None, "svcca": correlations(main(x), main(y))[0],
            "pwcca": (weights * rhos).sum() / weights.sum() if few else None, "procrustes": ((turned - b) ** 2).sum()}


def units():
    first, second = np.repeat([0, 1, 2], 12), np.tile([0, 1], 18)
    first, second = np.append(first, [0, 0, 2, 1]), np.append(second, [0, 0, 1, 0])  # not balanced
    responses = (normal(40, 3) + np.outer(first, [1, 0, 0.5]) + np.outer(second * (first - 1), [0, 1, 0.5])).round(5)
    tables = []
    for column in responses.T:
        frame = {"r": column, "a": first, "b": second}
        table = statsmodels.api.stats.anova_lm(statsmodels.formula.api.ols("r ~ C(a) * C(b)", frame).fit(), typ=2)
        total = ((column - column.mean()) ** 2).sum()
        tables.append({"shares": table["sum_sq"].values / total, "p": table["PR(>F)"].values[:3]})
    a, b = responses[:15, 0], responses[20:, 1]
    welch = scipy.stats.ttest_ind(a, b, equal_var=False)
    counts = draw.integers(0, 4, size=(4, 6))
    counts[:, 0] += 1
    return {"first": first, "second": second, "responses": responses, "anova": tables, "a": a, "b": b,
            "welch": [welch.statistic, welch.pvalue], "counts": counts, "information": information(counts)}


def information(counts):
    """Plain from the ratio of probabilities, and both corrections."""
    n, p = counts.sum(), counts / counts.sum()
    expected = np.outer(p.sum(1), p.sum(0))
    plain = sum(q * np.log2(q / e) for q, e in zip(p.ravel(), expected.ravel()) if q)
    occur = [(part > 0).sum() for part in (counts, counts.sum(0), counts.sum(1))]
    madow = plain - ((occur[0] - 1) - (occur[1] - 1) - (occur[2] - 1)) / (2 * n * np.log(2))
    possible = occur[1]
    treves = plain - (sum(could(row, possible) - 1 for row in counts) - (possible - 1)) / (2 * n * np.log(2))
    return {"Plain": plain, "MillerMadow": madow, "PanzeriTreves": treves}


def could(row, possible):
    """Panzeri & Treves' estimate: the number of cells whose expected number of occupied ones is nearest to those occupied."""
    n, seen = row.sum(), row[row > 0]
    gaps = []
    for extra in range(possible - len(seen) + 1):
        if extra == 0:
            occupied = (1 - (1 - seen / n) ** n).sum()
        else:
            gamma = extra * (1 - (n / (n + len(seen))) ** (1 / n))
            occupied = (1 - (1 - (1 - gamma) / (n + len(seen)) * (seen + 1)) ** n).sum() + extra * (1 - (1 - gamma / extra) ** n)
        gaps.append(abs(len(seen) - occupied))
        if extra and gaps[-1] >= gaps[-2]:
            return len(seen) + extra - 1
    return len(seen) + len(gaps) - 1


def resampling():
    draws, left_out, observed = normal(400) * 2 + 1, (draw.exponential(size=15) ** 2).round(5), 1.3
    bias = scipy.stats.norm.ppf((draws < observed).mean())
    apart = left_out.mean() - left_out
    skew = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)
    z = bias + scipy.stats.norm.ppf([0.05, 0.95])
    places = scipy.stats.norm.cdf(bias + z / (1 - skew * z))
    a, b = normal(9) + 1, normal(6)
    pooled = np.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2))
    d = (a.mean() - b.mean()) / pooled
    free = len(a) + len(b) - 2
    exact = np.exp(scipy.special.gammaln(free / 2) - scipy.special.gammaln((free - 1) / 2)) / np.sqrt(free / 2)
    table = statsmodels.stats.contingency_tables.Table2x2(np.array([[12, 5], [3, 9]]))
    p = draw.uniform(size=12).round(4) ** 2
    power = [[e, n, l, TTestPower().power(e, n, l)] for e, n, l in itertools.product((0.1, 0.5, -1.2), (2, 10, 200), (0.05, 0.01))]
    two = [[e, n, m, TTestIndPower().power(e, n, 0.05, ratio=m / n)] for e, n, m in ((0.5, 10, 30), (0.2, 300, 250), (1.0, 4, 3))]
    return {"draws": draws, "left_out": left_out, "observed": observed, "bca": np.percentile(draws, 100 * places),
            "a": a, "b": b, "cohens_d": d, "hedges_g": d * exact,
            "odds": [table.oddsratio, *table.oddsratio_confint(0.1)], "p": p,
            "benjamini_hochberg": multipletests(p, method="fdr_bh")[1], "power": power, "two_sample_power": two}


parts = {"erasure": erasure, "similarities": similarities, "spaces": spaces, "units": units, "resampling": resampling}
found = {name: listed(part()) for name, part in parts.items()}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(found) + "\n")
