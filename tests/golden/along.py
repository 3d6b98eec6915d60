"""Runs that go on from states without a feature, swapped and steered: LEACE of concept-erasure in hooks on transformers.

Run:    HF_HUB_OFFLINE=1 python along.py GOLDEN_DIR OUT.json      (seconds)
Needs:  torch, transformers, concept-erasure; the versions used are in versions.txt

Knows nothing of PatchClamp, so that agreement means something. A feature is taught by pairs of random prompts (with,
without), by their states behind each block at the last position; LEACE is fitted to all of them with its shrunk
covariance, as it is by default. Then each item's clean prompt is run once more with its state there erased, with what the
eraser takes out taken from the corrupted prompt (swapped), or with the difference of the means added (steered).

OUT.json: for each model its pairs, those of the feature, and `effects`: the change of the difference of logits,
[way][layer][item].
"""

import json
import sys
from pathlib import Path

import torch
from concept_erasure import LeaceEraser
from transformers import AutoModelForCausalLM

FEATURE, ITEMS, LENGTH = 30, 4, 6


class Patient:
    def __init__(self, folder):
        self.model = AutoModelForCausalLM.from_pretrained(folder).eval().double()
        inner = getattr(self.model, "transformer", None) or self.model.model
        self.blocks = getattr(inner, "h", None) or inner.layers
        self.vocabulary = self.model.config.vocab_size

    def run(self, prompts, layer, put=None):
        """Logits behind the last token, and the states behind a block there."""
        seen = []

        def hook(_, __, output):
            state = output[0] if isinstance(output, tuple) else output
            if put is not None:
                state = state.clone()
                state[:, -1] = put
            seen.append(state[:, -1])
            return (state, *output[1:]) if isinstance(output, tuple) else state

        handle = self.blocks[layer].register_forward_hook(hook)
        with torch.no_grad():
            logits = self.model(torch.tensor(prompts)).logits[:, -1]
        handle.remove()
        return logits, seen[0]


def pairs(count, vocabulary, random):
    """Random prompts that differ in their second token, with two answers."""
    prompts = torch.randint(0, vocabulary, (count, LENGTH), generator=random)
    drawn = lambda low, high: torch.randint(low, high, (count,), generator=random)
    clean, corrupt = prompts.clone(), prompts.clone()
    clean[:, 1], corrupt[:, 1] = drawn(0, vocabulary // 2), drawn(vocabulary // 2, vocabulary)
    right, wrong = drawn(0, vocabulary // 2), drawn(vocabulary // 2, vocabulary)
    rows = zip(clean.tolist(), corrupt.tolist(), right.tolist(), wrong.tolist())
    return [dict(clean=c, corrupt=d, right=r, wrong=w) for c, d, r, w in rows]


def case(folder, random):
    patient = Patient(folder)
    items, feature = (pairs(count, patient.vocabulary, random) for count in (ITEMS, FEATURE))
    side = lambda which, rows: [row[which] for row in rows]
    metric = lambda logits: torch.stack([row[i["right"]] - row[i["wrong"]] for row, i in zip(logits, items)])
    effects = dict(Erase=[], Swap=[], Steer=[])
    for layer in range(len(patient.blocks)):
        has, lacks = (patient.run(side(which, feature), layer)[1] for which in ("clean", "corrupt"))
        classes = torch.nn.functional.one_hot(torch.tensor([0] * FEATURE + [1] * FEATURE)).double()
        eraser = LeaceEraser.fit(torch.cat([has, lacks]), classes)
        (logits, clean), (_, corrupt) = (patient.run(side(which, items), layer) for which in ("clean", "corrupt"))
        changed = dict(
            Erase=eraser(clean),
            Swap=eraser(clean) + corrupt - eraser(corrupt),
            Steer=clean + lacks.mean(0) - has.mean(0),
        )
        for way, state in changed.items():
            after = patient.run(side("clean", items), layer, put=state)[0]
            effects[way].append((metric(after) - metric(logits)).tolist())
    return dict(pairs=items, feature=feature, effects=effects)


def main(golden, out):
    random = torch.Generator().manual_seed(5)
    cases = {name: case(Path(golden) / name, random) for name in ["gpt2", "llama"]}
    Path(out).write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
