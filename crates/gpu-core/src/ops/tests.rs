//! Wrong calls of the operators whose tables stand here; `wgrad-proof` has the others, and the laws.

#[test]
fn every_wrong_call_panics_at_its_line_with_the_operator_and_the_shapes() {
    let Some(device) = crate::check::gpu() else { return };
    let complaints: Vec<String> = super::misuses().iter().filter_map(|row| row.complaint(&device)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
