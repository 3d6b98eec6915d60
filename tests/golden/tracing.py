"""Causal tracing with transformers and plain hooks: what PatchClamp should find.

Run:    HF_HUB_OFFLINE=1 python tracing.py STORIES260K_DIR      (in tests/golden; a minute)
Needs:  torch, transformers, tokenizers; the versions used are in versions.txt

tracing.json holds, for each model, prompts as tokens with their subjects [first, behind], sigma, and per item the most
probable token, its probability with and without noise, and the restored probability [site][layer][position]: one block
output, or what MLPs and attention write in the window [l - 1, l + 2) of layers. The noise of an item, copy, subject token
and channel is sigma * 1.5 * sin(1 + 3 item + 5 copy + 7 token + 11 channel), each counted from 0; sigma is 3 standard
deviations (n - 1) of the embeddings of all subjects' tokens.
"""

import json
import sys
from contextlib import ExitStack
from operator import attrgetter
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from patching import MODULES

HERE = Path(__file__).parent
COPIES, WINDOW = 3, 3


def modules(model):
    """Where blocks, MLPs and attention write, a list of modules each."""
    blocks, attention, _, mlp = MODULES[model.config.model_type]
    blocks = attrgetter(blocks)(model)
    return {
        "hook_resid_post": list(blocks),
        "hook_mlp_out": [attrgetter(mlp)(block) for block in blocks],
        "hook_attn_out": [attrgetter(attention)(block) for block in blocks],
    }


def changed(module, change):
    """Goes on with `change(output)`; an attention's output stands first in a tuple."""

    def hook(_, __, output):
        if isinstance(output, tuple):
            return (change(output[0]), *output[1:])
        return change(output)

    return module.register_forward_hook(hook).remove


def noise(item, tokens, width):
    """`[copy, token, channel]`"""
    grid = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (COPIES, tokens, width)), indexing="ij")
    return 1.5 * torch.sin(1 + 3 * item + 5 * grid[0] + 7 * grid[1] + 11 * grid[2])


class Tracing:
    def __init__(self, model, tokens, span, z, sigma):
        self.model, self.span, self.modules = model, span, modules(model)
        self.tokens = torch.tensor([tokens])
        self.noise = (sigma * z).float()
        self.layers, self.positions = range(model.config.num_hidden_layers), range(len(tokens))
        self.states = {}
        with ExitStack() as stack:
            for site, some in self.modules.items():
                for layer, module in enumerate(some):
                    keep = lambda output, at=(site, layer): self.states.setdefault(at, output.clone())
                    stack.callback(changed(module, keep))
            probabilities = model(self.tokens).logits[0, -1].double().softmax(-1)
        self.token = probabilities.argmax().item()
        self.clean = probabilities[self.token].item()

    def probability(self, places=(), position=0):
        """Of the most probable token in the noised copies, some states restored at a position."""

        def noised(output):
            output = output.clone()
            output[:, self.span[0] : self.span[1]] += self.noise
            return output

        with ExitStack() as stack:
            stack.callback(changed(self.model.get_input_embeddings(), noised))
            for site, layer in places:

                def restored(output, source=self.states[site, layer]):
                    output = output.clone()
                    output[:, position] = source[0, position]
                    return output

                stack.callback(changed(self.modules[site][layer], restored))
            logits = self.model(self.tokens.expand(COPIES, -1)).logits[:, -1].double()
        return logits.softmax(-1)[:, self.token].mean().item()

    def window(self, site, layer):
        if site == "hook_resid_post":
            return [(site, layer)]
        low, high = max(0, layer - WINDOW // 2), min(len(self.layers), layer + (WINDOW + 1) // 2)
        return [(site, at) for at in range(low, high)]

    def traced(self):
        restored = {
            site: [[self.probability(self.window(site, layer), at) for at in self.positions] for layer in self.layers]
            for site in self.modules
        }
        return {"token": self.token, "clean": self.clean, "corrupted": self.probability(), "restored": restored}


def case(folder, items):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    table = model.get_input_embeddings().weight
    subjects = [table[item["prompt"][slice(*item["subject"])]] for item in items]
    sigma = 3 * torch.cat(subjects).double().std().item()
    for index, item in enumerate(items):
        z = noise(index, item["subject"][1] - item["subject"][0], table.shape[1])
        item |= Tracing(model, item["prompt"], item["subject"], z, sigma).traced()
    return {"sigma": sigma, "items": items}


def tiny():
    return [
        {"prompt": [5, 17, 9, 30, 2], "subject": [1, 3]},
        {"prompt": [33, 8, 14, 7, 25, 3], "subject": [1, 2]},
        {"prompt": [41, 12, 6, 28, 19], "subject": [0, 3]},
    ]


def stories(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts = [
        ("Once upon a time, there was a little girl named Lily. One day,", "Lily"),
        ("Once upon a time, there was a little boy. He liked to play with his", "little boy"),
    ]

    def item(text, words):
        encoding, start = tokenizer.encode(text), text.index(words)
        covering = [encoding.char_to_token(at) for at in range(start, start + len(words))]
        subject = [covering[0], covering[-1] + 1]
        return {"text": text, "words": words, "prompt": encoding.ids, "subject": subject}

    return [item(*text) for text in texts]


@torch.no_grad()
def main(folder):
    cases = {name: case(HERE / name, tiny()) for name in ("gpt2", "llama", "pythia-parallel")}
    cases["stories260K"] = case(folder, stories(folder))
    rounded = json.loads(json.dumps(cases), parse_float=lambda number: float(f"{float(number):.8g}"))
    (HERE / "tracing.json").write_text(json.dumps(rounded, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
