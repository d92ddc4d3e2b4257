//! The recipes: settings that a run takes as they are, each with what was reached by them.

use std::fs;
use std::path::Path;
use train::settings::Settings;

#[test]
fn each_is_settings_and_says_what_was_reached_where_and_in_what_time() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        let settings = Settings::read(&file).unwrap();
        let model = settings.model.clone().unwrap();
        let config = settings.resolve().unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(nn::zoo::NAMES.contains(&model.as_str()) && config.name.is_none(), "{}: {model}", file.display());
        let text = fs::read_to_string(&file).unwrap();
        let said: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        for word in [" % of the test images", " min on ", "wgrad train --config recipes/"] {
            assert!(said.contains(word), "{}: \"{word}\" is missing: {said}", file.display());
        }
    }
}
