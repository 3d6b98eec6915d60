"""Log-probabilities of whole texts, and the scores of CrowS-Pairs, StereoSet and perplexity that follow, with transformers.

Run:    HF_HUB_OFFLINE=1 python measures.py MODELS DATA OUT.json      (a minute; MODELS holds stories260K and tinystories-656k, DATA the published sets)
Needs:  torch, transformers, tokenizers; the versions used are in versions.txt

OUT.json holds: for the tiny models beside this script, random rows of ids with the log-probability of each token given those
before it (causal) or given all others, itself masked (bert); for stories260K the same of sentences, one text at a time, and
of a long text in windows as the documentation of transformers describes it, effect sizes of word association by layer, and
the log-probabilities of sentences of CrowS-Pairs, StereoSet and WinoBias, of tinystories-656k too.
"""

import csv
import json
import sys
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

HERE = Path(__file__).parent
MASK = 4  # any token will do for a model with random weights
SENTENCES = [
    ["Once upon a time, there was a little girl named Lily.", "Once upon a time, there was a little boy named Lily."],
    ["The boy was sad because he lost his toy.", "The girl was sad because she lost her toy."],
    ["She liked to play.", "She liked to play with her friend in the park."],
    ["Tom and Mom went home.", "Ben saw a big red ball."],
]
TEXT = " ".join(
    "One day, %s went to the park with %s. They saw a big %s and wanted to play with it." % names
    for names in [("Lily", "Tom", "dog"), ("Ben", "his mom", "ball"), ("Sue", "a friend", "tree"), ("Max", "Lily", "cat")]
)


def load(kind, folder):
    return kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def causal(model, ids):
    logits = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return [logits[at - 1, ids[at]].item() for at in range(1, len(ids))]


def masked(model, ids, places):
    found = []
    for at in places:
        row = torch.tensor([ids])
        row[0, at] = MASK
        found.append(model(input_ids=row).logits[0, at].double().log_softmax(-1)[ids[at]].item())
    return found


def crows(model, one, other):
    """As metric.py of CrowS-Pairs: what both share, but for the first and last of it, masked one by one, rounded."""
    blocks = SequenceMatcher(None, one, other).get_matching_blocks()
    places = [(block.a + at, block.b + at) for block in blocks for at in range(block.size)][1:-1]
    return [round(sum(masked(model, ids, [pair[side] for pair in places])), 3) for side, ids in enumerate([one, other])]


ASSOCIATIONS = {
    "template": "Once upon a time, there was a {word} in the park.",
    "X": ["girl", "princess", "mom", "queen"], "Y": ["boy", "king", "dad", "prince"],
    "A": ["doll", "flower", "dress"], "B": ["car", "ball", "truck", "robot"],
}


def word_states(model, tokenizer, text, word):
    """The mean over the word's tokens of the embedding and of what each block but the last gives."""
    begin = text.index(word)
    found = tokenizer.encode(text)
    here = [at for at, (low, high) in enumerate(found.offsets) if low < begin + len(word) and high > begin and high > low]
    hidden = model(input_ids=torch.tensor([found.ids]), output_hidden_states=True).hidden_states
    return [layer[0, here].double().mean(0) for layer in hidden[:-1]]


def associations(model, tokenizer, template, sets):
    """Effect size and one-sided p over all partitions, a pair for every layer."""
    states = [[word_states(model, tokenizer, template.replace("{word}", word), word) for word in words] for words in sets]
    told = []
    for layer in range(len(states[0][0])):
        x, y, a, b = [torch.stack([word[layer] for word in words]) for words in states]
        near = lambda words, to: torch.nn.functional.cosine_similarity(words[:, None], to[None], dim=-1).mean(1)
        s = torch.cat([near(x, a) - near(x, b), near(y, a) - near(y, b)])
        apart = lambda chosen: s[list(chosen)].mean() - s[[at for at in range(len(s)) if at not in chosen]].mean()
        seen = apart(range(len(x)))
        ways = [apart(chosen) >= seen - 1e-12 for chosen in combinations(range(len(s)), len(x))]
        told.append([(seen / s.std()).item(), sum(ways).item() / len(ways)])
    return told


def windows(model, ids, window, stride):
    """Sum of nats and tokens, as the page on the perplexity of fixed-length models computes them."""
    nats, tokens, before = 0.0, 0, 0
    for begin in range(0, len(ids), stride):
        end = min(begin + window, len(ids))
        chunk, fresh = ids[begin:end], end - before
        found = causal(model, chunk)[-min(fresh, len(chunk) - 1):] if len(chunk) > 1 else []
        nats, tokens, before = nats - sum(found), tokens + len(found), end
        if end == len(ids):
            break
    return [nats, tokens]


def published(data):
    """Both sentences of the first pairs of CrowS-Pairs, the three of the first contexts of StereoSet, both of WinoBias."""
    with open(data / "crows-pairs/crows_pairs_anonymized.csv", newline="") as file:
        pairs = list(csv.DictReader(file))[:20]
    texts = [pair[side] for pair in pairs for side in ["sent_more", "sent_less"]]
    with open(data / "stereoset-intrasentence/stereoset.csv", newline="") as file:
        triples = [row for row in csv.DictReader(file)][:12]
    for row in triples:
        texts += [row["context"].replace("BLANK", row[name]) for name in ["stereotype", "anti_stereotype", "unrelated"]]
    for side in ["pro", "anti"]:
        lines = (data / f"winobias/{side}_stereotyped_type1.txt.dev").read_text().splitlines()[:12]
        texts += [line.split(" ", 1)[1].replace("[", "").replace("]", "") for line in lines]
    return texts


@torch.no_grad()
def main(models, data, out):
    torch.manual_seed(0)
    told = {"causal": {}, "sentences": []}
    rows = [torch.randint(5, 40, (length,)).tolist() for length in (9, 9, 5, 12)]
    rows[1][:6] = rows[0][:6]
    told["rows"] = rows
    for name in ["gpt2", "llama", "gemma2", "opt-behind"]:
        model = load(AutoModelForCausalLM, HERE / name)
        told["causal"][name] = [causal(model, row) for row in rows]
    model = load(AutoModelForMaskedLM, HERE / "bert")
    told["masked"] = [masked(model, row, range(1, len(row) - 1)) for row in rows]
    told["crows"] = crows(model, rows[0], rows[1])
    tokenizer = Tokenizer.from_file(str(models / "stories260K" / "tokenizer.json"))
    model = load(AutoModelForCausalLM, models / "stories260K")
    for pair in SENTENCES:
        told["sentences"].append([[text, sum(causal(model, tokenizer.encode(text).ids))] for text in pair])
    sets = [ASSOCIATIONS[name] for name in "XYAB"]
    told["weat"] = {**ASSOCIATIONS, "layers": {
        template: associations(model, tokenizer, template, sets) for template in ["{word}", ASSOCIATIONS["template"]]
    }}
    told["text"] = TEXT
    ids = tokenizer.encode(TEXT).ids
    told["windows"] = [[window, stride, *windows(model, ids, window, stride)] for window, stride in [(32, 32), (32, 16), (48, 8)]]
    told["published"] = {}
    for name in ["stories260K", "tinystories-656k"]:
        model, tokenizer = load(AutoModelForCausalLM, models / name), Tokenizer.from_file(str(models / name / "tokenizer.json"))
        told["published"][name] = [sum(causal(model, tokenizer.encode(text).ids)) for text in published(data)]
    out.write_text(json.dumps(told))


main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
