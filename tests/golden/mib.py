"""Packs a published circuit for the tests: python mib.py ioi-eap-ig.json > ioi-eap-ig.bin

The file is circuits/ioi-eap-ig.json of the repository hannamw/MIB-circuit-track at commit b759df3 (Apache-2.0): scores of
all 32,491 edges of GPT-2 small. What is written has the scores by sender and then by port, both in the order of the stream, eight bytes each
(f64, little-endian), then a byte an edge: 1 where it is in the published circuit. Names follow from the model.
"""

import json
import struct
import sys

with open(sys.argv[1]) as file:
    edges = json.load(file)["edges"]

layers, heads = 12, 12
senders = [("input", 0)]
ports = []
for layer in range(layers):
    names = [f"a{layer}.h{head}" for head in range(heads)]
    senders += [(name, 2 * layer + 1) for name in names] + [(f"m{layer}", 2 * layer + 2)]
    ports += [(f"{name}<{port}>", 2 * layer + 1) for name in names for port in "qkv"] + [(f"m{layer}", 2 * layer + 2)]
ports.append(("logits", 2 * layers + 1))
names = [f"{sender}->{port}" for sender, written in senders for port, read in ports if written < read]
assert sorted(names) == sorted(edges), "other edges"

sys.stdout.buffer.write(b"".join(struct.pack("<d", edges[name]["score"]) for name in names))
sys.stdout.buffer.write(bytes(edges[name]["in_graph"] for name in names))
