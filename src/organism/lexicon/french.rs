//! The French table: here participles, adjectives and articles agree as well.

use super::{Clause, Language, Link, Tongue, link, list, names};

pub(super) fn language() -> Language {
    Language {
        tongue: Tongue::French,
        names: names(WOMEN, MEN),
        kin: list(KIN),
        people: list(PEOPLE),
        adjectives: list("jeune; {grande|grand}; {petite|petit}"),
        leads: list("Un jour,; Ce matin,; Le lundi,; Hier,"),
        phrases: list(PHRASES),
        owned: list(OWNED),
        beings: list(BEINGS),
        reasons: list(REASONS),
        results: list(RESULTS),
        contrasts: list(CONTRASTS),
        meetings: list("a vu; a rencontré; a aidé; a appelé; a remercié; a trouvé; a suivi"),
        places: list("dans le parc; à la gare; au marché; dans la rue"),
        gifts: list(GIFTS),
        tails: list(TAILS),
        has: "a",
        called: ". {Elle|Il} s'appelle ",
        pronoun: "{elle|il}",
        links: LINKS,
    }
}

const LINKS: [Link; 11] = [
    link(" parce qu'", Clause::Reason),
    link(" quand ", Clause::Reason),
    link(" puisqu'", Clause::Reason),
    link(", alors ", Clause::Result),
    link(", mais ", Clause::Contrast),
    link(", puis ", Clause::Action),
    link(". Puis ", Clause::Action),
    link(". Ensuite ", Clause::Action),
    link(". Plus tard ", Clause::Action),
    link(". Enfin ", Clause::Action),
    link(". Le soir, ", Clause::Action),
];

const WOMEN: &str = "\
    Marie Anna Emma Alice Julie Sophie Laura Clara Sarah Nina Julia Eva Rose Jeanne Claire Louise";

const MEN: &str = "\
    Paul David Thomas Simon Victor Arthur Martin Adam Daniel Oscar Samuel Robert Richard Pierre Antoine Michel";

const KIN: &str = "\
    {mère|père}; {sœur|frère}; {fille|fils}; {tante|oncle}; {femme|mari}; {cousine|cousin}";

const PEOPLE: &str = "\
    {femme|homme}; {fille|garçon}; {reine|roi}; {princesse|prince}; {dame|monsieur}; {mère|père}";

const PHRASES: &str = "\
    a ouvert la porte; a fermé la porte; a ouvert la fenêtre; a fermé la fenêtre; a lu le livre; a lu la lettre; \
    a écrit une lettre; a acheté du pain; a acheté des fleurs; a acheté un livre; a bu du thé; a bu de l'eau; \
    a mangé une pomme; a mangé la soupe; a mangé du pain; a fait un gâteau; a fait du thé; a quitté la maison; \
    a quitté la ville; a pris le train; a pris le bus; a trouvé une clé; a regardé le ciel; a souri; a attendu; \
    a chanté; est allé{e|} au marché; est allé{e|} à la gare; est rentré{e|}; est sorti{e|}; est parti{e|}; \
    est resté{e|} dans le jardin; est arrivé{e|} à la maison";

const OWNED: &str = "\
    a perdu son sac; a perdu sa clé; a trouvé son sac; a trouvé sa clé; a pris son manteau; a vendu sa voiture; \
    a vendu son vélo; a ouvert son livre; a appelé son chien; a lavé sa voiture";

const BEINGS: &str = "\
    était fatigué{e|}; était content{e|}; était prêt{e|}; était seul{e|}; était {heureuse|heureux}; était triste; \
    était malade; était en retard; était à la maison; était occupé{e|}";

const REASONS: &str = "\
    était fatigué{e|}; était content{e|}; était prêt{e|}; était seul{e|}; était {heureuse|heureux}; était triste; \
    était malade; était en retard; était occupé{e|}; avait faim; avait froid; avait soif; avait peur; \
    voulait partir; voulait dormir; voulait du thé; voulait aider";

const RESULTS: &str = "\
    était content{e|}; était {heureuse|heureux}; était {fière|fier}; a pu dormir; a pu partir; a bien dormi";

const CONTRASTS: &str = "\
    était encore fatigué{e|}; était encore triste; avait encore faim; n'était pas content{e|}; n'était pas prêt{e|}; \
    n'a pas souri; n'a pas attendu; n'est pas resté{e|}; a oublié la clé";

const GIFTS: &str = "\
    lui a donné un livre; lui a donné du pain; lui a donné une lettre; l'a aidé[e|]; l'a remercié[e|]; \
    l'a appelé[e|]; l'a regardé[e|]";

const TAILS: &str = "\
    {Elle|Il} était fatigué{e|}; {Elle|Il} était content{e|}; {Elle|Il} était {heureuse|heureux}; \
    {Elle|Il} était {grande|grand}; {Elle|Il} était {fière|fier} de son travail; {Elle|Il} aimait son travail; \
    {Elle|Il} aimait son chien; {Elle|Il} aimait la ville; {Elle|Il} a pris son sac; {Elle|Il} a perdu sa clé; \
    Son sac était petit; Sa voiture était petite; {Elle|Il} était {fière|fier} {d'elle|de lui}-même";
