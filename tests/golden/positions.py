"""Scores of edges at single positions, and runs of circuits of such edges, by torch's autograd: reference for `tests/positions`.

    python positions.py tests/golden tests/golden/positions.json

An edge u -> v at position p brings what u writes at p and is read by v at p; the logits are read at the last position alone. Per
model: `edges` by name, in the order sender, port, position; `scores` by method [item][every `step`th edge]; `circuits`: edges
that are in, by index, the ablation, and the metric [item] under it. The models are those of `edges.py`.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from edges import STEPS, Graph, rounded
from paths import Patient, own_keys


class Placed(Graph):
    """The same graph with every edge cut up by position."""

    def __init__(self, *given):
        super().__init__(*given)
        self.positions = self.clean.shape[1]
        last = self.positions - 1
        self.placed = [(u, v, p) for u, v in self.edges for p in range(self.positions) if v != "logits" or p == last]

    def products(self, slopes):
        change = {u: self.corrupt_kept["written"][u] - self.clean_kept["written"][u] for u in self.nodes}
        each = {(u, v): (change[u] * slopes[v]).sum(2) for u, v in self.edges}
        return torch.stack([each[u, v][:, p] for u, v, p in self.placed], 1)

    def activations(self):
        """A node goes from its corrupted to its clean output at all positions together."""
        total = torch.zeros(len(self.clean), len(self.placed))
        for u in self.nodes:
            kept = "z" if u.startswith("a") else "written"
            clean, corrupt = self.clean_kept[kept][u], self.corrupt_kept[kept][u]
            mine = torch.tensor([edge[0] == u for edge in self.placed])
            for k in range(STEPS):
                between = {u: corrupt + k / STEPS * (clean - corrupt)}
                total += self.products(self.slopes(self.between(1.0), between)) * mine / STEPS
        return total

    def at(self, value, position):
        mask = torch.zeros(1, self.positions, 1)
        mask[:, position] = 1
        return value * mask

    def exact(self, step):
        found = []
        with torch.no_grad():
            for u, v, p in self.placed[::step]:
                change = self.at(self.corrupt_kept["written"][u] - self.clean_kept["written"][u], p)
                run = self.run(self.between(1.0), lambda port, _: change if port == v else None)
                found.append(run["metric"] - self.clean_kept["metric"])
        return torch.stack(found, 1)

    def flow(self):
        written, read = self.clean_kept["written"], self.clean_kept["read"]
        near = {}
        for u, v in self.edges:
            near[u, v] = (read[v].abs().sum(-1) - (read[v] - written[u]).abs().sum(-1)).clamp(min=0)
        sums = {v: sum(near[edge] for edge in self.edges if edge[1] == v) for v in self.ports}
        return torch.stack([(near[u, v] / sums[v])[:, p] for u, v, p in self.placed], 1)

    def circuit(self, inside, ablation):
        out = {}
        for index, (u, v, p) in enumerate(self.placed):
            if index not in inside:
                out.setdefault(v, []).append((u, p))
        ablated = {
            "Corrupted": self.corrupt_kept["written"],
            "MeanPerPosition": {u: self.both_prompts(u).mean(0, keepdim=True) for u in self.nodes},
            "Mean": {u: self.both_prompts(u).mean((0, 1), keepdim=True) for u in self.nodes},
            "Zero": {u: torch.zeros_like(z) for u, z in self.clean_kept["written"].items()},
        }[ablation]

        def addend(port, written):
            return sum(self.at(ablated[u] - written[u], p) for u, p in out[port]) if port in out else None

        with torch.no_grad():
            return self.run(self.between(1.0), addend)["metric"]


def case(patient, pairs, step, random):
    clean, corrupt, answers = (torch.tensor(pairs[key]) for key in ("clean", "corrupt", "answers"))
    graph = Placed(patient, clean, corrupt, answers)
    circuits = []
    for share, ablation in [(0.5, "Corrupted"), (0.9, "Corrupted"), (0.8, "Mean"), (0.8, "MeanPerPosition"), (0.8, "Zero")]:
        outside = [index for index in range(len(graph.placed)) if torch.rand(1, generator=random).item() >= share]
        inside = set(range(len(graph.placed))) - set(outside)
        circuits.append({"outside": outside, "ablation": ablation, "metric": rounded(graph.circuit(inside, ablation))})
    scores = {
        "eap": graph.eap(),
        "eap_ig_inputs": graph.inputs(),
        "clean_corrupted": graph.both(),
        "eap_ig_activations": graph.activations(),
        "information_flow": graph.flow(),
    }
    return {
        **{key: pairs[key] for key in ("clean", "corrupt", "answers")},
        "clean_metric": rounded(graph.clean_kept["metric"]),
        "edges": len(graph.placed),
        "some": [f"{u}->{v}@{p}" for u, v, p in graph.placed[::step]],
        "step": step,
        "steps": STEPS,
        "scores": {**{name: rounded(all[:, ::step]) for name, all in scores.items()}, "exact": rounded(graph.exact(step))},
        "circuits": circuits,
    }


def main(golden, out):
    pairs = json.loads((golden / "patch.json").read_text())["gpt2"]
    random = torch.Generator().manual_seed(0)
    result = {}
    for name in ("gpt2", "llama"):
        model = AutoModelForCausalLM.from_pretrained(golden / name, dtype=torch.float64, attn_implementation="eager")
        result[name] = case(Patient(own_keys(model).double()), pairs, 3, random)
    out.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    main(*map(Path, sys.argv[1:3]))
