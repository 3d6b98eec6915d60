"""Scores of edges and runs of circuits: plain hooks on the modules of transformers, and torch's autograd.

Run:    HF_HUB_OFFLINE=1 python edges.py GOLDEN_DIR STORIES_DIR OUT.json      (some minutes)
Needs:  torch, transformers; the versions used are in versions.txt

Knows nothing of PatchClamp, so that agreement means something. Every port of every head has an addend of its own, a
leaf of zeros: the port's output is computed once more from norm(stream + addend), so autograd's gradient of the leaf is
the gradient at the port. PatchClamp never makes such inputs: it derives the same from the gradients of queries, keys and values.

OUT.json: for each model its pairs, the metric logit(right) - logit(wrong) of both runs, `edges` (names), `scores` by method
[item][edge] (of `exact` only every `exact_step`th edge), and `circuits`: the edges that are in, by index, the ablation,
and the metric [item] under it.
"""

import json
import re
import sys
from contextlib import ExitStack
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from paths import Patient, hooked, order, own_keys

STEPS = 4
DIGITS = 6


def rounded(value):
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.{DIGITS}g}")


class Graph:
    def __init__(self, patient, clean, corrupt, answers):
        self.patient, self.clean, self.corrupt, self.answers = patient, clean, corrupt, answers
        self.layers, self.heads = len(patient.blocks), patient.heads
        self.d_model = patient.model.config.hidden_size
        layers, heads = range(self.layers), range(self.heads)
        block = lambda l: [*(f"a{l}.h{h}" for h in heads), *self.parts(l)]
        self.nodes = ["input", *(name for l in layers for name in block(l))]
        block = lambda l: [*(f"a{l}.h{h}<{p}>" for h in heads for p in "qkv"), *self.parts(l)]
        self.ports = [*(name for l in layers for name in block(l)), "logits"]
        before = lambda node, port: order(node, patient.parallel)[0] < order(port, patient.parallel)[1]
        self.edges = [(u, v) for u in self.nodes for v in self.ports if before(u, v)]
        self.embed = patient.model.get_input_embeddings()
        with torch.no_grad():
            self.clean_kept, self.corrupt_kept = self.run(self.embed(clean)), self.run(self.embed(corrupt))

    def parts(self, layer):
        """The nodes of an MLP."""
        return [f"m{layer}"]

    def write(self, layer, output, read, written, adds, put):
        """What an MLP adds to the stream, kept in `written` by its nodes."""
        written[f"m{layer}"] = put.get(f"m{layer}", output)
        return written[f"m{layer}"]

    def run(self, embeds, addend=None, put=None):
        """The metric of each item, what nodes write and what ports read.

        `addend(port, written so far)` is added to what a port reads, or None; `put` replaces what nodes write."""
        patient, written, read, streams = self.patient, {}, {}, {}
        put = put or {}
        adds = addend or (lambda port, written: None)
        shape = embeds.shape

        def begin(_, arguments, keywords=None):
            value = arguments[0]
            written["input"] = put.get("input", value)
            return (written["input"], *arguments[1:])

        def keep(name):
            def hook(_, arguments):
                streams[name] = arguments[0]
            return hook

        def reader(layer, kind):
            module, columns = patient.reader(layer, kind)
            def hook(_, __, output):
                x, changed = streams["attn", layer], output
                for head in range(self.heads):
                    port = f"a{layer}.h{head}<{kind}>"
                    read[port] = x
                    add = adds(port, written)
                    if add is None:
                        continue
                    norm = getattr(patient.blocks[layer], patient.norm1)
                    own = type(module).forward(module, type(norm).forward(norm, x + add))  # past their hooks
                    mask = torch.zeros(output.shape[-1])
                    mask[columns(head)] = 1
                    changed = changed * (1 - mask) + own * mask
                return changed
            return module, hook

        def mixed(layer):
            def hook(_, arguments):
                z = arguments[0]
                for head in range(self.heads):
                    name, at = f"a{layer}.h{head}", patient.columns(head)
                    if name in put:
                        z = torch.cat([z[..., :at.start], put[name], z[..., at.stop:]], -1)
                    written[name] = patient.written(layer, head, z[..., at])
                    streams["z", name] = z[..., at]
                return (z, *arguments[1:])
            return hook

        def entering(port, name):
            def hook(_, arguments):
                read[port] = arguments[0]
                add = adds(port, written)
                return None if add is None else (arguments[0] + add, *arguments[1:])
            return hook

        def mlp(layer):
            def hook(_, __, output):
                return self.write(layer, output, read, written, adds, put)
            return hook

        with ExitStack() as stack:
            stack.enter_context(hooked(patient.blocks[0], pre=begin))
            for layer, block in enumerate(patient.blocks):
                stack.enter_context(hooked(getattr(block, patient.norm1), pre=keep(("attn", layer))))
                hooks = {}
                for kind in "qkv":
                    module, hook = reader(layer, kind)
                    stack.enter_context(hooked(module, post=hook))
                stack.enter_context(hooked(patient.out(layer), pre=mixed(layer)))
                stack.enter_context(hooked(getattr(block, patient.norm2), pre=entering(f"m{layer}", "mlp")))
                stack.enter_context(hooked(block.mlp, post=mlp(layer)))
            stack.enter_context(hooked(patient.last, pre=entering("logits", "last")))
            logits = patient.model(inputs_embeds=embeds).logits[:, -1]
        rows = torch.arange(len(logits))
        metric = logits[rows, self.answers[:, 0]] - logits[rows, self.answers[:, 1]]
        return {"metric": metric, "written": written, "read": read, "z": {n: v for (k, n), v in streams.items() if k == "z"}}

    def slopes(self, embeds, put=None):
        """The gradient of the metric at each port, [item, pos, d_model]."""
        leaves = {port: torch.zeros(*embeds.shape, requires_grad=True) for port in self.ports}
        metric = self.run(embeds, lambda port, _: leaves[port], put)["metric"].sum()
        found = torch.autograd.grad(metric, [leaves[port] for port in self.ports], allow_unused=True)
        zero = torch.zeros(*embeds.shape)  # ports before a node that is put
        return {port: zero if slope is None else slope for port, slope in zip(self.ports, found)}

    def products(self, slopes):
        change = {u: self.corrupt_kept["written"][u] - self.clean_kept["written"][u] for u in self.nodes}
        each = [(change[u] * slopes[v]).sum((1, 2)) for u, v in self.edges]
        return torch.stack(each, 1)

    def between(self, fraction):
        clean, corrupt = self.embed(self.clean).detach(), self.embed(self.corrupt).detach()
        return corrupt + fraction * (clean - corrupt)

    def eap(self):
        return self.products(self.slopes(self.between(1.0)))

    def inputs(self):
        return sum(self.products(self.slopes(self.between(k / STEPS))) for k in range(STEPS)) / STEPS

    def both(self):
        return (self.products(self.slopes(self.between(1.0))) + self.products(self.slopes(self.between(0.0)))) / 2

    def activations(self):
        total = torch.zeros(len(self.clean), len(self.edges))
        for u in self.nodes:
            head = u.startswith("a")
            clean, corrupt = ((kept["z"] if head else kept["written"])[u] for kept in (self.clean_kept, self.corrupt_kept))
            mine = torch.tensor([edge[0] == u for edge in self.edges])
            for k in range(STEPS):
                scores = self.products(self.slopes(self.between(1.0), {u: corrupt + k / STEPS * (clean - corrupt)}))
                total += scores * mine / STEPS
        return total

    def exact(self, step):
        found = []
        with torch.no_grad():
            for u, v in self.edges[::step]:
                change = self.corrupt_kept["written"][u] - self.clean_kept["written"][u]
                run = self.run(self.between(1.0), lambda port, _: change if port == v else None)
                found.append(run["metric"] - self.clean_kept["metric"])
        return torch.stack(found, 1)

    def flow(self):
        """Information flow routes: no gradient, the clean run alone."""
        written, read = self.clean_kept["written"], self.clean_kept["read"]
        near = {}
        for u, v in self.edges:
            near[u, v] = (read[v].abs().sum(-1) - (read[v] - written[u]).abs().sum(-1)).clamp(min=0)
        sums = {v: sum(near[edge] for edge in self.edges if edge[1] == v) for v in self.ports}
        return torch.stack([(near[u, v] / sums[v]).mean(-1) for u, v in self.edges], 1)

    def both_prompts(self, node):
        return torch.cat([self.clean_kept["written"][node], self.corrupt_kept["written"][node]])

    def circuit(self, inside, ablation):
        """The metric where every edge that is not inside brings the ablated output of its source instead of its own."""
        out = {}
        for index, (u, v) in enumerate(self.edges):
            if index not in inside:
                out.setdefault(v, []).append(u)
        ablated = {
            "Corrupted": self.corrupt_kept["written"],
            "MeanPerPosition": {u: self.both_prompts(u).mean(0, keepdim=True) for u in self.nodes},
            "Mean": {u: self.both_prompts(u).mean((0, 1), keepdim=True) for u in self.nodes},
            "Zero": {u: torch.zeros_like(z) for u, z in self.clean_kept["written"].items()},
        }[ablation]
        def addend(port, written):
            return sum(ablated[u] - written[u] for u in out[port]) if port in out else None
        with torch.no_grad():
            return self.run(self.between(1.0), addend)["metric"]


