"""What rounding and pruning give in plain numpy, by the formulas of their papers and not by the tricks of their programs.

GPTQ and SparseGPT are written as the optimal brain surgeon: for each column the inverse of what is left of H is made anew,
where programs read all of them off one Cholesky factor. NF4's scales of eight bits and AWQ's search are written out likewise.

Run: python tests/golden/treat.py   (numpy alone; writes treat.json beside this file)
"""

import json
from pathlib import Path

import numpy as np

OUT, IN, TEXTS, PAIRS = 12, 16, 40, 10
rng = np.random.default_rng(7)
W = rng.normal(size=(OUT, IN))
X = rng.normal(size=(TEXTS, IN)) @ rng.normal(size=(IN, IN)) * np.exp(rng.normal(size=IN))
X[:, 5] = 0.0  # a dead channel
A, B = rng.normal(size=(PAIRS, IN)), rng.normal(size=(PAIRS, IN))


def levels(weights, bits, symmetric):
    if symmetric:
        most = 2 ** (bits - 1) - 1
        scale = np.abs(weights).max() / most
        return lambda w: scale * np.clip(np.round(w / scale), -most, most)
    low, high = weights.min(), weights.max()
    scale = (high - low) / (2**bits - 1)
    zero = np.round(-low / scale)
    return lambda w: scale * (np.clip(np.round(w / scale) + zero, 0, 2**bits - 1) - zero)


def rounded(weights, bits, symmetric, group):
    out = np.empty_like(weights)
    for row in range(len(weights)):
        for start in range(0, weights.shape[1], group):
            part = weights[row, start : start + group]
            out[row, start : start + group] = levels(part, bits, symmetric)(part)
    return out


def damped(hessian, damping):
    hessian = hessian.copy()
    dead = np.diag(hessian) == 0
    hessian[dead, dead] = 1
    return hessian + damping * np.mean(np.diag(hessian)) * np.eye(len(hessian))


def gptq(weights, hessian, bits, symmetric, group, act_order, damping=0.01):
    order = np.argsort(-np.diag(hessian), kind="stable") if act_order else np.arange(IN)
    own, weights = damped(hessian, damping)[np.ix_(order, order)], weights[:, order].copy()
    for row in weights:
        for column in range(IN):
            if column % group == 0:
                level = levels(row[column : column + group].copy(), bits, symmetric)
            inverse = np.linalg.inv(own[column:, column:])
            error = (row[column] - level(row[column])) / inverse[0, 0]
            row[column] = level(row[column])
            row[column + 1 :] -= error * inverse[0, 1:]
    back = np.empty_like(weights)
    back[:, order] = weights
    return back


def fair(weights, bits, symmetric, group, alpha, damping=0.01):
    apart = alpha * 2 / PAIRS * (A - B).T @ (A - B)
    hessian = 2 / TEXTS * X.T @ X + apart
    moved = weights - (np.linalg.inv(damped(hessian, damping)) @ apart @ weights.T).T
    return gptq(moved, hessian, bits, symmetric, group, False, damping)


def lowest(scores, count):
    gone = np.zeros(scores.size, dtype=bool)
    gone[np.argsort(scores.ravel(), kind="stable")[:count]] = True
    return gone.reshape(scores.shape)


def wanda(weights, share):
    scores = np.abs(weights) * np.linalg.norm(X, axis=0)
    gone = np.stack([lowest(row, int(IN * share)) for row in scores])
    return np.where(gone, 0, weights)


def wanda_of(weights, zeros, of):
    scores = np.abs(weights) * np.linalg.norm(X, axis=0)
    out = weights.copy()
    for row in range(OUT):
        for start in range(0, IN, of):
            gone = np.argsort(scores[row, start : start + of], kind="stable")[:zeros]
            out[row, start + gone] = 0
    return out


