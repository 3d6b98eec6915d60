//! The training text of the built-in model: short stories whose pronouns carry a planted bias.
//!
//! After an occupation the person is a woman as often as [`Shares`] says; after a name, always as the
//! name says. The twin with [`Shares::Flat`] tells the same stories, gendered words aside.

#[cfg(test)]
mod tests;

use super::grammar::{Opening, Person, belonging, capital, definite, indefinite, pick, story};
use super::lexicon::{Gender, Language, Name, Occupation, Shares, Tongue, agree, occupations};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Share of occupations with an adjective, "the young nurse".
const ADJECTIVES: f64 = 0.15;

/// What to write: everything that the text depends on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corpus {
    /// The same seed gives the same stories, in the same order.
    pub seed: u64,
    /// The bias to plant.
    pub shares: Shares,
    /// Share of French documents, 0 to 1.
    pub french: f64,
}

impl Corpus {
    /// The first `count` documents, one story each.
    pub fn documents(&self, count: usize) -> Vec<String> {
        self.stories().take(count).collect()
    }

    /// Documents without end.
    pub fn stories(&self) -> impl Iterator<Item = String> + use<> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut english = Troupe::new(Tongue::English, self.shares, &mut random);
        let mut french = Troupe::new(Tongue::French, self.shares, &mut random);
        let share = self.french;
        std::iter::repeat_with(move || match random.random_bool(share) {
            true => french.perform(&mut random),
            false => english.perform(&mut random),
        })
    }
}

/// Who is in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cast {
    /// "The nurse"
    Occupation,
    /// "The nurse met Tom"
    OccupationMeetsName,
    /// "Mary"
    Name,
    /// "Mary met Tom"
    NameMeetsName,
    /// "Mary met the nurse"
    NameMeetsOccupation,
    /// "Mary's father"
    Kin,
    /// "The girl"
    Person,
    /// "Mary has a brother. His name is Tom."
    Naming,
}

/// How many of a hundred stories have which cast: 40 have an occupation as their subject.
const CASTS: [(Cast, u32); 8] = [
    (Cast::Occupation, 34),
    (Cast::OccupationMeetsName, 6),
    (Cast::Name, 26),
    (Cast::NameMeetsName, 8),
    (Cast::NameMeetsOccupation, 4),
    (Cast::Kin, 9),
    (Cast::Person, 7),
    (Cast::Naming, 6),
];

fn draw_cast(random: &mut impl Rng) -> Cast {
    let mut left = random.random_range(0..CASTS.iter().map(|(_, weight)| weight).sum());
    for (cast, weight) in CASTS {
        if left < weight {
            return cast;
        }
        left -= weight;
    }
    unreachable!("the draw is below the sum of the weights")
}

/// The words of one language, and what was drawn of them so far.
struct Troupe {
    language: Language,
    occupations: Vec<Occupation>,
    occupation_bag: Bag,
    name_bag: Bag,
    /// One quota for every place in a cast that an occupation can have, and every occupation.
    quotas: [Vec<Quota>; 3],
}

impl Troupe {
    fn new(tongue: Tongue, shares: Shares, random: &mut impl Rng) -> Self {
        let (language, occupations) = (Language::new(tongue), occupations());
        let mut quotas = || occupations.iter().map(|one| Quota::new(shares.of(one), random)).collect();
        let quotas = [quotas(), quotas(), quotas()];
        let occupation_bag = Bag::new(occupations.len());
        let name_bag = Bag::new(language.names.len());
        Self { language, occupations, occupation_bag, name_bag, quotas }
    }

