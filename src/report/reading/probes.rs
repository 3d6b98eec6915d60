//! How to read the tables of probes and erasers.

/// What the name of a table holds, and its paragraph; the first that fits.
pub const KINDS: [(&str, &str); 7] = [
    (
        "probe.gap",
        "What can be told at a place and what is used there, both as shares. Decodable is the accuracy on words that the probe has not seen, from the likeliest class (0) to no mistake (1). Used is what the metric of the clean runs does when they go on from states that were erased, swapped or steered, from nothing (0) to all of it (1); at random is the same along directions by chance. A gap says that something is known and idle there, or stands at other places too. Intervals of decodable are bootstraps over words, of used over observations.",
    ),
    (
        "probe.words",
        "What probes say of words that none of them has learnt from, each word by those that were fitted to the others. Log-odds near zero say that the states do not tell. Intervals are bootstraps over the prompts of a word.",
    ),
    (
        "probe.erase",
        "The clean runs go on from states without what the probe tells (LEACE, fitted to the other side of each split): amnesic probing. No effect says that it was not used there, or was written again behind it, or stands at other positions too. Normalised, 1 is where nothing speaks for either answer. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "probe.s",
        "The clean runs go on from states in which what the probe tells is that of the corrupted prompt (swapped), or that were moved from the mean of one class to that of the other (steered). Normalised, 1 is what the corrupted prompt does. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "probe",
        "What linear probes tell of prompts whose group (words, unless the facts say otherwise) they have not learnt from. An accuracy means something beside what it is held against: the likeliest class, shuffled labels, control labels that each word has for itself, and the same model with random weights. That a probe tells it does not say that the model uses it. Information is in bits a prompt, compression in times. Intervals are bootstraps over the groups.",
    ),
    (
        ".left",
        "Probes fitted anew to states from which the concept was taken, on prompts that neither they nor the eraser have seen. A probe with a hidden layer that still tells it says that it is there, but not along a direction. Directions by chance show what taking out as many others does. `moved` is the share of the states' variance that went.",
    ),
    (
        "erase",
        "The clean runs go on from states without the concept; the rows named random are the mean over directions by chance, with the middle of them, and p is the share of these that do as much. Normalised, 1 is where nothing speaks for either answer. What has no effect may be written again by later layers, or stand at other positions.",
    ),
];
