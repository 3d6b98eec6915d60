"""Times the published EAP-IG on the processor; see eap_ig.py.

eap_ig_theirs.py CHECKOUT MODEL [--batch 10] [--items 32] [--positions 16] [--steps 5] [--save FILE]

CHECKOUT is a clone of hannamw/EAP-IG. Two things differ from what its own notebooks do: tokens are given as they are, in
place of words, and where it asks for memory of a GPU it gets the processor's.
"""
import os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
import argparse, json, time
start = time.perf_counter()
options = argparse.ArgumentParser()
options.add_argument("checkout"); options.add_argument("model"); options.add_argument("--save")
for name, default in (("batch", 10), ("items", 32), ("positions", 16), ("steps", 5)):
    options.add_argument(f"--{name}", type=int, default=default)
options = options.parse_args()
sys.path.insert(0, f"{options.checkout}/src")
import torch
import hooked
zeros = torch.zeros
torch.zeros = lambda *sizes, **how: zeros(*sizes, **{**how, "device": "cpu"})
from eap import attribute, graph

model, clean, corrupt, answers = hooked.load(options.model, options.items, options.positions)
attribute.tokenize_plus = lambda model, rows: (rows, torch.ones_like(rows), torch.full((len(rows),), rows.shape[1]), rows.shape[1])


def metric(logits, clean_logits, lengths, answers):
    last = logits[:, -1]
    return (last.gather(1, answers[:, :1]) - last.gather(1, answers[:, 1:])).sum()


edges = graph.Graph.from_model(model)
batches = list(zip(clean.split(options.batch), corrupt.split(options.batch), answers.split(options.batch)))
loaded = time.perf_counter()
scores = attribute.get_scores_eap_ig(model, edges, batches, metric, steps=options.steps, quiet=True)
seconds = time.perf_counter() - loaded
if options.save:
    named = {name: float(scores[edge.matrix_index]) for name, edge in edges.edges.items()}
    json.dump(named, open(options.save, "w"))
print(json.dumps({"seconds": seconds, "load_seconds": loaded - start, "edges": len(edges.edges)}))
