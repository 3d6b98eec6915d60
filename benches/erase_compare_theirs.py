"""Times LEACE of concept-erasure, or CKA in torch, on the processor; see erase_compare.py.

erase_compare_theirs.py METHOD FOLDER ITEMS WIDTH

CKA is written out as a careful user of torch would: by columns or by items, whichever are fewer, and nothing twice.
"""
import json, os, pathlib, sys, time
import numpy, torch

method, folder, items, width = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))


def read(name, *shape):
    return torch.from_numpy(numpy.fromfile(folder / name)).reshape(*shape)


def leace(x, labels):
    from concept_erasure import LeaceFitter

    z = torch.nn.functional.one_hot(labels.long()).to(x.dtype)
    return LeaceFitter.fit(x, z, shrinkage=False).eraser


def products(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    if len(x) > x.shape[1]:
        inner = [(x.T @ y).square().sum(), (x.T @ x).square().sum(), (y.T @ y).square().sum()]
    else:
        k, l = x @ x.T, y @ y.T
        inner = [(k * l).sum(), k.square().sum(), l.square().sum()]
    return inner, x.square().sum(1), y.square().sum(1)


def cka(x, y):
    (both, first, second), _, _ = products(x, y)
    return float(both / (first * second).sqrt())


def debiased_cka(x, y):
    (both, first, second), k, l = products(x, y)
    n = len(x)

    def unbiased(inner, k, l):
        return inner - n / (n - 2) * (k @ l) + k.sum() * l.sum() / ((n - 1) * (n - 2))

    return float(unbiased(both, k, l) / (unbiased(first, k, k) * unbiased(second, l, l)).sqrt())


x = read("x.f64", items, width)
other = read("labels.f64", items) if method == "leace" else read("y.f64", items, width)
run = {"leace": leace, "cka": cka, "debiased_cka": debiased_cka}[method]
run(x[:64], other[:64])
begun = time.perf_counter()
found = run(x, other)
seconds = time.perf_counter() - begun
if method == "leace":
    found.P.numpy().tofile(folder / "theirs.f64")
    found = float((x - found(x)).square().sum(1).mean())
print(json.dumps({"seconds": seconds, "figure": found}))
