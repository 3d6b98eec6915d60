"""stitch.json: a small GPT-2 that goes on from a small Llama's states through ridge regression, by NumPy and plain hooks.

Run with the packages of versions.txt: python tests/golden/stitch.py
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from patching import record, visit
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
CLEAN = [[1, 9, 3, 20, 4], [1, 30, 3, 21, 7], [2, 11, 40, 20, 4]]
CORRUPT = [[1, 12, 3, 20, 4], [5, 30, 3, 17, 7], [2, 10, 41, 20, 4]]
ANSWERS = [[5, 8], [6, 9], [7, 30]]
PENALTY = 0.7
SITE, LAYER = "resid_pre", 1


def ridge(x, y):
    """Weights and intercept in the features' own units; features scaled by their deviation, the intercept not penalised."""
    centre, spread, mean = x.mean(0), x.std(0), y.mean(0)
    z = (x - centre) / spread
    weight = np.linalg.solve(z.T @ z + PENALTY * np.eye(z.shape[1]), z.T @ (y - mean)) / spread[:, None]
    return weight, mean - centre @ weight


@torch.no_grad()
def stitched(own, other, fit, at):
    """What the model says at the answers of the clean prompts, with the other's mapped states at these positions."""
    clean, answers = map(torch.tensor, (CLEAN, ANSWERS))
    states = lambda model, tokens: record(model, tokens, SITE, LAYER)[:, at].numpy()
    width = lambda rows: rows.reshape(-1, rows.shape[-1])
    weight, bias = ridge(width(states(other, fit)), width(states(own, fit)))
    mapped = torch.from_numpy(states(other, clean) @ weight + bias)

    def put(activation):
        activation = activation.clone()
        activation[:, at] = mapped
        return activation

    left = own(clean).logits[:, -1].log_softmax(-1)
    with visit(own, SITE, LAYER, put):
        logits = own(clean).logits[:, -1]
    now = logits.log_softmax(-1)
    right, wrong = logits.gather(1, answers).unbind(1)
    return {
        "metric": (right - wrong).tolist(),
        "agreement": (left.argmax(-1) == now.argmax(-1)).double().tolist(),
        "bits": ((left.exp() * (left - now)).sum(-1) / math.log(2)).tolist(),
    }


def main():
    random = torch.Generator().manual_seed(3)
    fit = torch.randint(1, 48, (14, 5), generator=random)
    load = lambda name: AutoModelForCausalLM.from_pretrained(HERE / name, attn_implementation="eager").double().eval()
    own, other = load("gpt2"), load("pythia-parallel")
    found = {name: stitched(own, other, fit, at) for name, at in {"all": [0, 1, 2, 3, 4], "last": [4]}.items()}
    data = {"clean": CLEAN, "corrupt": CORRUPT, "answers": ANSWERS, "fit": fit.tolist(), "penalty": PENALTY}
    (HERE / "stitch.json").write_text(json.dumps({**data, **found}, separators=(",", ":")) + "\n")


torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
main()
