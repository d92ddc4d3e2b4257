//! Licences of everything that is compiled: `deny.toml` says which are allowed.

use serde_json::Value;
use std::process::Command;

/// Whether a program may be given away under one of these: `A OR B`, `A AND B`, `(A OR B) AND C`, and `A/B` of old packages.
fn allows(allowed: &[String], licence: &str) -> bool {
    let licence = licence.replace('/', " OR ");
    let outer = |word: &str| {
        // Splits at a word that stands in no brackets.
        let (mut depth, mut parts) = (0, vec![String::new()]);
        for token in licence.split(' ') {
            depth += token.matches('(').count() as i32 - token.matches(')').count() as i32;
            match depth == 0 && token == word {
                true => parts.push(String::new()),
                false => *parts.last_mut().unwrap() += &format!(" {token}"),
            }
        }
        parts
    };
    let (either, both) = (outer("OR"), outer("AND"));
    if either.len() > 1 {
        return either.iter().any(|part| allows(allowed, part.trim()));
    }
    if both.len() > 1 {
        return both.iter().all(|part| allows(allowed, part.trim()));
    }
    match licence.trim().strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => allows(allowed, inner),
        None => allowed.iter().any(|one| one == licence.trim()),
    }
}

#[test]
fn everything_that_is_compiled_may_be_given_away() {
    let root = env!("CARGO_MANIFEST_DIR");
    let deny: toml::Table = toml::from_str(&std::fs::read_to_string(format!("{root}/deny.toml")).unwrap()).unwrap();
    let allowed: Vec<String> = deny["licenses"]["allow"].clone().try_into().unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--all-features", "--locked"]).current_dir(root);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let licence = |package: &Value| package["license"].as_str().unwrap_or_default().to_owned();
    let refused: Vec<_> = packages.iter().filter(|p| !allows(&allowed, &licence(p))).map(|p| (&p["name"], licence(p))).collect();
    assert_eq!(refused, []);
}

#[test]
fn a_licence_that_asks_for_more_is_noticed() {
    let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned);
    for licence in
        ["MIT", "GPL-3.0 OR MIT", "Unlicense/MIT", "(MIT OR Apache-2.0) AND Unicode-3.0", "MIT OR (GPL-3.0 AND Unicode-3.0)"]
    {
        assert!(allows(&allowed, licence), "{licence}");
    }
    for licence in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0", "GPL-3.0 OR (MIT AND AGPL-3.0)", "MITX"] {
        assert!(!allows(&allowed, licence), "{licence}");
    }
}
