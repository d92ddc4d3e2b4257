//! What layer lists may say of each kind of layer, found by asking: a field without which an example cannot be read must be there, and
//! for another one stands what the layer has without it.

use crate::net::AnyLayer;
use gpu_core::Shape;
use serde_json::{Map, Value};

/// A kind of layer, as layer lists have it; see [`kinds`].
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Its name: `"type"` in layer lists.
    pub name: &'static str,
    /// What may be said of it besides.
    pub fields: Vec<Field>,
    /// An example in JSON, with most fields.
    pub example: &'static str,
    /// The shape of an input that the example takes, without the batch.
    pub input: Shape,
}

/// A field of a [`Kind`].
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Whether a layer must have it.
    pub is_required: bool,
    /// What stands for it where it is not given; null where nothing does, or the layer does not write it.
    pub default: Value,
}

/// All kinds of layers that stand in layer lists, with their fields, in the order of [`AnyLayer::KINDS`].
///
/// ```
/// let kinds = nn::spec::kinds();
/// let pool = kinds.iter().find(|kind| kind.name == "max_pool2d").unwrap();
/// let fields: Vec<(&str, bool)> = pool.fields.iter().map(|f| (f.name.as_str(), f.is_required)).collect();
/// assert_eq!(fields[..3], [("kernel", true), ("stride", false), ("padding", false)]);
/// ```
pub fn kinds() -> Vec<Kind> {
    AnyLayer::KINDS.iter().map(|&name| kind(name)).collect()
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).expect("an example is JSON")
}

fn kind(name: &'static str) -> Kind {
    let mine =
        || AnyLayer::EXAMPLES.iter().map(|(input, text)| (*input, *text, object(text))).filter(|(.., of)| of["type"] == name);
    let mut fields: Vec<Field> = Vec::new();
    for (_, text, example) in mine() {
        let mut names: Vec<&String> = example.keys().filter(|key| *key != "type").collect();
        names.sort_by_key(|name| text.find(&format!("\"{name}\"")));
        let new: Vec<&String> = names.into_iter().filter(|name| fields.iter().all(|field| field.name != **name)).collect();
        fields.extend(new.into_iter().map(|name| field(name, &example)));
    }
    // Those that must be there stand first.
    fields.sort_by_key(|field| !field.is_required);
    let (input, text, _) = mine().max_by_key(|(.., example)| example.len()).expect("every kind has an example");
    Kind { name, fields, example: text, input: Shape::new(input) }
}

fn field(name: &str, example: &Map<String, Value>) -> Field {
    let mut without = example.clone();
    without.remove(name);
    let layer = AnyLayer::parse(Value::Object(without));
    // By way of text: a value would make an f64 of each f32.
    let written = layer.as_ref().ok().and_then(|layer| serde_json::to_string(layer).ok());
    let written: Option<Value> = written.and_then(|text| serde_json::from_str(&text).ok());
    let default = written.and_then(|written| written.get(name).cloned()).unwrap_or(Value::Null);
    Field { name: name.to_owned(), is_required: layer.is_err(), default }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Layer;

    fn of(name: &'static str) -> Vec<(String, bool, String)> {
        kind(name).fields.into_iter().map(|f| (f.name, f.is_required, f.default.to_string())).collect()
    }

    fn row(name: &str, is_required: bool, default: &str) -> (String, bool, String) {
        (name.to_owned(), is_required, default.to_owned())
    }

    #[test]
    fn fields_stand_with_what_a_layer_has_without_them() {
        let [must, may] = [true, false];
        assert_eq!(of("relu"), []);
        assert_eq!(of("leaky_relu"), [row("slope", may, "0.01")]);
        let conv = [("stride", "1"), ("padding", "0"), ("dilation", "1"), ("groups", "1"), ("bias", "true"), ("dirac", "null")];
        let conv = conv.map(|(name, default)| row(name, may, default));
        assert_eq!(of("conv2d"), [&[row("out", must, "null"), row("kernel", must, "null")][..], &conv].concat());
        // Two examples, each with a field that the other one has not.
        let average: Vec<String> = of("avg_pool2d").into_iter().map(|(name, ..)| name).collect();
        assert!(["count_include_pad", "divisor"].iter().all(|name| average.iter().any(|field| field == name)), "{average:?}");
    }

    #[test]
    fn an_example_takes_its_input_and_all_of_its_fields_are_told() {
        for kind in kinds() {
            let example: Value = serde_json::from_str(kind.example).unwrap();
            let layer = AnyLayer::parse(example.clone()).unwrap();
            layer.plan(Shape::new(&[&[2], kind.input.dims()].concat())).unwrap_or_else(|e| panic!("{}: {e}", kind.name));
            let told = |name: &String| name == "type" || kind.fields.iter().any(|field| field.name == *name);
            assert!(example.as_object().unwrap().keys().all(told), "{}", kind.name);
        }
    }
}
