"""Attribution patching of nodes: plain hooks on the modules of transformers, and torch's autograd.

Run:    HF_HUB_OFFLINE=1 python nodes.py GOLDEN_DIR STORIES_DIR OUT.json      (a minute)
Needs:  torch, transformers; the versions used are in versions.txt

Knows nothing of PatchClamp, so that agreement means something. Patterns of moved queries and keys are those of whole runs
into which the other run's queries or keys were put, one position after the other for keys; GradDrop detaches what the
attention and the MLP of a layer write. Keys and values are shared by heads as the model shares them.

OUT.json: for each model its pairs and `cases`: the method as an experiment file spells it, and `values` [cell][item], cells
in the order layer, head, position, neuron.
"""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from edges import rounded
from paths import Patient, hooked

STEPS = 3
STREAMS = ["hook_resid_pre", "hook_attn_out", "hook_mlp_out"]
HEADS = ["attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_z", "attn.hook_pattern"]
NEURONS = ["mlp.hook_post"]


class Nodes(Patient):
    """A model whose nodes are read and put in by name and layer, as `[item, head, pos, width]`."""

    def __init__(self, model):
        super().__init__(model)
        config = model.config
        self.key_heads = getattr(config, "num_key_value_heads", None) or self.heads
        self.width = getattr(config, "head_dim", None) or self.width
        self.layers = len(self.blocks)

    def ports(self, layer):
        """The modules that make queries, keys and values: each with its slices of columns by kind."""
        attn = self.attn(layer)
        if self.kind == "gpt2":
            wide = self.heads * self.width
            return [(attn.c_attn, {kind: slice(i * wide, (i + 1) * wide) for i, kind in enumerate("qkv")})]
        return [(getattr(attn, f"{kind}_proj"), {kind: slice(None)}) for kind in "qkv"]

    def split(self, value, kind):
        heads = self.heads if kind in "qz" else self.key_heads
        return value.unflatten(-1, (heads, self.width)).transpose(1, 2)

    def run(self, embeds, answers, put=None, drop=None):
        """The metric of each item and what its nodes hold, on the tape; `put` replaces queries or keys at some positions."""
        seen, put = {}, put or {}

        def port(layer, slices):
            def hook(_, __, output):
                for kind, columns in slices.items():
                    if (kind, layer) in put:
                        positions, value = put[kind, layer]
                        output = output.clone()
                        output[:, positions, columns] = value[:, positions][..., columns]
                for kind, columns in slices.items():
                    seen["raw", kind, layer] = output
                    seen["columns", kind, layer] = columns
                return output
            return hook

        def before(name):
            def hook(_, arguments):
                seen[name] = arguments[0]
            return hook

        def writes(name, layer):
            def hook(_, __, output):
                value = output[0] if isinstance(output, tuple) else output
                seen[name, layer] = value
                held = value.detach() if layer == drop else value
                return (held, *output[1:]) if isinstance(output, tuple) else held
            return hook

        with ExitStack() as stack:
            for layer, block in enumerate(self.blocks):
                stack.enter_context(hooked(block, pre=before(("hook_resid_pre", layer))))
                for module, slices in self.ports(layer):
                    stack.enter_context(hooked(module, post=port(layer, slices)))
                stack.enter_context(hooked(self.out(layer), pre=before(("attn.hook_z", layer))))
                last = block.mlp.c_proj if self.kind == "gpt2" else block.mlp.down_proj
                stack.enter_context(hooked(last, pre=before(("mlp.hook_post", layer))))
                stack.enter_context(hooked(self.attn(layer), post=writes("hook_attn_out", layer)))
                stack.enter_context(hooked(block.mlp, post=writes("hook_mlp_out", layer)))
            found = self.model(inputs_embeds=embeds, output_attentions=True)
        for layer, pattern in enumerate(found.attentions):
            seen["attn.hook_pattern", layer] = pattern
        logits = found.logits[:, -1]
        rows = torch.arange(len(logits))
        return logits[rows, answers[:, 0]] - logits[rows, answers[:, 1]], seen