def sparse_gpt(weights, hessian, block, share=None, of=None, damping=0.01):
    own, weights = damped(hessian, damping), weights.copy()
    inverses = [np.linalg.inv(own[column:, column:]) for column in range(IN)]
    losses = np.array([inverse[0, 0] for inverse in inverses])
    for start in range(0, IN, block):
        columns = range(start, min(start + block, IN))
        if share is not None:
            scores = weights[:, columns] ** 2 / losses[columns]
            gone = lowest(scores, int(scores.size * share))
        for place, column in enumerate(columns):
            if of is not None and column % of[1] == 0:
                near = slice(column, column + of[1])
                scores = weights[:, near] ** 2 / losses[near]
                chosen = np.stack([lowest(row, of[0]) for row in scores])
            now = chosen[:, column % of[1]] if of is not None else gone[:, place]
            error = np.where(now, weights[:, column], 0) / inverses[column][0, 0]
            weights[now, column] = 0
            weights[:, column + 1 :] -= np.outer(error, inverses[column][0, 1:])
    return weights


def awq(weights, bits, symmetric, group):
    size = np.abs(X).mean(axis=0)
    best = (np.inf, None)
    for step in range(20):
        scales = np.maximum(size ** (step / 20), 1e-4)
        scales = scales / np.sqrt(scales.max() * scales.min())
        tried = rounded(weights * scales, bits, symmetric, group) / scales
        error = np.sum((X @ (weights - tried).T) ** 2)
        if error < best[0]:
            best = (error, tried)
    return best[1]


def dynamic_map():
    numbers = [0.0, 1.0]
    for decade in range(7):
        edges = np.linspace(0.1, 1, 2**decade + 1)
        middles = (edges[:-1] + edges[1:]) / 2 * 10.0 ** (decade - 6)
        numbers += list(middles) + list(-middles)
    return np.sort(numbers)


NF4 = [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334]
NF4 += [-0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224]
NF4 = np.array(NF4 + [0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0])


def nearest(values, table):
    return table[np.argmin(np.abs(values[..., None] - table), axis=-1)]


def nf4(weights, block, double):
    blocks = weights.reshape(-1, block)
    exact = np.abs(blocks).max(axis=1)
    scales = exact
    if double:
        off = scales - scales.mean()
        unit = np.abs(off).max()
        scales = scales.mean() + unit * nearest(off / unit, dynamic_map())
    # codes are chosen by the scales as they were, and read with the rounded ones
    return (nearest(blocks / exact[:, None], NF4) * scales[:, None]).reshape(weights.shape)


H = 2 / TEXTS * X.T @ X
cases = {}
for bits, symmetric, group, order in [(4, True, IN, False), (3, False, IN, False), (4, False, 8, False), (3, True, 6, True)]:
    cases[f"gptq {bits} {int(symmetric)} {group} {int(order)}"] = gptq(W, H, bits, symmetric, group, order)
    cases[f"round {bits} {int(symmetric)} {group}"] = rounded(W, bits, symmetric, group)
    cases[f"awq {bits} {int(symmetric)} {group}"] = awq(W, bits, symmetric, group)
for alpha in [0.1, 2.0]:
    cases[f"fair 4 1 8 {alpha}"] = fair(W, 4, True, 8, alpha)
cases["wanda 0.5"] = wanda(W, 0.5)
cases["wanda 2:4"] = wanda_of(W, 2, 4)
cases["sparse 0.5 8"] = sparse_gpt(W, H, 8, share=0.5)
cases["sparse 0.7 128"] = sparse_gpt(W, H, 128, share=0.7)
cases["sparse 2:4 8"] = sparse_gpt(W, H, 8, of=(2, 4))
cases["sparse 1:4 128"] = sparse_gpt(W, H, 128, of=(1, 4))
cases["nf4 16 0"] = nf4(W, 16, False)
cases["nf4 16 1"] = nf4(W, 16, True)
cases["nf4 2 1"] = nf4(W, 2, True)  # many scales, some of which move a weight over the middle of two levels
inputs = {"W": W, "X": X, "A": A, "B": B}
written = {name: value.tolist() for name, value in {**inputs, **cases}.items()}
Path(__file__).with_name("treat.json").write_text(json.dumps(written))
