"""das.json: given directions exchanged, and given translators read, by plain hooks; writes it beside this script.

Run with the packages of versions.txt: python tests/golden/das.py
"""

import json
import math
from pathlib import Path

import torch
from patching import ALL, head_columns, record, visit
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
CLEAN = [[1, 9, 3, 20, 4], [1, 30, 3, 21, 7], [2, 11, 40, 20, 4]]
CORRUPT = [[1, 12, 3, 20, 4], [5, 30, 3, 17, 7], [2, 10, 41, 20, 4]]
ANSWERS = [[5, 8], [6, 9], [7, 30]]
# site, layer, head, position; the streams behind blocks are those before the next
PLACES = [("resid_pre", 1, None, 1), ("attn_out", 0, None, 3), ("mlp_out", 0, None, 2), ("z", 1, 1, 4), ("z", 0, 2, 1)]
LENGTHS = [1, 3]
FINAL = {"gpt2": "transformer.ln_f", "llama": "model.norm"}


def frame(count, width, random):
    """Orthonormal directions by chance, a row each."""
    q, _ = torch.linalg.qr(torch.randn(width, count, generator=random))
    return q.T


def exchange(model, base, source, answers, place, span):
    """Metric and preference of each item, read for the source run's answer, with the span's part of the source run put in."""
    site, layer, head, position = place
    columns = ALL if head is None else head_columns(model, head)
    other = record(model, source, site, layer)

    def change(activation):
        activation = activation.clone()
        at = (ALL, position, columns)
        activation[at] += (other[at] - activation[at]) @ span.T @ span
        return activation

    with torch.no_grad(), visit(model, site, layer, change):
        logits = model(base).logits[:, -1]
    right, wrong = logits.gather(1, answers).unbind(1)
    return {"metric": (right - wrong).tolist(), "preferred": (right > wrong).double().tolist()}


def spans(model, random):
    clean, corrupt, answers = map(torch.tensor, (CLEAN, CORRUPT, ANSWERS))
    for place in PLACES:
        width = model.config.hidden_size
        if place[2] is not None:
            columns = head_columns(model, place[2])
            width = columns.stop - columns.start
        for count in LENGTHS:
            span = frame(count, width, random)
            yield {
                "place": place,
                "span": span.tolist(),
                "to": exchange(model, corrupt, clean, answers, place, span),
                "back": exchange(model, clean, corrupt, answers.flip(1), place, span),
            }


@torch.no_grad()
def lens(model, name, random):
    """What a translator of the stream behind block 0 makes of the clean prompts."""
    norm = model.get_submodule(FINAL[name])
    read = lambda stream: model.lm_head(norm(stream)).log_softmax(-1)
    tokens, answers = torch.tensor(CLEAN), torch.tensor(ANSWERS)
    width = model.config.hidden_size
    weight, bias = 0.1 * torch.randn(width, width, generator=random), 0.1 * torch.randn(width, generator=random)
    stream = record(model, tokens, "resid_pre", 1)
    whole, found = model(tokens).logits.log_softmax(-1), read(stream + stream @ weight.T + bias)
    kl = (whole.exp() * (whole - found)).sum(-1) / math.log(2)
    right, wrong = found[:, -1].gather(1, answers).unbind(1)
    return {
        "weight": weight.tolist(),
        "bias": bias.tolist(),
        "metric": (right - wrong).tolist(),
        "bits": kl.mean(1).tolist(),
        "agreement": (whole.argmax(-1) == found.argmax(-1)).double().mean(1).tolist(),
    }


def main():
    random, found = torch.Generator().manual_seed(0), {}
    for name in ["gpt2", "llama"]:
        model = AutoModelForCausalLM.from_pretrained(HERE / name, attn_implementation="eager").double().eval()
        found[name] = {"spans": list(spans(model, random)), "lens": lens(model, name, random)}
    data = {"clean": CLEAN, "corrupt": CORRUPT, "answers": ANSWERS, "models": found}
    (HERE / "das.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")


torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
main()