def case(patient, pairs, step, random, kind=Graph):
    clean, corrupt, answers = (torch.tensor(pairs[key]) for key in ("clean", "corrupt", "answers"))
    graph = kind(patient, clean, corrupt, answers)
    count = len(graph.edges)
    circuits = []
    for share, ablation in [(0.5, "Corrupted"), (0.9, "Corrupted"), (0.7, "Mean"), (0.7, "MeanPerPosition"), (0.7, "Zero"), (0.0, "Zero")]:
        inside = [index for index in range(count) if torch.rand(1, generator=random).item() < share]
        circuits.append({"inside": inside, "ablation": ablation, "metric": rounded(graph.circuit(set(inside), ablation))})
    return {
        **{key: pairs[key] for key in ("clean", "corrupt", "answers")},
        "clean_metric": rounded(graph.clean_kept["metric"]),
        "corrupt_metric": rounded(graph.corrupt_kept["metric"]),
        "edges": [f"{u}->{v}" for u, v in graph.edges],
        "steps": STEPS,
        "exact_step": step,
        "scores": {
            "eap": rounded(graph.eap()),
            "eap_ig_inputs": rounded(graph.inputs()),
            "clean_corrupted": rounded(graph.both()),
            "eap_ig_activations": rounded(graph.activations()),
            "exact": rounded(graph.exact(step)),
            "information_flow": rounded(graph.flow()),
        },
        "circuits": circuits,
    }


def main(golden, stories, out):
    patched = json.loads((golden / "patch.json").read_text())
    one = json.loads((golden / "stories260k.json").read_text())
    stories_pairs = {"clean": [one["clean_tokens"]], "corrupt": [one["corrupt_tokens"]], "answers": [one["answers"]]}
    models = [
        ("gpt2", golden / "gpt2", patched["gpt2"], 1),
        ("pythia-parallel", golden / "pythia-parallel", patched["pythia-parallel"], 1),
        ("llama", golden / "llama", patched["gpt2"], 1),
        ("stories260K", stories, stories_pairs, 17),
    ]
    random = torch.Generator().manual_seed(0)
    result = {}
    for name, folder, pairs, step in models:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
        result[name] = case(Patient(own_keys(model).double()), pairs, step, random)
    out.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    main(*map(Path, sys.argv[1:4]))
