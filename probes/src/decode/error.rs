//! What can be wrong with data that are to be decoded, and what to do about it.

/// Why there is no such probe, or no such figure.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Every item needs one label, or one value, and the other way round.
    #[error("{rows} rows and {values} labels or values: give one for each row")]
    Lengths {
        /// Items by their states.
        rows: usize,
        /// Items by their labels.
        values: usize,
    },
    /// There is nothing to learn from.
    #[error("there are no {what}: give some")]
    Empty {
        /// What is absent.
        what: &'static str,
    },
    /// A state holds NaN or an infinity.
    #[error("item {item}, feature {feature} is not finite: look for NaN or infinity where the states were made")]
    NotFinite {
        /// The row.
        item: usize,
        /// The column.
        feature: usize,
    },
    /// A target of a regression is NaN or an infinity.
    #[error("the target of item {item} is not finite: leave the item out or give a number")]
    Target {
        /// The row.
        item: usize,
    },
    /// A label names no class.
    #[error("item {item} has label {label}; {classes} classes are numbered from 0 to {}", classes.saturating_sub(1))]
    Label {
        /// The row.
        item: usize,
        /// What was found.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A probe tells classes apart, so that it needs two.
    #[error("all items have one class: a probe needs two at least")]
    OneClass,
    /// Each class needs an item.
    #[error("{items} items for {classes} classes: give more items or join classes")]
    FewItems {
        /// How many items there are.
        items: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A class that a probe never saw has no probability.
    #[error(
        "class {class} has no item to learn from: take fewer folds or portions, or give the class more items or groups"
    )]
    ClassUnseen {
        /// The class.
        class: usize,
    },
    /// A penalty of zero leaves the optimum of separable or collinear data at infinity, or many of them.
    #[error("penalty {found}: give finite numbers above zero")]
    Penalty {
        /// What was found.
        found: f64,
    },
    /// Cross-validation needs two folds, and a group for each.
    #[error("{folds} folds of {groups} {of}: there must be two folds at least, and as many {of}")]
    Folds {
        /// How many folds were asked for.
        folds: usize,
        /// How many there are to share out.
        groups: usize,
        /// What is shared out: items, groups.
        of: &'static str,
    },
    /// With both sides of a crossed design held out, nothing is left.
    #[error(
        "fold {fold} leaves no item to learn from: the two groupings are too entangled; group by one of them, or take fewer folds"
    )]
    Entangled {
        /// The fold, from 0.
        fold: usize,
    },
    /// Each class of a control task needs a type.
    #[error(
        "{types} types of word for {classes} classes: no draw gave each class one; give more types or join classes"
    )]
    FewTypes {
        /// How many types there are.
        types: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A group whose label is exchanged for another's has one label.
    #[error("the group of item {item} has items of two classes: shuffle within groups, or choose groups of one class")]
    MixedGroup {
        /// Its first item.
        item: usize,
    },
    /// More features were asked for than there are.
    #[error("{wanted} features of {width}: ask for 1 to {width}")]
    Features {
        /// How many were asked for.
        wanted: usize,
        /// How many there are.
        width: usize,
    },
    /// Portions of an online code are growing shares up to all items.
    #[error("portions must be growing shares above 0 that end with 1, each with an item more than the one before")]
    Portions,
    /// A matrix could not be decomposed.
    #[error("a decomposition failed: some features are too large for each other (over 1e150); give them other units")]
    Decomposition,
}
