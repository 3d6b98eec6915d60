"""Geometry, alignment and dimension of a small model's states by others: writes represent.json beside itself.

Python 3 with torch, transformers, numpy, scipy and rsatoolbox 0.3. Six words in four templates of the tiny GPT-2 beside this
file, states in f64 at the last token; conditions are words, subjects templates.
"""
import json, pathlib
import numpy as np, rsatoolbox, scipy.spatial, torch
from transformers import AutoModelForCausalLM

here = pathlib.Path(__file__).parent
model = AutoModelForCausalLM.from_pretrained(here / "gpt2", dtype=torch.float64).eval()
draw = np.random.default_rng(5)
words, kinds = [3, 9, 14, 21, 30, 41], ["a", "a", "b", "b", "c", "c"]
templates = [draw.integers(1, 48, size=4).tolist() for _ in range(4)]
prompts, labels = [], []
for number, template in enumerate(templates):
    for word, kind in zip(words, kinds):
        prompts.append([*template, word])
        labels.append({"word": f"w{word}", "kind": kind, "template": f"t{number}"})
with torch.no_grad():
    hidden = model(torch.tensor(prompts), output_hidden_states=True).hidden_states
# before each block, which the last norm has not touched
spaces = [states[:, -1].numpy() for states in hidden[:-1]]

METHODS = {"Pearson": "corr", "Spearman": "spearman", "RhoA": "rho-a", "TauA": "tau-a", "Cosine": "cosine"}
DISTANCES = {"Correlation": "correlation", "SquaredEuclidean": "euclidean"}


def rdm(rows, conditions, method):
    data = rsatoolbox.data.Dataset(rows, obs_descriptors={"word": conditions})
    return rsatoolbox.rdm.calc_rdm(data, method=method, descriptor="word")


def unbiased(k, l):
    """Song et al. 2012, as it is written: kernels with an empty diagonal."""
    k, l, n = k - np.diag(np.diag(k)), l - np.diag(np.diag(l)), len(k)
    ones = np.ones(n)
    return np.trace(k @ l) + ones @ k @ ones * (ones @ l @ ones) / (n - 1) / (n - 2) - 2 / (n - 2) * (ones @ k @ l @ ones)


def cka(x, y, product):
    k, l = x @ x.T, y @ y.T
    return product(k, l) / np.sqrt(product(k, k) * product(l, l))


def biased(k, l):
    centre = np.eye(len(k)) - 1 / len(k)
    return np.trace(k @ centre @ l @ centre)


def procrustes(x, y):
    x, y = (z - z.mean(0) for z in (x, y))
    x, y = (z / np.linalg.norm(z) for z in (x, y))
    return np.linalg.svd(x.T @ y, compute_uv=False).sum()


def dimension(x):
    values = np.linalg.eigvalsh(np.cov(x.T))
    return values.sum() ** 2 / (values**2).sum()


word = np.array([label["word"] for label in labels])
template = np.array([label["template"] for label in labels])
kind = scipy.spatial.distance.pdist(np.array([[kinds.index(kind)] for kind in kinds]), "hamming")
# rsatoolbox orders conditions by name, which these already are but for their number of digits
order = [f"w{word}" for word in words]
found = {"prompts": prompts, "labels": labels, "geometry": {}, "alignment": {}, "dimension": [dimension(x) for x in spaces]}
for distance, method in DISTANCES.items():
    for x in spaces:
        subjects = []
        for one in sorted(set(template)):
            own = rdm(x[template == one], word[template == one], method)
            place = [list(own.pattern_descriptors["word"]).index(name) for name in order]
            subjects.append(own.get_matrices()[0][np.ix_(place, place)])
        subjects = rsatoolbox.rdm.RDMs(np.array(subjects))
        of_kind = rsatoolbox.rdm.RDMs(kind[None])
        for name, compared in METHODS.items():
            found["geometry"].setdefault(f"{distance} {name}", []).append({
                "agreement": float(rsatoolbox.rdm.compare(of_kind, subjects, compared).mean()),
                "ceiling": [float(end) for end in rsatoolbox.inference.boot_noise_ceiling(subjects, compared)],
            })
# distances across folds: templates are these, and all prompts are one subject; from measurements rsatoolbox would count
# the freedom of a tensor of its own, so that it is given what the residuals have
SCATTERS = {"ShrunkToDiagonal": "shrinkage_diag", "ShrunkToEqual": "shrinkage_eye", "Diagonal": "diag"}
found["crossnobis"] = {}
for name, method in SCATTERS.items():
    for x in spaces[1:]:  # before the first block a word is one state in all templates
        data = rsatoolbox.data.Dataset(x, obs_descriptors={"word": word, "template": template})
        scatter = np.concatenate([x[word == name] - x[word == name].mean(0) for name in order])
        freedom = len(x) - len(order)
        noise = rsatoolbox.data.noise.prec_from_residuals(scatter, dof=freedom, method=method)
        far = rsatoolbox.rdm.calc_rdm(data, method="crossnobis", descriptor="word", noise=noise, cv_descriptor="template")
        place = [list(far.pattern_descriptors["word"]).index(name) for name in order]
        far = rsatoolbox.rdm.RDMs(far.get_matrices()[0][np.ix_(place, place)][None])
        of_kind = rsatoolbox.rdm.RDMs(kind[None])
        agreement = {kind: float(rsatoolbox.rdm.compare(of_kind, far, compared)[0, 0])
                     for kind, compared in [("Cosine", "cosine"), ("Pearson", "corr")]}
        found["crossnobis"].setdefault(name, []).append(agreement)
for name, compare in {
    "DebiasedCka": lambda x, y: cka(x, y, unbiased), "Cka": lambda x, y: cka(x, y, biased), "Procrustes": procrustes
}.items():
    found["alignment"][name] = [[float(compare(x, y)) for y in spaces] for x in spaces]
(here / "represent.json").write_text(json.dumps(found) + "\n")
