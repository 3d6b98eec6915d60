"""Responses of neurons, lesions and steps along directions of a tiny GPT-2: plain hooks, NumPy and SciPy.

Run:    HF_HUB_OFFLINE=1 python units.py GOLDEN_DIR OUT.json      (seconds)
Needs:  torch, transformers, numpy, scipy; the versions used are in versions.txt

Pairs of random prompts have a label `part`, a or b. For each part: Welch's t of every neuron at the last position, clean against
corrupted prompts, its p-values corrected by Benjamini and Hochberg over the layer, d', and the selectivity index. Then all
neurons of the last layer set to zero at every position; and the stream behind the first block moved, at every position, by the
mean difference at the last position of the other part, times a coefficient. Every number is the mean over pairs of the mean over
both prompts: `towards` is the logit of the right answer less that of the wrong one after either prompt, `score` the same with
the answers exchanged after corrupted prompts, `own` the mean log-probability of the prompt's tokens behind the first, `kl` the
divergence of the distribution at the last position.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from transformers import AutoModelForCausalLM

PAIRS, LENGTH, COEFFICIENTS = 6, 7, [-1.0, 0.5, 2.0]


def logits(model, prompts, layer=None, change=None, site="stream"):
    """Logits of all positions, [prompt, pos, token], with a hook on what a block or its neurons give."""
    block = None if layer is None else model.transformer.h[layer]
    where = block if site == "stream" else block.mlp.act

    def hook(_, __, out):
        state = out[0] if isinstance(out, tuple) else out
        state = change(state)
        return (state, *out[1:]) if isinstance(out, tuple) else state

    handle = where.register_forward_hook(hook) if change else None
    with torch.no_grad():
        found = model(torch.tensor(prompts)).logits.double()
    if handle:
        handle.remove()
    return found


def state(model, prompts, layer, site):
    kept = []
    logits(model, prompts, layer, lambda value: kept.append(value[:, -1].double().numpy()) or value, site)
    return kept[0]


def said(found, prompts, answers):
    """Right less wrong, mean log-probability of the tokens behind the first, log-probabilities at the end."""
    ln = torch.log_softmax(found, -1).numpy()
    rows = np.arange(len(prompts))
    towards = ln[rows, -1, [a[0] for a in answers]] - ln[rows, -1, [a[1] for a in answers]]
    own = np.array([[ln[row, at, prompts[row][at + 1]] for at in range(LENGTH - 1)] for row in rows]).mean(1)
    return towards, own, ln[:, -1]


def changes(model, prompts, answers, sides, **change):
    """Of both prompts of each pair, beside the model left alone."""
    alone, moved = said(logits(model, prompts), prompts, answers), said(logits(model, prompts, **change), prompts, answers)
    rise = moved[0] - alone[0]
    kl = (np.exp(alone[2]) * (alone[2] - moved[2])).sum(1)
    pairs = lambda values: values.reshape(-1, 2).mean(1).tolist()
    return {"towards": pairs(rise), "score": pairs(rise * sides), "own": pairs(moved[1] - alone[1]), "kl": pairs(kl)}


def main(golden, out):
    model = AutoModelForCausalLM.from_pretrained(Path(golden) / "gpt2").eval()
    draw = np.random.default_rng(3)
    parts = {}
    for part in "ab":
        clean, corrupt = draw.integers(1, 48, (2, PAIRS, LENGTH)).tolist()
        answers = [draw.choice(np.arange(1, 48), 2, replace=False).tolist() for _ in range(PAIRS)]
        parts[part] = {"clean": clean, "corrupt": corrupt, "answers": answers}
    both = {part: [row for pair in zip(held["clean"], held["corrupt"]) for row in pair] for part, held in parts.items()}
    sides = np.tile([1.0, -1.0], PAIRS)
    for part, held in parts.items():
        held["layers"] = []
        for layer in range(2):
            neurons = state(model, both[part], layer, "neurons")
            a, b = neurons[0::2], neurons[1::2]
            welch = stats.ttest_ind(a, b, equal_var=False)
            spread = np.sqrt((a.var(0, ddof=1) + b.var(0, ddof=1)) / 2)
            held["layers"].append({
                "t": welch.statistic.tolist(),
                "p": stats.false_discovery_control(welch.pvalue).tolist(),
                "d_prime": ((a.mean(0) - b.mean(0)) / spread).tolist(),
                "selectivity": ((a.mean(0) - b.mean(0)) / (abs(a.mean(0)) + abs(b.mean(0)))).tolist(),
            })
        twice = [answer for answer in held["answers"] for _ in range(2)]
        zero = dict(layer=1, site="neurons", change=torch.zeros_like)
        held["zeroed"] = changes(model, both[part], twice, sides, **zero)
        other = state(model, both["b" if part == "a" else "a"], 0, "stream")
        step = torch.tensor(other[0::2].mean(0) - other[1::2].mean(0)).float()
        unit = step / step.norm()
        held["steered"] = [
            changes(model, both[part], twice, sides, layer=0, change=lambda x, times=times: x + times * step)
            for times in COEFFICIENTS
        ]
        ablate = lambda x: x - (x @ unit)[..., None] * unit
        held["ablated"] = changes(model, both[part], twice, sides, layer=0, change=ablate)
    Path(out).write_text(json.dumps({"coefficients": COEFFICIENTS, "parts": parts}))


if __name__ == "__main__":
    main(*sys.argv[1:])
