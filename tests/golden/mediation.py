"""Causal mediation with transformers and plain hooks: what PatchClamp should find.

Run:    HF_HUB_OFFLINE=1 python mediation.py STORIES260K_DIR      (in tests/golden; a minute)
Needs:  torch, transformers, tokenizers; the versions used are in versions.txt

mediation.json holds, for each model, prompts as tokens, answers of one or several tokens, subjects as [first, behind],
and per item, with y = p(wrong) / p(right) and p(c) = exp(mean log-probability of the tokens of c):
    TE; NIE and NDE of heads [layer][head], layers [layer], model; of what the MLP writes at the subject: layers [layer],
    neurons [layer][neuron].
Each y comes from whole runs of prompt and answer, one run an answer and an intervention.
"""

import json
import math
import sys
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from patching import MODULES

HERE = Path(__file__).parent
FILES = {"gpt2": "modeling_gpt2", "llama": "modeling_llama"}


class Patterns:
    """Attention written out, which keeps its patterns and puts others in their place."""

    def __init__(self):
        self.kept, self.put = {}, {}

    def __call__(self, module, query, key, value, mask, scaling=None, **_):
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
        scores = query @ key.transpose(2, 3) * scaling
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        pattern = scores.masked_fill(later, float("-inf")).softmax(-1)
        layer = module.layer_idx
        self.kept[layer] = pattern.clone()
        for head, block in self.put.get(layer, {}).items():
            size = block.shape[-1]
            pattern[0, head, :size, :size] = block
        return (pattern @ value).transpose(1, 2).contiguous(), pattern


def mlps(model):
    blocks, _, _, mlp = MODULES[model.config.model_type]
    return [attrgetter(mlp)(block) for block in attrgetter(blocks)(model)]


@contextmanager
def neurons_put(model, layer, source, span, neurons):
    """Within, what an MLP writes at a span is that of `source` `[pos, width]`, for some neurons."""

    def replace(_, __, output):
        output = output.clone()
        output[0, span[0] : span[1], neurons] = source[span[0] : span[1], neurons]
        return output

    handle = mlps(model)[layer].register_forward_hook(replace)
    yield
    handle.remove()


class Mediation:
    def __init__(self, model, patterns, clean, corrupt, right, wrong, span):
        self.model, self.patterns, self.span = model, patterns, span
        self.prompts, self.answers = {"clean": clean, "corrupt": corrupt}, (right, wrong)
        self.layers = range(model.config.num_hidden_layers)
        self.heads = range(model.config.num_attention_heads)
        self.states = {side: self.states_of(tokens) for side, tokens in self.prompts.items()}

    def states_of(self, tokens):
        """Patterns `[head, query, key]` and MLP outputs `[pos, width]` of each layer."""
        written = []
        with ExitStack() as stack:
            for mlp in mlps(self.model):
                handle = mlp.register_forward_hook(lambda _, __, output: written.append(output[0].clone()))
                stack.callback(handle.remove)
            self.model(torch.tensor([tokens]))
        return [self.patterns.kept[layer][0] for layer in self.layers], written

    def probability(self, prompt, answer):
        logits = self.model(torch.tensor([prompt + answer[:-1]])).logits[0].double()
        logs = logits.log_softmax(-1)
        mean = sum(logs[len(prompt) - 1 + at, token].item() for at, token in enumerate(answer)) / len(answer)
        return math.exp(mean)

    def odds(self, side):
        right, wrong = self.answers
        return self.probability(self.prompts[side], wrong) / self.probability(self.prompts[side], right)

    def relative(self, side):
        return self.odds(side) / self.plain - 1

    def of_heads(self, heads):
        """NIE and NDE with the patterns of these heads, {layer: heads}, from the other prompt."""

        def put(side, other):
            patterns = self.states[other][0]
            self.patterns.put = {layer: {head: patterns[layer][head] for head in some} for layer, some in heads.items()}
            value = self.relative(side)
            self.patterns.put = {}
            return value

        return [put("clean", "corrupt"), put("corrupt", "clean")]

    def of_neurons(self, layer, neurons):
        def put(side, other):
            with neurons_put(self.model, layer, self.states[other][1][layer], self.span, neurons):
                return self.relative(side)

        return [put("clean", "corrupt"), put("corrupt", "clean")]

    def effects(self):
        self.plain = self.odds("clean")
        heads = [[self.of_heads({layer: [head]}) for head in self.heads] for layer in self.layers]
        width = self.model.config.hidden_size
        return {
            "TE": self.relative("corrupt"),
            "heads": heads,
            "layers": [self.of_heads({layer: self.heads}) for layer in self.layers],
            "model": self.of_heads({layer: self.heads for layer in self.layers}),
            "mlp_layers": [self.of_neurons(layer, slice(None)) for layer in self.layers],
            "mlp_neurons": [[self.of_neurons(layer, at) for at in range(min(width, 24))] for layer in self.layers],
        }


def load(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    kind, patterns = model.config.model_type, Patterns()
    getattr(transformers.models, kind)
    module = sys.modules[f"transformers.models.{kind}.{FILES[kind]}"]
    module.eager_attention_forward = patterns
    return model, patterns


def case(folder, items):
    model, patterns = load(folder)
    for item in items:
        fields = [item[name] for name in ("clean", "corrupt", "right", "wrong", "subject")]
        item["effects"] = Mediation(model, patterns, *fields).effects()
    return items


def tiny():
    """Three items of two lengths; answers of one token, and of several."""
    rows = lambda *rows: dict(zip(("clean", "corrupt", "right", "wrong", "subject"), rows))
    return [
        rows([5, 17, 9, 30, 2], [5, 21, 40, 30, 2], [11], [12], [1, 3]),
        rows([33, 8, 14, 7, 25, 3], [33, 41, 14, 7, 25, 3], [19, 4, 28], [6, 44], [1, 2]),
        rows([1, 27, 13, 36, 22], [1, 27, 10, 36, 22], [15, 38], [23], [2, 3]),
    ]


def stories(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts = {
        "clean_text": "Once upon a time, there was a little girl. One day,",
        "corrupt_text": "Once upon a time, there was a little boy. One day,",
    }
    clean, corrupt = (tokenizer.encode(text) for text in texts.values())
    start = texts["clean_text"].index("girl")
    covering = [clean.char_to_token(at) for at in range(start, start + len("girl"))]
    subject = [covering[0], covering[-1] + 1]
    she, he, was = (tokenizer.token_to_id(token) for token in ("▁she", "▁he", "▁was"))
    answers = {"right": [she, was], "wrong": [he]}
    return [texts | {"clean": clean.ids, "corrupt": corrupt.ids, "subject": subject} | answers]


@torch.no_grad()
def main(folder):
    cases = {"gpt2": case(HERE / "gpt2", tiny()), "llama": case(HERE / "llama", tiny())}
    cases["stories260K"] = case(folder, stories(folder))
    rounded = json.loads(json.dumps(cases), parse_float=lambda number: float(f"{float(number):.8g}"))
    (HERE / "mediation.json").write_text(json.dumps(rounded, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
