"""Activation patching by hand: plain forward hooks on the modules of transformers.

Shared by make.py and stories.py. Knows nothing of PatchClamp, so that agreement means something.
Activations are as transformers has them: `[batch, pos, width]`, and in `z` the heads lie side by
side in the width.
"""

from contextlib import contextmanager
from operator import attrgetter

import torch

# For each family: the list of blocks, and within a block the attention, the projection that reads
# z, and the MLP.
MODULES = {
    "gpt2": ("transformer.h", "attn", "attn.c_proj", "mlp"),
    "gpt_neox": ("gpt_neox.layers", "attention", "attention.dense", "mlp"),
    "llama": ("model.layers", "self_attn", "self_attn.o_proj", "mlp"),
}
ALL = slice(None)


def locate(model, site, layer):
    """The module at which a site is found, and whether the site is its input or its output."""
    blocks, attention, projection, mlp = MODULES[model.config.model_type]
    block = attrgetter(blocks)(model)[layer]
    if site == "resid_pre":
        return block, "input"
    if site == "z":
        return attrgetter(projection)(block), "input"
    return attrgetter({"attn_out": attention, "mlp_out": mlp}[site])(block), "output"


@contextmanager
def visit(model, site, layer, change):
    """Within, the model goes on with `change(activation)` at the site. It must fire exactly once."""
    module, side = locate(model, site, layer)
    fired = []

    def replace(value):
        fired.append(site)
        if isinstance(value, tuple):  # the arguments of a block; an attention's output and pattern
            return (change(value[0]), *value[1:])
        return change(value)

    if side == "input":
        handle = module.register_forward_pre_hook(lambda _, arguments: replace(arguments))
    else:
        handle = module.register_forward_hook(lambda _, arguments, output: replace(output))
    try:
        yield
    finally:
        handle.remove()
    assert fired == [site], f"{site} of layer {layer} fired {len(fired)} times, not once"


@torch.no_grad()
def record(model, tokens, site, layer):
    """The activation `[batch, pos, width]` at a site."""
    seen = []
    with visit(model, site, layer, lambda activation: seen.append(activation) or activation):
        model(tokens)
    return seen[0].clone()


@torch.no_grad()
def patch(model, tokens, site, layer, source, at):
    """Logits at the last position, `[batch, vocab]`, with the part `at` of a site from `source`."""

    def put(activation):
        activation = activation.clone()
        activation[at] = source[at]
        return activation

    with visit(model, site, layer, put):
        return model(tokens).logits[:, -1]


def head_columns(model, head):
    """The columns of `z` that belong to one head."""
    heads = model.config.num_attention_heads
    width = getattr(model.config, "head_dim", None) or model.config.hidden_size // heads
    return slice(head * width, (head + 1) * width)


def logit_diff(logits, answers):
    """logit(right) - logit(wrong) for each item: logits `[batch, vocab]`, answers `[batch, 2]`."""
    right, wrong = logits.gather(1, answers).unbind(1)
    return right - wrong


class Sweep:
    """Runs `tokens` with one part after another taken from a run on `source`, and reads the metric."""

    def __init__(self, model, tokens, source, answers):
        self.model, self.tokens, self.source, self.answers = model, tokens, source, answers
        self.layers = range(model.config.num_hidden_layers)
        self.heads = range(model.config.num_attention_heads)
        self.positions = range(tokens.shape[1])
        self.check()

    def metric(self, site, layer, parts):
        """The metric after patching each of `parts`, as lists `[part][item]`."""
        source = record(self.model, self.source, site, layer)
        logits = (patch(self.model, self.tokens, site, layer, source, at) for at in parts)
        return [figures(logit_diff(each, self.answers)) for each in logits]

    def by_position(self, site):
        """`[layer][position][item]`"""
        return [self.metric(site, layer, [(ALL, p) for p in self.positions]) for layer in self.layers]

    def by_head(self):
        """z, all positions of a head at once: `[layer][head][item]`"""
        parts = [(ALL, ALL, head_columns(self.model, head)) for head in self.heads]
        return [self.metric("z", layer, parts) for layer in self.layers]

    def by_head_and_position(self):
        """`[layer][head][position][item]`"""
        columns = [head_columns(self.model, head) for head in self.heads]
        return [
            [self.metric("z", layer, [(ALL, p, head) for p in self.positions]) for head in columns]
            for layer in self.layers
        ]

    @torch.no_grad()
    def check(self):
        """Putting back what was there changes no bit; the source's whole stream gives the source's run."""
        plain, other = self.model(self.tokens).logits[:, -1], self.model(self.source).logits[:, -1]
        for layer in self.layers:
            for site in ("resid_pre", "attn_out", "mlp_out", "z"):
                same = record(self.model, self.tokens, site, layer)
                assert torch.equal(plain, patch(self.model, self.tokens, site, layer, same, ALL))
                source = record(self.model, self.source, site, layer)
                changed = patch(self.model, self.tokens, site, layer, source, ALL)
                assert not torch.equal(plain, changed), f"patching {site} of layer {layer} did nothing"
                assert site != "resid_pre" or torch.equal(other, changed)


def figures(tensor):
    """Numbers for JSON: six decimals, which is what f32 holds of a logit."""
    return [round(value, 6) for value in tensor.tolist()]
