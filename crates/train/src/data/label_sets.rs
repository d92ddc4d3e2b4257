//! Sets of classes: what images with several labels have in the place of one.

/// The sets of classes that the images of a data set have. The label of such an image is the number of its set.
///
/// ```
/// # use train::data::LabelSets;
/// let sets = LabelSets::new(vec![vec![0], vec![0, 2]], 3);
/// assert_eq!((sets.of(1), sets.targets()), (&[0, 2][..], vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSets {
    sets: Vec<Vec<u32>>,
    classes: usize,
}

impl LabelSets {
    /// These sets of so many classes.
    ///
    /// # Panics
    /// If a set is empty, or has a class that is not below `classes`.
    #[track_caller]
    pub fn new(sets: Vec<Vec<u32>>, classes: usize) -> Self {
        let fits = |set: &Vec<u32>| !set.is_empty() && set.iter().all(|&class| (class as usize) < classes);
        if let Some(set) = sets.iter().find(|set| !fits(set)) {
            panic!("LabelSets: {set:?} is no set of {classes} classes");
        }
        Self { sets, classes }
    }

    /// The classes of the set of this number, in their order.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn of(&self, label: u32) -> &[u32] {
        &self.sets[label as usize]
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What a network is to give for each set: 1 for its classes, 0 for the others, (sets, classes) row by row.
    pub fn targets(&self) -> Vec<f32> {
        let mut targets = vec![0.0; self.sets.len() * self.classes];
        for (row, set) in targets.chunks_exact_mut(self.classes.max(1)).zip(&self.sets) {
            set.iter().for_each(|&class| row[class as usize] = 1.0);
        }
        targets
    }
}
