//! How to read the tables of every method but probes and erasers.

/// What the name of a table holds, and its paragraph; the first that fits.
pub const KINDS: &[(&str, &str)] = &[
    (
        "_cut.ranked",
        "What the bias hangs on most, in the order in which it is cut: what the bias, and what is kept, would change by without it, as a share of the whole contrast. Below 0 it supports it. What is low in both cannot be cut without harm; what is low in the bias alone could be. By gradients this is a first-order estimate, edge by edge: the other table says what cuts do.",
    ),
    (
        "_cut",
        "The model with some of it cut: what is left of the bias, of what is kept, and what the loss changes by, each of items that the cut was not chosen on. Selectivity is 1 where the bias alone is gone, and 0 where both go alike. Beside each cut stand random ones of as many parts: a cut that does no more than these cuts nothing of its own. Shares are of the whole model's contrasts; intervals draw whole groups of items.",
    ),
    (
        ".twins.",
        "A treatment changes a figure by chance too. Twins are the same treatment with what can be left to chance left to it: weights rounded up or down at random to as many bits (with about twice the squared error of the nearest level), weights of any kind set to zero until as much is gone as the pruning takes, as many heads or blocks taken out, a student trained with another seed, other draws of calibration texts where there are more than are used. `change` is that of the treatment, `change of twins` their mean with their middle 95 in 100; `quantile` says where the change stands among them: near 0 or 1 it is more than chance, anywhere else it is what any such treatment would do. Where the treatment chooses nothing that chance could choose in its place, as a student's training, it is one of its twins: there is no `quantile`, and their middle 95 in 100 says how far such treatments are apart. At matched loss each twin is moved along the line of change on loss; where the treatment costs more, or less, than every twin there is no such row, and the facts say so.",
    ),
    (
        "measure.",
        "What the model finds probable in a data set that was made to show bias: each row is a figure of a group of items, as the authors of the set define it; where implementations differ both are given. Percentages of preference are 50 without bias, log-odds and differences 0. Intervals are percentile bootstraps over items, or over clusters of them (see `clusters`); a draw that holds none of a group is left out of that group's interval. `n` counts items. A preference may come of anything in which two sentences differ, so read the items, whose log-probabilities are in tables/….items.csv; all figures of a run, and of the models that it is held against, are in bias.csv.",
    ),
    (
        "_treat",
        "What was done to the weights before anything was asked: bits a weight as they would be stored, the share that is zero, how far weights moved, and, where texts were used, how far that moves what each map gives; of a student what it learned on texts that it was not trained on, and how far its maps are from those that it began with. A small error of the weights need not be a small change of what the model does, nor the reverse: the methods above say that.",
    ),
    (
        "localise.halves",
        "Units are picked by what clean and corrupted prompts of a task differ in, on each half of its pairs by itself. Where the overlap of both halves is no larger than that of random units, or signs do not hold on the other half, what was picked is noise.",
    ),
    (
        "localise.units",
        "The units that a half of the pairs picks, and how they respond on the other half: d′ is the difference of clean and corrupted prompts in units of their spread, information says how many bits the response tells about which it is. A unit that responds need not be used: see the lesions. Where `tasks` is more than one the unit responds to several contrasts; `interaction` is the share of its variance that hangs on which one.",
    ),
    ("localise.layers", "How many units of each layer the halves pick, on average."),
    (
        "localise.lesion",
        "The picked units replaced together while the pairs of the other half are asked: what each task's score loses, as a share of what it is left alone, beside lesions of as many random units of the same sites and of units picked by a contrast without sense. A lesion that takes no more than random ones says nothing of its units; one that harms fluency (the prompts' own tokens, the distribution of the next) has hurt the model as a whole. Intervals are percentile bootstraps over observations, of random units the middle 95 in 100 draws.",
    ),
    (
        "localise.dissociation",
        "What a lesion takes of its own task less what it takes of another, as shares of both scores. Where two tasks have both of theirs above zero, each can be lost without the other: they dissociate doubly. One alone may only say that a task is the easier one to break.",
    ),
    (
        "steer.doses",
        "States moved along the direction in which prompts differ, found on other pairs than those it is tried on: what the metric does towards the clean answer, what the prompts' own tokens lose in probability, and how far the distribution of the next token moves. A step that does no more than random ones of the same length says nothing of its direction; one that costs the prompts' own tokens much has broken more than it moved. Intervals are percentile bootstraps over observations, of random directions the middle 95 in 100.",
    ),
    (
        "steer.slopes",
        "The slope at zero says how strongly the answer follows a small step along the direction, and `random` how strongly along others of the same length. Spearman's coefficient is 1 where larger coefficients always do more. The window is where the prompts' own tokens lose little; beyond it effects say little of the direction.",
    ),
    (
        "steer.transfer",
        "A direction from one task tried on another, made as long as its own: 1 is as much as the other's own direction does there, 0 nothing, below 0 the opposite. What carries over is a direction in common; it may stand for less than both tasks' names say.",
    ),
    (
        "represent.geometry",
        "How far apart the mean states of every two conditions are, and how that agrees with models in which conditions of one value of a label are near and others far. Between the ceilings is what the best of models could reach, given how subjects disagree; below them a model leaves something out. Shuffled is the same with conditions named at random, with its middle 95 in 100 or as the level says; random weights is a model of the same shape that has learned nothing: what it has too comes of the tokens alone. Intervals are bootstraps over conditions, and over subjects where there are some; p is one-sided, of conditions named at random, corrected by Holm over the table.",
    ),
    (
        "represent.dimension",
        "How many dimensions the states fill: the participation ratio counts how evenly variance is spread over directions, two nearest neighbours how the number of neighbours grows with distance, at the finest scale. The first is low where a few directions are large, the second is too low for many dimensions and few prompts.",
    ),
    (
        "represent",
        "How alike every two spaces are: alignment prompt by prompt, and agreement of how far apart conditions lie. 1 is the same space but for rotation and scale (any linear map, for canonical correlations). Spaces that are alike need not compute alike. Intervals of agreement are bootstraps over conditions.",
    ),
    (
        "path_patch",
        "The first node of each path gets the output it has in the other run; its change is carried along the edges of the path alone, each head or MLP on it computed anew with its norm, and everything else is frozen. A path that ends in a head runs freely from there on. Effects of paths do not sum to the whole. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        ".removals",
        "Each edge and each node taken out of the circuit, which stays as it is otherwise: what that does to the metric. What changes nothing was not needed, though two parts that stand in for each other both look so. Incompleteness holds the circuit without a node against the whole model without it: where they differ the model has something else that steps in, which the circuit lacks. Intervals are percentile bootstraps over observations.",
    ),
    (
        ".paths",
        "The circuit's strongest paths from the input to the logits, by their weakest edge, and what each does by itself: the path alone brings what it has after the corrupted prompt, everything else is frozen. Effects of paths do not add up, as each is taken with all others in place.",
    ),
    (
        ".stability",
        "Whether other items give the same circuit. `jaccard` is 1 where two circuits have all edges in common, and 0 where they have none. Draws share items, halves share none. Where items have labels, such as their template, the circuit of each is held against that of all other items, with random parts of as many observations beside it: a part that agrees less than these has a circuit of its own.",
    ),
    (
        "recovery",
        "Circuits that were found held against the true one. `roc_area` is 1 where every edge of the true circuit has a larger score, whatever its sign, than every other edge, and 0.5 by chance; `roc_staircase` is ACDC's pessimistic area, which gives nothing for edges of equal score. `shuffled` is what comes out when it is left to chance which edges are true, with the middle 95 in 100. True and false positives and precision are of the edges that were chosen. A search at several thresholds also has the areas under the points that its circuits are.",
    ),
    (
        "attribution_patch",
        "What patching each place would do, estimated from gradients: the change of its activation times the slope of the metric. First order alone: where something behind the place saturates, or several places matter only together, patching says otherwise; patch the places of large estimates to be sure. With GradDrop an estimate is a size without a sign, and has no test. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "edge_pruning.faithfulness",
        "The model run on the clean prompts while every edge outside the learned circuit brings an ablated output. Faithfulness is 1 where that does what the whole model does, and 0 where it does what no edge at all does. The masks were fitted on these very items. Intervals are percentile bootstraps over observations.",
    ),
    (
        "edge_pruning",
        "Masks over all edges, fitted together so that the model goes on as it does while most edges bring an ablated output. A score is the chance that the edge's mask is above zero, the mean over seeds: it says in or out, not how much. `inclusion` is the share of seeds whose own circuit holds the edge; an edge that hangs on the seed is one of several that would do.",
    ),
    (
        ".faithfulness",
        "The model run on the clean prompts while every edge outside a circuit brings an ablated output. Faithfulness is 1 where that does what the whole model does, and 0 where it does what no edge at all does; it may be above 1 or below 0. The complement is everything but the circuit: where it still does much, the circuit is not all. Random circuits have as many edges on ways from the input to the logits; shuffled answers are what scores and selection make of answers exchanged in half of the items. CPR (edges by sign, more is better) and CMD (edges by size, 0 is best) are areas over ten shares of the edges. Intervals are percentile bootstraps over observations.",
    ),
    (
        "evaluate_circuit",
        "A circuit from a file: its edges with the scores that they have there, and what the model does with them alone on these prompts. Whether scores of other items would choose the same edges the file does not say.",
    ),
    (
        "circuit",
        "Each edge's score says what the metric would change by if the edge were ablated, as the fact `ablation` says: negative scores support the answer. Scores by gradients are first-order. A node such as m3.n17 is one neuron, and m3 is then the rest of that MLP. An edge such as m0->a5.h5<k>@3 is of position 3 alone; what a head reads there as key or value it may write at later positions. `inclusion` is how often an edge is in the circuit when the items are drawn again; edges of low inclusion hang on the items. All edges with their scores are in the folder circuits.",
    ),
    (
        "acdc.thresholds",
        "What is left at every threshold: how many edges, what judging says of them, and how faithful they are. Every circuit was searched for anew. Intervals are percentile bootstraps over observations, of a circuit as it stands.",
    ),
    (
        "acdc",
        "Edges were taken out one after the other, from the logits down, and stayed out where judging changed by less than the threshold. A score is that change at the moment of the trial: the edges behind it were decided on, those before it all still there. Intervals and `inclusion` are of that trial with other items drawn, the decisions before it as they were; how often the whole search comes out alike says `stability`. Of two edges that can stand in for each other the first one tried goes. All edges are in the folder circuits.",
    ),
    (
        "patch_weights.slope",
        "The slope of the metric on the numbers of a label, and what each part of the other model's weights does to it: where the label says how biased the data are, parts of large share carry the change of bias. Intervals are percentile bootstraps over observations.",
    ),
    (
        "patch_weights.one_answer",
        "The same as for the metric, where prompts come with answers turned round: here the metric is that of the first prompt's right answer over its wrong one in every prompt. So the metric says how strongly the model tells the two apart, and this how far it leans to one of them whatever the prompt. Intervals are percentile bootstraps over observations.",
    ),
    (
        "patch_weights",
        "Parts of the other model's weights put into this one: each alone, each as the last that comes to all others, and its share, the mean over all orders, so that shares sum to the whole change. Alone far from last says that parts act together. A part with a large share of the change of the metric and a small one of the loss can be treated otherwise without much harm. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "patch_models",
        "An activation of the one model put into the other on the same prompt: noise puts those of the variant into the experiment's model and says where the change of behaviour arrives, denoise puts those of the experiment's model into the variant and says where it can be undone. 1 is the whole difference between the two models. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "knockout",
        "The clean run with attention from some positions cut before the softmax: what the metric loses when queries do not see them. What is brought round the cut, through other positions or layers, arrives all the same. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "patchscope",
        "States of the prompts, put into another prompt that the model goes on from. What the model can be made to say of a state need not be what it uses. All readings, with the most probable tokens, are in texts.jsonl.",
    ),
    (
        "_das",
        "Directions learned at each place so that the base run, given what the source run has along them, gives the source run's answer; both ways, between clean and corrupted prompts. All rows are of items that were held out. `interchange_accuracy` is the share of exchanges after which the source run's answer is the likelier of the two; the effect on the metric is read for that answer. Hold DAS against the whole vector, the most that the runs themselves have there, against random spans of the same size, whose intervals are those of the draws, and against the mean difference and principal components, which nobody learned. Where DAS does more than the whole vector, its directions do something that the model's own runs do not. Other intervals are percentile bootstraps over observations; what is learned and the whole vector have a sign-flip test, corrected by Holm. The directions are in the folder tensors.",
    ),
    (
        "classify.gaps",
        "The true positive rate of the first group less that of the second, class by class, with the first group's share of the class beside it. Below zero the first group's texts of the class are missed more often. A class of few texts has a wide interval: look there before at the value.",
    ),
    (
        "classify.cells",
        "Accuracy and gaps of classes of about one frequency and one share of the first group: whether gaps come with rare classes, with those that one group has nearly to itself, or with both. Rare is less than half of what an even spread would give, frequent twice as much or more; few is below 0.4, most 0.6 or more.",
    ),
    (
        "classify.against",
        "What two models tell of the same texts: every figure of either, and the difference with an interval over texts drawn for both alike; p is of no difference, texts exchanged between the models at random (of accuracy McNemar's exact test), not corrected for the number of figures. Where the whole model is trained, p and interval are of these two trained models and not of how they were trained: two that differ in their draw alone are told apart more often than p says. Train either again with other draws (`draw`) before a difference is laid to the models. Where these have other numbers of layers, their last streams alone are compared. Gaps are by class, behind the name of the stream.",
    ),
    (
        "classify",
        "A head, on frozen states or trained with the whole model (see `head`), tells the class of texts that were held out. Gaps are above zero by chance alone where classes have few texts of a group: hold their root mean square against that of shuffled groups. Where the slope of gaps on shares is above zero with an interval that does not hold it, the head serves each group better where that group is the rule: it adds to the imbalance it learned from. Demographic parity is apart even of a head that is always right, where groups have classes in different shares. DTO is the distance to a head that is always right and without gaps; the one to the best of the streams changes with the streams. Intervals are bootstraps over the texts that were tested on, or clusters of them where some are kept apart together; where the whole model was trained they do not hold what another `draw` of its training would change.",
    ),
    (
        "stitch",
        "The model goes on from another model's states, brought into its own by an affine map that was learned on other items. At 1 it says what it says by itself, at 0 what it says after the corrupted prompt; `agreement` is how often it names the same token first, KL how far its distribution is from its own. Unmapped states show how far the two share a basis. Shuffled pairs are a map learned from other prompts' states at the same positions: what is left of the answer there hangs on the position alone. Random weights are states of the other model that has learned nothing, mapped as well as they can be: what they give too comes of the tokens and their order, and only what is above them is shared computation. Intervals are percentile bootstraps over observations; mapped states have a sign-flip test against the corrupted run, corrected by Holm.",
    ),
    (
        "tuned_lens",
        "The answer read from every layer through a translator learned for it (h + A h + b) beside the plain logit lens, on items that were held out. KL is how far the lens is from the last layer, in bits, the mean over all positions; `agreement` how often both name the same token first. A translator may compute what later layers compute, so that an answer can be read early does not say that it is used there. Intervals are percentile bootstraps over observations; what the tuned lens gains has a sign-flip test, corrected by Holm. The translators are in the folder tensors.",
    ),
    (
        "side_by_side",
        "What each method gives a node as a share of the whole effect; methods that take away are turned, so that a node which supports the answer is positive. Methods ask different questions (what suffices, what is needed, what goes straight to the answer), so where they disagree neither need be wrong. The table gives the rank correlation of each two. All numbers are in side_by_side.csv.",
    ),
    (
        "patch.denoise",
        "Clean activations are put into the corrupted run, place by place: a large effect says that this place suffices to restore the answer. It does not say which later parts carry the effect on. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "patch.noise",
        "Corrupted activations are put into the clean run, place by place: a large negative effect says that this place is needed for the answer. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "ablate",
        "The clean run with a place emptied: what the metric loses. A place without effect may have been replaced by another. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    (
        "logit_lens",
        "The answer read from every layer through the last norm and the unembedding. An early state may hold the answer in directions that the unembedding does not read.",
    ),
    (
        "direct_logit_attribution",
        "What each writer to the residual stream adds to the logit difference through the frozen last norm; the parts sum to it. Effects through later layers are not in it.",
    ),
    (
        "attention",
        "Where heads look, averaged over items. That a head looks at a token does not say that what it reads there matters: patch or ablate it.",
    ),
    (
        "mediate",
        "y is the odds of the wrong answer against the right one. TE is what the corrupted prompt changes of y, as a share of y after the clean prompt; NIE what it changes through the mediator alone, NDE what it changes by every other road. Where the two interact, they do not sum to TE: `gap` is what is left. Intervals are percentile bootstraps over observations; p is a sign-flip test of NIE, corrected by Holm over the table. A table of the largest neurons chose them by the items that it speaks of.",
    ),
    (
        "trace",
        "The subject's embeddings are noised, and one state of the plain run is put back: a large effect says that what this state holds suffices to bring the answer back. It does not say that the fact is stored there, and it hangs on the strength of the noise. TE is what the noise took away. A layer stands for the window of layers around it. Intervals are percentile bootstraps over observations; p is a sign-flip test, corrected by Holm over the table.",
    ),
    ("generate", "The prompts continued with and without the edits, keys and values cached."),
    ("record", "States were kept as tensors under the names of TransformerLens; this table shows their size."),
];
