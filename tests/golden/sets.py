"""sets.json: answers that are sets of tokens, patched by hand; writes it beside this script.

Run with the packages of versions.txt: python tests/golden/sets.py
"""

import json
from pathlib import Path

import torch
from patching import ALL, patch, record
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
CLEAN = [[1, 9, 3, 20], [1, 30, 3, 21]]
CORRUPT = [[1, 12, 3, 20], [1, 31, 3, 21]]
# of several sizes, one of them a single token
RIGHT = [[5, 7, 40], [6]]
WRONG = [[8, 2], [9, 11, 13, 15]]


def metrics(logits):
    """All five metrics of each item, from the definition: probabilities of a set add up."""
    logits = logits.double()
    p = logits.softmax(-1)
    of = lambda values, sets: torch.stack([row[tokens].sum() for row, tokens in zip(values, sets)])
    right, wrong = of(p, RIGHT), of(p, WRONG)
    found = {
        "LogitDiff": right.log() - wrong.log(),
        "Logit": of(logits.exp(), RIGHT).log(),
        "LogProb": right.log(),
        "Probability": right,
        "ProbabilityDiff": right - wrong,
    }
    return {name: values.tolist() for name, values in found.items()}


@torch.no_grad()
def main():
    found = {}
    for case in ["gpt2", "llama"]:
        model = AutoModelForCausalLM.from_pretrained(HERE / case, attn_implementation="eager").float().eval()
        clean, corrupt = torch.tensor(CLEAN), torch.tensor(CORRUPT)
        layers, positions = model.config.num_hidden_layers, len(CLEAN[0])
        source = [record(model, clean, "resid_pre", layer) for layer in range(layers)]
        at = lambda layer, pos: metrics(patch(model, corrupt, "resid_pre", layer, source[layer], (ALL, pos)))
        found[case] = {
            "corrupt": metrics(model(corrupt).logits[:, -1]),
            "patched": [[at(layer, pos) for pos in range(positions)] for layer in range(layers)],
        }
    data = {"clean": CLEAN, "corrupt": CORRUPT, "right": RIGHT, "wrong": WRONG, "models": found}
    (HERE / "sets.json").write_text(json.dumps(data) + "\n")


main()
