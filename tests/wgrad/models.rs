//! What the README says of models.

use wgrad::nn::Spec;
use wgrad::prelude::*;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_names_every_model() {
    for name in zoo::NAMES {
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_layer_list_of_the_readme_is_one() {
    let list = README.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let net = Spec::from_toml(list).unwrap().build(&Init::seeded(&Device::Cpu, 0)).unwrap();
    assert_eq!(net.out_shape([7, 3, 32, 32].into()), Ok([7, 10].into()));
}
