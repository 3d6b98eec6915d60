"""What distillation goes down, and its slopes, by torch's own functions and autograd; and the loss of a student of a golden model.

Run: python tests/golden/distil.py   (torch and transformers; writes distil.json beside this file)
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

HERE = Path(__file__).parent
T, LAMBDA, MU = 2.0, 0.4, 0.2
torch.manual_seed(5)


def kl(teacher, student, temperature):
    own, theirs = F.log_softmax(student / temperature, -1), F.softmax(teacher / temperature, -1)
    return temperature**2 * F.kl_div(own, theirs, reduction="batchmean")


def case(rows, classes, width, temperature):
    teacher, states = torch.randn(rows, classes) * 2, torch.randn(rows, width)
    student = (torch.randn(rows, classes) * 2).requires_grad_()
    own = torch.randn(rows, width).requires_grad_()
    targets = torch.randint(classes, (rows,))
    losses = {
        "divergence": kl(teacher, student, temperature),
        "cross_entropy": F.cross_entropy(student, targets),
        "turned_away": F.cosine_embedding_loss(own, states, torch.ones(rows)),
    }
    slopes = {
        name: torch.autograd.grad(loss, own if name == "turned_away" else student)[0].flatten().tolist()
        for name, loss in losses.items()
    }
    return {
        "shape": [rows, classes, width],
        "temperature": temperature,
        "teacher": teacher.flatten().tolist(),
        "student": student.flatten().tolist(),
        "targets": targets.tolist(),
        "states": states.flatten().tolist(),
        "own": own.flatten().tolist(),
        "losses": {name: loss.item() for name, loss in losses.items()},
        "slopes": slopes,
    }


def blocks(model):
    """Where a model keeps its blocks, and the last of their streams as hidden states have it."""
    if hasattr(model, "transformer"):
        return model.transformer
    return model.bert.encoder if hasattr(model, "bert") else model.model


def said(model, tokens):
    """Logits, and the stream behind the last block, before any final norm."""
    kept = {}
    parts = blocks(model)
    own = parts.h if hasattr(parts, "h") else parts.layer if hasattr(parts, "layer") else parts.layers
    def keep(_, __, out):
        kept["stream"] = out[0] if isinstance(out, tuple) else out
    hook = own[-1].register_forward_hook(keep)
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0]
    hook.remove()
    return logits, kept["stream"].reshape(len(tokens), -1)


def student(name, layer, tokens):
    causal = name != "bert"
    kind = AutoModelForCausalLM if causal else AutoModelForMaskedLM
    teacher = kind.from_pretrained(HERE / name, dtype=torch.float32, attn_implementation="eager").eval()
    logits, stream = said(teacher, tokens)
    parts = blocks(teacher)
    field = "h" if hasattr(parts, "h") else "layer" if hasattr(parts, "layer") else "layers"
    setattr(parts, field, torch.nn.ModuleList([getattr(parts, field)[layer]]))
    own, last = said(teacher, tokens)
    loss = kl(logits, own, T) + MU * F.cosine_embedding_loss(last, stream, torch.ones(len(tokens)))
    if causal:
        loss = loss + LAMBDA * F.cross_entropy(own[:-1], torch.tensor(tokens[1:]))
    return {"model": name, "layer": layer, "tokens": tokens, "loss": loss.item(), "divergence": kl(logits, own, 1.0).item()}


tokens = [3, 17, 40, 5, 22, 9]
students = [student(name, layer, tokens) for name, layer in [("gpt2", 1), ("llama", 0), ("bert", 1)]]
written = {"cases": [case(3, 5, 4, 2.0), case(2, 7, 3, 1.0), case(4, 3, 6, 5.0)], "students": students}
(HERE / "distil.json").write_text(json.dumps(written))
