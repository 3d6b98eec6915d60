//! The English table.

use super::{Clause, Language, Link, Tongue, link, list, names};

pub(super) fn language() -> Language {
    Language {
        tongue: Tongue::English,
        names: names(WOMEN, MEN),
        kin: list(KIN),
        people: list(PEOPLE),
        adjectives: list("young; old; tall; kind; new; quiet"),
        leads: list("One day; In the morning; In the evening; On Monday; At noon; Today; Last week"),
        phrases: list(PHRASES),
        owned: list(OWNED),
        beings: list(BEINGS),
        reasons: list(REASONS),
        results: list(RESULTS),
        contrasts: list(CONTRASTS),
        meetings: list("met; saw; helped; called; thanked; visited; found; followed; stopped"),
        places: list("in the park; at the station; at the market; in the hall; near the river; at school"),
        gifts: list(GIFTS),
        tails: list(TAILS),
        has: "has",
        called: ". {Her|His} name is ",
        pronoun: "{she|he}",
        links: LINKS,
    }
}

const LINKS: [Link; 11] = [
    link(" because ", Clause::Reason),
    link(" when ", Clause::Reason),
    link(", so ", Clause::Result),
    link(", but ", Clause::Contrast),
    link(" before ", Clause::Action),
    link(" after ", Clause::Action),
    link(", and then ", Clause::Action),
    link(". Then ", Clause::Action),
    link(". Later ", Clause::Action),
    link(". Soon ", Clause::Action),
    link(". After that ", Clause::Action),
];

const WOMEN: &str = "\
    Mary Anna Lucy Emma Alice Sarah Laura Julia Helen Jane Kate Ruth Rose Emily Susan Linda Karen Nancy Betty Diana \
    Clara Eva Ella Lily Grace Sophie Marie Nina Olivia Amy Molly Ellen Martha Julie Nora Maria Lisa Sandra Rachel \
    Hannah Megan Jenny";

const MEN: &str = "\
    Tom John Paul Peter David James Mark Simon Henry George Jack Luke Adam Daniel Thomas Robert William Edward Frank \
    Harry Oscar Victor Hugo Arthur Michael Richard Steven Kevin Brian Eric Martin Philip Joseph Samuel Walter Roger \
    Oliver Bob Fred Leo Ben Matthew";

const KIN: &str = "\
    {mother|father}; {sister|brother}; {daughter|son}; {aunt|uncle}; {wife|husband}; {grandmother|grandfather}";

const PEOPLE: &str = "\
    {woman|man}; {girl|boy}; {queen|king}; {princess|prince}; {lady|gentleman}; {mother|father}; \
    {grandmother|grandfather}";

const PHRASES: &str = "\
    opened the door; closed the door; opened the window; closed the window; opened the box; closed the book; \
    read the book; read the letter; read a story; wrote a letter; wrote a note; wrote a story; bought some bread; \
    bought a coat; bought some flowers; bought an apple; drank some tea; drank some water; made some tea; \
    made some coffee; made a cake; ate the soup; ate some bread; ate an apple; ate the cake; cleaned the kitchen; \
    cleaned the room; cleaned the table; left the house; left the room; left the office; went home; \
    went to the market; went to the station; went to the office; went to the garden; sat down; stood up; \
    walked to the river; walked to the park; walked home; ran to the station; ran home; called a friend; \
    met a friend; took the bus; took the train; took the map; moved the table; moved the chair; found a key; \
    found a coin; looked at the clock; looked at the sky; looked at the map; stopped; smiled; laughed; waited; \
    sang a song; told a story; turned on the light; turned off the light; waited in the hall; sat on the chair; \
    fixed the lamp";

const OWNED: &str = "\
    lost {her|his} bag; lost {her|his} key; found {her|his} coat; found {her|his} hat; took {her|his} bag; \
    took {her|his} coat; cleaned {her|his} car; fixed {her|his} bike; sold {her|his} car; sold {her|his} bike; \
    opened {her|his} bag; opened {her|his} book; closed {her|his} book; called {her|his} dog; washed {her|his} cup; \
    washed {her|his} hands; visited {her|his} friend; called {her|his} friend; met {her|his} friend; \
    ate {her|his} soup; drank {her|his} tea; put on {her|his} hat; put on {her|his} coat; fed {her|his} cat";

const BEINGS: &str = "\
    was tired; was hungry; was cold; was late; was sad; was happy; was busy; was ready; was sick; was angry; \
    was afraid; was alone; was bored; was at home; was at work; was in the garden";

const REASONS: &str = "\
    was tired; was hungry; was cold; was late; was sad; was happy; was busy; was ready; was sick; was angry; \
    was afraid; was alone; was bored; wanted some tea; wanted a rest; wanted some air; wanted to help; \
    wanted to sleep; needed help; needed time; needed light; needed money; needed the map; had a plan; had time; \
    heard a noise; heard a song; saw the rain; saw the snow; saw a dog; saw a friend";

const RESULTS: &str = "\
    was happy; was calm; was proud; was ready; felt better; felt good; had time; had a rest; slept well; \
    could rest; could sleep; could go home";

const CONTRASTS: &str = "\
    was still tired; was still hungry; was still sad; was not happy; was not ready; did not stay; did not wait; \
    did not smile; did not sleep; did not speak; forgot the key; forgot the map; forgot the time; needed more time; \
    wanted to sleep";

const GIFTS: &str = "\
    gave [her|him] a book; gave [her|him] some bread; gave [her|him] a coat; gave [her|him] some tea; \
    gave [her|him] the key; gave [her|him] the map; thanked [her|him]; helped [her|him]; called [her|him]; \
    told [her|him] a story; wrote [her|him] a letter; looked at [her|him]; smiled at [her|him]; \
    waited for [her|him]; walked home with [her|him]; ate with [her|him]";

const TAILS: &str = "\
    {She|He} was tired; {She|He} was happy; {She|He} was tall; {She|He} liked the garden; {She|He} liked the rain; \
    {She|He} liked music; {She|He} made {herself|himself} some tea; {She|He} made {herself|himself} a cake; \
    {She|He} was proud of {herself|himself}; {She|He} talked to {herself|himself}; {Her|His} bag was old; \
    {Her|His} coat was red; {Her|His} hat was blue; {Her|His} car was new; {Her|His} dog was small; \
    {Her|His} house was big; {Her|His} hands were cold; {She|He} lost {her|his} key; {She|He} took {her|his} bag; \
    {She|He} looked for {her|his} hat; {She|He} loved {her|his} work; {She|He} loved {her|his} dog; \
    {She|He} had a small house; {She|He} had an old car; {She|He} was good at {her|his} work";