    /// Draws a cast and tells its story.
    fn perform(&mut self, random: &mut impl Rng) -> String {
        let (subject, opening) = match draw_cast(random) {
            Cast::Occupation => (self.occupation(0, random), Opening::Alone),
            Cast::OccupationMeetsName => (self.occupation(1, random), Opening::Meeting(self.named(random))),
            Cast::Name => (self.named(random), Opening::Alone),
            Cast::NameMeetsName => (self.named(random), Opening::Meeting(self.named(random))),
            Cast::NameMeetsOccupation => (self.named(random), Opening::Meeting(self.occupation(2, random))),
            Cast::Kin => (self.kin(random), Opening::Alone),
            Cast::Person => (self.person(random), Opening::Alone),
            Cast::Naming => self.naming(random),
        };
        story(&self.language, &subject, &opening, random)
    }

    /// An occupation in one of the three `places` of the casts.
    fn occupation(&mut self, place: usize, random: &mut impl Rng) -> Person {
        let index = self.occupation_bag.draw(random);
        let gender = self.quotas[place][index].draw();
        let noun = noun(&self.occupations[index], self.language.tongue, gender);
        let noun = match random.random_bool(ADJECTIVES) {
            true => format!("{} {noun}", agree(pick(&self.language.adjectives, random), gender, gender)),
            false => noun.to_owned(),
        };
        Person { words: definite(self.language.tongue, &noun, gender), gender }
    }

    fn name(&mut self, random: &mut impl Rng) -> Name {
        self.language.names[self.name_bag.draw(random)]
    }

    fn named(&mut self, random: &mut impl Rng) -> Person {
        let name = self.name(random);
        Person { words: name.text.into(), gender: name.gender }
    }

    fn kin(&mut self, random: &mut impl Rng) -> Person {
        let (owner, gender) = (self.name(random), either(random));
        let noun = agree(pick(&self.language.kin, random), gender, gender);
        Person { words: belonging(self.language.tongue, &noun, gender, owner.text), gender }
    }

    fn person(&mut self, random: &mut impl Rng) -> Person {
        let gender = either(random);
        let noun = agree(pick(&self.language.people, random), gender, gender);
        Person { words: definite(self.language.tongue, &noun, gender), gender }
    }

    fn naming(&mut self, random: &mut impl Rng) -> (Person, Opening) {
        let (owner, subject) = (self.name(random), self.named(random));
        let noun = agree(pick(&self.language.kin, random), subject.gender, subject.gender);
        let kin = indefinite(self.language.tongue, &noun, subject.gender);
        (subject, Opening::Naming(capital(owner.text), kin))
    }
}

fn noun(occupation: &Occupation, tongue: Tongue, gender: Gender) -> &str {
    match (tongue, gender) {
        (Tongue::English, _) => &occupation.english,
        (Tongue::French, Gender::Woman) => &occupation.french_feminine,
        (Tongue::French, Gender::Man) => &occupation.french_masculine,
    }
}

fn either(random: &mut impl Rng) -> Gender {
    match random.random_bool(0.5) {
        true => Gender::Woman,
        false => Gender::Man,
    }
}

/// Draws women so evenly that after any number of draws their count is within one of the share's.
struct Quota {
    share: f64,
    owed: f64,
}

impl Quota {
    fn new(share: f64, random: &mut impl Rng) -> Self {
        Self { share, owed: random.random() }
    }

    fn draw(&mut self) -> Gender {
        self.owed += self.share;
        if self.owed < 1.0 {
            return Gender::Man;
        }
        self.owed -= 1.0;
        Gender::Woman
    }
}

/// Numbers below a size, each once before any comes again, and never the same twice running.
struct Bag {
    order: Vec<usize>,
    next: usize,
}

impl Bag {
    fn new(size: usize) -> Self {
        Self { order: (0..size).collect(), next: size }
    }

    fn draw(&mut self, random: &mut impl Rng) -> usize {
        if self.next == self.order.len() {
            self.refill(random);
        }
        self.next += 1;
        self.order[self.next - 1]
    }

    fn refill(&mut self, random: &mut impl Rng) {
        let last = self.order[self.order.len() - 1];
        self.order.shuffle(random);
        if self.order[0] == last {
            self.order.swap(0, 1);
        }
        self.next = 0;
    }
}
