"""Activation patching on stories260K with transformers and forward hooks: what PatchClamp should find.

Run:    HF_HUB_OFFLINE=1 python stories.py MODEL_DIR OUT.json      (ten seconds)
Needs:  torch, transformers, tokenizers; the versions used are in versions.txt

OUT.json holds the tokens (`<s>` is prepended, as tokenizer.json says), the answers [right, wrong], and the
metric logit(right) - logit(wrong) at the last position: of the clean and the corrupt prompt, and patched.
    denoising, the clean activation put into the corrupt run:
        resid_pre, attn_out, mlp_out [layer][position]; z [layer][head], all positions at once;
        z_by_position [layer][head][position]; resid_pre_neuron [neuron], in layer 2 at the last position
    noising, the corrupt activation put into the clean run:
        resid_pre [layer][position]
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from patching import Sweep, figures, logit_diff

CLEAN = "Once upon a time, there was a little girl. One day,"
CORRUPT = "Once upon a time, there was a little boy. One day,"
ANSWERS = ("▁she", "▁he")  # ▁ is the space: encoding " she" would give two tokens, "▁" and "▁she"
NEURON_LAYER = 2


def first_item(nested):
    """The same nest of lists without the innermost axis, which has one item."""
    if isinstance(nested[0], list):
        return [first_item(each) for each in nested]
    (item,) = nested
    return item


def denoising(sweep):
    width = sweep.model.config.hidden_size
    neurons = [(slice(None), -1, neuron) for neuron in range(width)]
    return {
        "resid_pre": first_item(sweep.by_position("resid_pre")),
        "attn_out": first_item(sweep.by_position("attn_out")),
        "mlp_out": first_item(sweep.by_position("mlp_out")),
        "z": first_item(sweep.by_head()),
        "z_by_position": first_item(sweep.by_head_and_position()),
        "resid_pre_neuron": first_item(sweep.metric("resid_pre", NEURON_LAYER, neurons)),
    }


@torch.no_grad()
def main(folder, out):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    clean, corrupt = (torch.tensor([tokenizer.encode(text).ids]) for text in (CLEAN, CORRUPT))
    answers = torch.tensor([[tokenizer.token_to_id(token) for token in ANSWERS]])
    (clean_metric,), (corrupt_metric,) = (
        figures(logit_diff(model(tokens).logits[:, -1], answers)) for tokens in (clean, corrupt)
    )
    result = {
        "clean_text": CLEAN,
        "corrupt_text": CORRUPT,
        "clean_tokens": clean[0].tolist(),
        "corrupt_tokens": corrupt[0].tolist(),
        "answers": answers[0].tolist(),
        "clean_metric": clean_metric,
        "corrupt_metric": corrupt_metric,
        "denoising": denoising(Sweep(model, corrupt, clean, answers)),
        "noising": {"resid_pre": first_item(Sweep(model, clean, corrupt, answers).by_position("resid_pre"))},
    }
    out.write_text(json.dumps(result, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
