//! What `--model` names: a model of the zoo, or the file of a layer list.

use crate::error::{Error, Result};
use crate::file;
use gpu_core::Shape;
use nn::spec::Spec;
use nn::zoo;
use std::path::Path;

/// What `--model` names.
enum Named<'a> {
    Zoo,
    File(&'a Path),
}

/// Whether a model is named by the file of its layer list.
pub(crate) fn is_file(model: &str) -> bool {
    matches!(Path::new(model).extension().and_then(|e| e.to_str()), Some("json" | "toml"))
}

/// What a model is called: a file by its name alone, wherever it lies.
pub(crate) fn name_of(model: &str) -> String {
    let file = Path::new(model).file_name().filter(|_| is_file(model));
    file.map_or_else(|| model.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn named(model: &str) -> Result<Named<'_>> {
    if is_file(model) {
        return Ok(Named::File(Path::new(model)));
    }
    if zoo::NAMES.contains(&&*model.replace('_', "-")) {
        return Ok(Named::Zoo);
    }
    let names = zoo::NAMES.join(", ");
    Error::setting(format!("there is no model \"{model}\"; use {names}, or a layer list (a .json or .toml file)"))
}

/// Channels, rows and columns that the file of a layer list asks for; none of a name, which takes images of any size.
///
/// # Errors
/// If the file is no layer list.
pub(crate) fn asked_shape(model: &str) -> Result<Option<[usize; 3]>> {
    let Named::File(path) = named(model)? else { return Ok(None) };
    Ok(<[usize; 3]>::try_from(read_list(path)?.input().dims()).ok())
}

/// Refuses what is neither a name nor the file of a layer list, before anything is known of the images.
///
/// # Errors
/// If it is.
pub fn expect_known(model: &str) -> Result<()> {
    match named(model)? {
        Named::Zoo => Ok(()),
        Named::File(path) => read_list(path).map(|_| ()),
    }
}

/// The layer list of a name, or in a JSON or TOML file.
///
/// # Errors
/// If there is no such name, or the file is not a layer list.
pub fn spec(model: &str, input: Shape, classes: usize) -> Result<Spec> {
    match named(model)? {
        Named::Zoo => zoo::spec(model, input, classes).map_err(|e| Error::Setting(format!("the model \"{model}\": {e}"))),
        Named::File(path) => read_list(path),
    }
}

fn read_list(path: &Path) -> Result<Spec> {
    let text = file::read_text(path).map_err(Error::file("reading", path))?;
    let json = path.extension().is_some_and(|e| e == "json");
    let spec = if json { Spec::from_json(&text) } else { Spec::from_toml(&text) };
    spec.map_err(|e| Error::content(path, e.to_string()))
}