class Estimates:
    def __init__(self, nodes, clean, corrupt, answers, direction):
        embed = nodes.model.get_input_embeddings()
        base, source = (clean, corrupt) if direction == "Noise" else (corrupt, clean)
        self.nodes, self.answers = nodes, answers
        self.own, self.other = embed(base).detach().requires_grad_(), embed(source).detach().requires_grad_()
        self.held = [nodes.run(embeds, answers)[1] for embeds in (self.own, self.other)]

    def tensor(self, seen, site, layer):
        kind = site[-1]
        if site in ("attn.hook_q", "attn.hook_k", "attn.hook_v"):
            return seen["raw", kind, layer]
        return seen[site, layer]

    def shaped(self, value, seen, site, layer):
        """`[item, head, pos, width]` from a value or gradient as the module has it."""
        kind = site[-1]
        if site in ("attn.hook_q", "attn.hook_k", "attn.hook_v"):
            return self.nodes.split(value[..., seen["columns", kind, layer]], kind)
        if site == "attn.hook_z":
            return self.nodes.split(value, "z")
        return value if site == "attn.hook_pattern" else value.unsqueeze(1)

    def slopes(self, embeds, sites, drop=None):
        metric, seen = self.nodes.run(embeds, self.answers, drop=drop)
        wanted = [(site, layer) for site in sites for layer in range(self.nodes.layers)]
        tensors = [self.tensor(seen, *one) for one in wanted]
        found = torch.autograd.grad(metric.sum(), tensors, allow_unused=True)
        zero = lambda tensor, slope: torch.zeros_like(tensor) if slope is None else slope
        return {one: self.shaped(zero(tensor, slope), seen, *one) for one, tensor, slope in zip(wanted, tensors, found)}

    def change(self, site, layer):
        own, other = (self.shaped(self.tensor(seen, site, layer), seen, site, layer).detach() for seen in self.held)
        return other - own

    def first_order(self, slopes, site, layer):
        return self.change(site, layer) * slopes[site, layer]

    def through(self, slopes, site, layer, positions):
        """Summed over keys, `[item, head, query]`: the pattern when some positions' queries or keys are put in."""
        kind = site[-1]
        value = self.tensor(self.held[1], site, layer).detach()
        with torch.no_grad():
            moved = self.nodes.run(self.own, self.answers, put={(kind, layer): (positions, value)})[1]
        was = self.held[0]["attn.hook_pattern", layer].detach()
        return ((moved["attn.hook_pattern", layer] - was) * slopes["attn.hook_pattern", layer]).sum(-1)

    def estimate(self, slopes, site, layer, over, fixed):
        """`[head, pos or neuron, item]` or fewer axes, as `over` says."""
        if fixed and site in ("attn.hook_q", "attn.hook_k"):
            count = self.own.shape[1]
            group = 1 if site == "attn.hook_q" else self.nodes.heads // self.nodes.key_heads
            sets = [[position] for position in range(count)] if "Position" in over else [list(range(count))]
            each = [self.through(slopes, site, layer, positions).sum(-1) for positions in sets]  # [item, head] a set
            each = torch.stack(each, -1)  # [item, head, set]
            each = each.unflatten(1, (-1, group)).sum(2)
            found = each if "Position" in over else each[..., 0]
        else:
            products = self.first_order(slopes, site, layer)  # [item, head, pos, width]
            axes = [axis for axis, name in ((1, "Head"), (2, "Position"), (3, "Neuron")) if name not in over]
            found = products.sum(axes)
        return found.movedim(0, -1)

    def values(self, score, site, over):
        kind = score.split("(")[0]
        star, drops = kind == "AtPStar", "GradDrop" in score
        fixed = "Attention" in score
        sites = [site, "attn.hook_pattern"]
        if kind == "AtPIg":
            way = lambda k: (self.other + k / STEPS * (self.own - self.other)).detach().requires_grad_()
            slopes = [self.slopes(way(k), sites) for k in range(STEPS)]
        elif drops:
            slopes = [self.slopes(self.own, sites, drop=layer) for layer in range(self.nodes.layers)]
        else:
            slopes = [self.slopes(self.own, sites)]
        cells = []
        for layer in range(self.nodes.layers):
            found = torch.stack([self.estimate(one, site, layer, over, fixed) for one in slopes])
            if drops:  # what is dropped is a whole cell's: all that the axes leave together
                found = found.abs().sum(0) / (self.nodes.layers - 1)
            else:
                found = found.mean(0)
            cells.append(found.flatten(0, -2) if found.dim() > 1 else found.unsqueeze(0))
        return rounded(torch.cat(cells))


def settings(quick):
    for site in HEADS:
        yield "AtP", "Noise", site, ["Layer", "Head", "Position"]
    for site in STREAMS:
        yield "AtP", "Denoise", site, ["Layer", "Position"]
    for site in NEURONS:
        yield "AtP", "Noise", site, ["Layer", "Neuron"]
    yield f"AtPIg(steps: {STEPS})", "Noise", "attn.hook_z", ["Layer", "Head"]
    yield f"AtPIg(steps: {STEPS})", "Denoise", "mlp.hook_post", ["Layer", "Neuron"] if quick else ["Layer"]
    for site in ("attn.hook_q", "attn.hook_k"):
        yield "AtPStar(fixes: [Attention])", "Noise", site, ["Layer", "Head", "Position"]
        yield "AtPStar(fixes: [Attention])", "Denoise", site, ["Layer", "Head"]
        yield "AtPStar(fixes: [Attention, GradDrop])", "Noise", site, ["Layer", "Head", "Position"]
    for site in ("attn.hook_z", "hook_resid_pre", "hook_mlp_out"):
        over = ["Layer", "Head", "Position"] if site == "attn.hook_z" else ["Layer", "Position"]
        yield "AtPStar(fixes: [GradDrop])", "Noise", site, over


def case(nodes, pairs, quick):
    clean, corrupt, answers = (torch.tensor(pairs[key]) for key in ("clean", "corrupt", "answers"))
    ways = {direction: Estimates(nodes, clean, corrupt, answers, direction) for direction in ("Noise", "Denoise")}
    cases = []
    for score, direction, site, over in settings(quick):
        method = f'AttributionPatch(sites: ["{site}"], over: [{", ".join(over)}], score: {score}, direction: {direction})'
        cases.append({"method": method, "values": ways[direction].values(score, site, over)})
    return {**{key: pairs[key] for key in ("clean", "corrupt", "answers")}, "cases": cases}


def main(golden, stories, out):
    patched = json.loads((golden / "patch.json").read_text())
    one = json.loads((golden / "stories260k.json").read_text())
    stories_pairs = {"clean": [one["clean_tokens"]], "corrupt": [one["corrupt_tokens"]], "answers": [one["answers"]]}
    models = [
        ("gpt2", golden / "gpt2", patched["gpt2"], True),
        ("llama", golden / "llama", patched["gpt2"], True),
        ("stories260K", stories, stories_pairs, False),
    ]
    result = {}
    for name, folder, pairs, quick in models:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
        result[name] = case(Nodes(model.double()), pairs, quick)
    out.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    main(*map(Path, sys.argv[1:4]))
