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
    let mut blocks = README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let list = blocks.find(|block| block.contains("layers = [")).unwrap();
    let net = Spec::from_toml(list).unwrap().build(&Init::seeded(&Device::Cpu, 0)).unwrap();
    assert_eq!(net.out_shape([7, 3, 32, 32].into()), Ok([7, 10].into()));
}
