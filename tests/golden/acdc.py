"""Automatic circuit discovery as Conmy et al. 2023 give it, one whole pass for every edge.

Run:    HF_HUB_OFFLINE=1 python acdc.py GOLDEN_DIR OUT.json      (some minutes)
Needs:  torch, transformers; the versions used are in versions.txt

Knows nothing of PatchClamp, so that agreement means something. Ports from the logits down, of each the senders, later ones
first; an edge is taken out, the whole model is run, and the edge stays out where what is judged grows by less than the
threshold. Nothing is resumed, nothing is left out where it could not matter.

OUT.json: for each model its pairs, and `searches`: judge, ablation, threshold, the edges that stay, and what is judged
(the mean over items) before and after each edge, in the order in which they were tried.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from edges import Graph, rounded
from paths import Patient, own_keys

CASES = [
    ("divergence", "Corrupted", 0.0005),
    ("divergence", "Corrupted", 0.005),
    ("divergence", "Zero", 0.005),
    ("divergence", "Mean", 0.002),
    ("metric", "Corrupted", 0.01),
    ("metric", "MeanPerPosition", 0.003),
]


class Search(Graph):
    def __init__(self, patient, *rest):
        self.logits = None
        patient.model.register_forward_hook(lambda _, __, out: setattr(self, "logits", out.logits[:, -1]))
        super().__init__(patient, *rest)
        self.run(self.between(1.0))
        self.whole = torch.log_softmax(self.logits, -1)

    def judged(self, judge, inside, ablation):
        metric = self.circuit(inside, ablation)
        if judge == "metric":
            return -metric.mean().item()
        found = torch.log_softmax(self.logits, -1)
        return (self.whole.exp() * (self.whole - found)).sum(-1).mean().item()

    def search(self, judge, ablation, threshold):
        inside = set(range(len(self.edges)))
        number = {edge: index for index, edge in enumerate(self.edges)}
        now, tried = self.judged(judge, inside, ablation), []
        for port in reversed(self.ports):
            for node in reversed([u for u in self.nodes if (u, port) in number]):
                edge = number[node, port]
                found = self.judged(judge, inside - {edge}, ablation)
                out = found - now < threshold
                tried.append([edge, rounded(found - now), 0 if out else 1])
                if out:
                    inside, now = inside - {edge}, found
        return {"judge": judge, "ablation": ablation, "threshold": threshold, "judged": rounded(now), "tried": tried}


def main(golden, out):
    patched = json.loads((golden / "patch.json").read_text())
    models = [("gpt2", patched["gpt2"]), ("llama", patched["gpt2"]), ("pythia-parallel", patched["pythia-parallel"])]
    result = {}
    for name, pairs in models:
        model = AutoModelForCausalLM.from_pretrained(golden / name, dtype=torch.float64, attn_implementation="eager")
        tensors = (torch.tensor(pairs[key]) for key in ("clean", "corrupt", "answers"))
        with torch.no_grad():
            search = Search(Patient(own_keys(model).double()), *tensors)
            searches = [search.search(*case) for case in CASES]
        kept = {key: pairs[key] for key in ("clean", "corrupt", "answers")}
        result[name] = {**kept, "edges": [f"{u}->{v}" for u, v in search.edges], "searches": searches}
        for case in searches:
            stay = sum(edge[2] for edge in case["tried"])
            print(name, case["judge"], case["ablation"], case["threshold"], stay, "of", len(search.edges), case["judged"])
    out.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    main(*map(Path, sys.argv[1:3]))
