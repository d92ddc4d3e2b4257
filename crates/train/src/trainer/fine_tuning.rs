//! Which parameters are learned, how fast each, and how much each class counts.

use crate::data::ImageSet;
use crate::error::{Error, Result};
use crate::model::Description;
use crate::settings::{ClassWeights, Config};
use nn::{Net, fits, freeze, parameters};

/// Freezes what the settings say.
///
/// # Errors
/// If they name keys that the network has not, freeze everything, or give a rate to what is not learned.
pub(super) fn prepare(config: &Config, net: &Net) -> Result<()> {
    for keys in config.frozen() {
        freeze(net, keys).map_err(|_| no_key("--freeze", keys, net))?;
    }
    let all = parameters(net);
    let learned = || all.iter().filter(|(_, param)| param.is_trainable() && !param.is_frozen());
    if learned().next().is_none() {
        return Error::setting("--freeze: nothing is left to learn");
    }
    for (keys, _) in config.rate_factors()? {
        if !learned().any(|(key, _)| fits(keys, key)) {
            return Err(no_key("--lr-scale", keys, net));
        }
    }
    Ok(())
}

fn no_key(flag: &str, keys: &str, net: &Net) -> Error {
    let mut all = parameters(net).into_iter().filter(|(_, param)| param.is_trainable()).map(|(key, _)| key);
    let (first, last) = (all.next().unwrap_or_default(), all.last().unwrap_or_default());
    Error::Setting(format!(
        "{flag} {keys}: no parameter that is learned has such a key; they go from {first} to {last} (*: any characters)"
    ))
}

/// How much each class counts; nothing where all count alike.
///
/// # Errors
/// If the network tells no classes.
pub(super) fn class_weights(config: &Config, description: &Description, images: &ImageSet) -> Result<Vec<f32>> {
    match config.class_weights {
        None => Ok(Vec::new()),
        Some(_) if !description.has_accuracy() => Error::setting("--class-weights: this model tells no classes"),
        Some(ClassWeights::Balanced) if description.tells_labels() => Ok(of_positives(images, description.classes.len())),
        Some(ClassWeights::Balanced) => Ok(balanced(images.labels(), description.classes.len())),
    }
}

/// Of N images, n of which have a class, (N - n) / n: what its presence weighs, as the documentation of PyTorch's `BCEWithLogitsLoss` has it.
/// One without images weighs 1.
fn of_positives(images: &ImageSet, classes: usize) -> Vec<f32> {
    let mut counts = vec![0usize; classes];
    (0..images.len()).flat_map(|row| images.classes_of(row)).for_each(|&class| counts[class as usize] += 1);
    let weight = |n: usize| if n == 0 { 1.0 } else { (images.len() - n) as f32 / n as f32 };
    counts.into_iter().map(weight).collect()
}

/// As scikit-learn has it: of N images in K classes, N / (K n) for a class of n. One without images never counts.
fn balanced(labels: &[u32], classes: usize) -> Vec<f32> {
    let mut counts = vec![0u32; classes];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    let weight = |n: u32| if n == 0 { 0.0 } else { labels.len() as f32 / (classes as f32 * n as f32) };
    counts.into_iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::LabelSets;

    /// `sklearn.utils.class_weight.compute_class_weight("balanced", ...)` of six labels in three classes.
    #[test]
    fn every_class_weighs_as_much_as_another() {
        assert_eq!(balanced(&[0, 0, 0, 1, 1, 2], 3), [2.0 / 3.0, 1.0, 2.0]);
        assert_eq!(balanced(&[0, 0, 2], 3), [0.5, 0.0, 1.0]);
    }

    /// A class that 100 of 400 images have weighs 3: the example of PyTorch's documentation.
    #[test]
    fn what_is_there_weighs_as_much_as_what_is_not() {
        let sets = LabelSets::new(vec![vec![0], vec![0, 1]], 3);
        let labels = (0..400).map(|i| u32::from(i < 100)).collect();
        let images = ImageSet::new(vec![0; 400], labels, [1, 1, 1]).with_label_sets(sets);
        assert_eq!(of_positives(&images, 3), [0.0, 3.0, 1.0]);
    }
}
