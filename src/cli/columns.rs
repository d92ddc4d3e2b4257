//! Texts in the columns of a table.

/// A text in so many columns: its beginning, where it is longer.
pub fn cut(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        true => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// The same of a name that is told from others by its end, such as that of a run or a file.
pub fn cut_front(name: &str, width: usize) -> String {
    match name.chars().count() {
        count if count > width => std::iter::once('…').chain(name.chars().skip(count + 1 - width)).collect(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_its_column_is_cut_and_says_so() {
        assert_eq!([cut("änd", 3), cut("ändere", 3), cut("ab", 1)], ["änd", "än…", "…"]);
        assert_eq!([cut_front("änd", 3), cut_front("run-ö7", 3), cut_front("ab", 1)], ["änd", "…ö7", "…"]);
    }
}
