"""Log-likelihoods of the sentences of CrowS-Pairs with transformers, one request at a time; started by crows.py.

As lm-evaluation-harness (0.4) asks a causal model for a text without context: <|endoftext|> before it, all logits but for the
last token's, a log-softmax over the vocabulary, the text's tokens gathered and summed, and whether they are the likeliest.
"""
import csv, json, sys, time
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

folder, pairs, saved = sys.argv[1:]
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
prefix = tokenizer.token_to_id("<|endoftext|>")
with open(pairs) as file:
    sentences = [(row["sent_more"], row["sent_less"]) for row in csv.DictReader(file)]


@torch.no_grad()
def likelihood(text):
    ids = torch.tensor([prefix, *tokenizer.encode(text).ids])
    logits = torch.nn.functional.log_softmax(model(ids[None, :-1]).logits, dim=-1)
    greedy = (logits[0].argmax(dim=-1) == ids[1:]).all()
    return torch.gather(logits[0], 1, ids[1:, None]).sum().item(), bool(greedy)


likelihood("warm")
begun = time.perf_counter()
found = [[likelihood(sentence)[0] for sentence in pair] for pair in sentences]
seconds = time.perf_counter() - begun
with open(saved, "w") as file:
    json.dump(found, file)
print(json.dumps({"seconds": seconds}))
