"""Scores of edges and runs of circuits where some neurons are nodes of their own: plain hooks, and torch's autograd.

Run:    HF_HUB_OFFLINE=1 python neurons.py GOLDEN_DIR OUT.json      (a minute)
Needs:  torch, transformers; the versions used are in versions.txt

As edges.py, and as ignorant of PatchClamp. A neuron reads the stream with an addend of its own: the norm and the whole MLP
before its output map are computed once more from that, and its column is taken. What is left of the MLP is its output less
what the neurons write. OUT.json is that of edges.py, with `neurons` by name.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from edges import Graph, case
from paths import Patient, own_keys

NEURONS = ["m0.n3", "m0.n17", "m1.n5"]


def held(kind, mlp, x):
    """What all neurons hold of a normalised stream, [item, pos, neuron]."""
    if kind == "llama":
        return mlp.act_fn(mlp.gate_proj(x)) * mlp.up_proj(x)
    return mlp.act((mlp.c_fc if kind == "gpt2" else mlp.dense_h_to_4h)(x))


def row(kind, mlp, neuron):
    """What a neuron writes for each unit that it holds, [d_model]."""
    if kind == "gpt2":
        return mlp.c_proj.weight[neuron]
    return (mlp.down_proj if kind == "llama" else mlp.dense_4h_to_h).weight[:, neuron]


class Finer(Graph):
    def parts(self, layer):
        return [f"m{layer}", *(name for name in NEURONS if name.startswith(f"m{layer}."))]

    def alone(self, layer, neuron, stream, add):
        """What a neuron writes when it reads the stream with an addend."""
        block, kind = self.patient.blocks[layer], self.patient.kind
        norm = getattr(block, self.patient.norm2)
        normed = type(norm).forward(norm, stream if add is None else stream + add)  # past its hooks
        return held(kind, block.mlp, normed)[..., neuron, None] * row(kind, block.mlp, neuron)

    def write(self, layer, output, read, written, adds, put):
        rest, *names = self.parts(layer)
        stream, add = read[rest], adds(rest, written)
        values = {rest: output}
        for name in names:
            neuron = int(name.split(".n")[1])
            values[rest] = values[rest] - self.alone(layer, neuron, stream, add)
            values[name] = self.alone(layer, neuron, stream, adds(name, written))
            read[name] = stream
        for name, value in values.items():
            written[name] = put.get(name, value)
        return sum(written[name] for name in values)


def main(golden, out):
    patched = json.loads((golden / "patch.json").read_text())
    random = torch.Generator().manual_seed(0)
    result = {}
    for name, pairs in [("gpt2", "gpt2"), ("pythia-parallel", "pythia-parallel"), ("llama", "gpt2")]:
        model = AutoModelForCausalLM.from_pretrained(golden / name, dtype=torch.float64, attn_implementation="eager")
        found = case(Patient(own_keys(model).double()), patched[pairs], 1, random, Finer)
        result[name] = {"neurons": NEURONS, **found}
    out.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    main(*map(Path, sys.argv[1:3]))
