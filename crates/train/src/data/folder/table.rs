//! Which pictures a table names: a CSV file with a row for each, its path and its class.
//!
//! Under `path` stands where it lies, below the folder of the table; under `label` its class; under `split`, which may be left out,
//! train, val or test. Other columns mean nothing here. The order of the rows changes nothing. What is wrong is told with its line.

use super::found::{Found, Picture, VAL, in_turn};
use crate::data::error::DataError;
use crate::data::file;
use crate::data::split::Split;
use csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

/// Whether a path is that of a table, by its name.
pub(in crate::data) fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) && !path.is_dir()
}

/// The pictures that a table names, which lie below `root`. That each is there is asked for unless what cannot be read is left out later.
pub(super) fn look(path: &Path, root: &Path, skip_bad: bool) -> Result<Found, DataError> {
    let bytes = file::read(path)?;
    let table = Table { path, bytes: &bytes };
    let rows = table.rows()?;
    if let Some(row) = rows.iter().find(|row| !skip_bad && !root.join(&row.name).is_file()) {
        let message = format!("there is no file {} (--skip-bad leaves such pictures out)", root.join(&row.name).display());
        return Err(table.wrong(row.at, message));
    }
    let classes: Vec<String> = rows.iter().filter(|row| row.split == Split::Train).map(|row| row.label.clone()).collect();
    let classes: Vec<String> = BTreeSet::from_iter(classes).into_iter().collect();
    if classes.is_empty() {
        return Err(DataError::Pictures { path: path.into(), message: "it names no picture to learn from".into() });
    }
    let mut by_split = [(); 3].map(|()| vec![Vec::new(); classes.len()]);
    for row in rows {
        let Ok(label) = classes.binary_search(&row.label) else {
            return Err(table.wrong(row.at, format!("no picture to learn from has the label {}", row.label)));
        };
        let picture = Picture { path: root.join(&row.name), name: row.name, label: label as u32 };
        by_split[row.split as usize][label].push(picture);
    }
    let [train, val, test] = by_split.map(|mut by_class| {
        by_class.iter_mut().for_each(|class| class.sort_by(|a, b| a.name.cmp(&b.name)));
        in_turn(by_class)
    });
    let some = |pictures: Vec<Picture>| Some(pictures).filter(|pictures| !pictures.is_empty());
    Ok(Found { classes, train, val: some(val), test: some(test), ..Found::default() })
}

/// A row, with the byte at which it begins.
struct Row {
    at: u64,
    name: PathBuf,
    label: String,
    split: Split,
}

/// The numbers of the columns.
struct Columns {
    path: usize,
    label: usize,
    split: Option<usize>,
}

struct Table<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl Table<'_> {
    fn rows(&self) -> Result<Vec<Row>, DataError> {
        if let Err(fault) = std::str::from_utf8(self.bytes) {
            return Err(self.wrong(fault.valid_up_to() as u64, "this is not UTF-8: save the table as such".into()));
        }
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(self.bytes);
        let columns = self.columns(reader.headers().map_err(|fault| self.misshapen(&fault))?)?;
        let (mut rows, mut record) = (Vec::new(), StringRecord::new());
        while reader.read_record(&mut record).map_err(|fault| self.misshapen(&fault))? {
            rows.push(self.row(&columns, &record)?);
        }
        self.expect_each_once(&rows)?;
        Ok(rows)
    }

    fn columns(&self, head: &StringRecord) -> Result<Columns, DataError> {
        let column = |name: &str| {
            let mut fitting = (0..head.len()).filter(|&at| head[at].eq_ignore_ascii_case(name));
            match (fitting.next(), fitting.next()) {
                (_, Some(_)) => Err(self.wrong(0, format!("two columns are called {name}"))),
                (found, None) => Ok(found),
            }
        };
        let wanted = |name: &str| {
            let has = || head.iter().collect::<Vec<_>>().join(", ");
            column(name)?.ok_or_else(|| {
                self.wrong(0, format!("a first row with the columns path and label is wanted; {name} is not in \"{}\"", has()))
            })
        };
        Ok(Columns { path: wanted("path")?, label: wanted("label")?, split: column("split")? })
    }

    fn row(&self, columns: &Columns, record: &StringRecord) -> Result<Row, DataError> {
        let at = record.position().map_or(0, Position::byte);
        let [path, label] = [columns.path, columns.label].map(|column| &record[column]);
        // As the names of a folder's files are: without what means nothing, such as ./
        let name: PathBuf = Path::new(path).components().filter(|part| *part != Component::CurDir).collect();
        if name.as_os_str().is_empty() {
            return Err(self.wrong(at, "the path is empty".into()));
        }
        if label.is_empty() {
            return Err(self.wrong(at, format!("the label of {path} is empty")));
        }
        let split = match columns.split.map(|column| record[column].to_lowercase()).as_deref() {
            None | Some("train") => Split::Train,
            Some("test") => Split::Test,
            Some(word) if VAL.contains(&word) => Split::Val,
            Some(word) => return Err(self.wrong(at, format!("the split is \"{word}\": train, val or test is wanted"))),
        };
        Ok(Row { at, name, label: label.to_owned(), split })
    }

    /// Refuses a picture that stands there twice, and labels that are one but for capitals.
    fn expect_each_once(&self, rows: &[Row]) -> Result<(), DataError> {
        let (mut seen, mut spelled) = (HashMap::new(), HashMap::new());
        for row in rows {
            if let Some(before) = seen.insert(&row.name, row.at) {
                let message = format!("{} stands in line {} already", row.name.display(), self.line(before));
                return Err(self.wrong(row.at, message));
            }
            match spelled.entry(row.label.to_lowercase()) {
                Entry::Vacant(place) => drop(place.insert(row)),
                Entry::Occupied(first) if first.get().label == row.label => {}
                Entry::Occupied(first) => {
                    let Row { at, label, .. } = first.get();
                    let message = format!("the label {} is {label} of line {} but for capitals", row.label, self.line(*at));
                    return Err(self.wrong(row.at, message));
                }
            }
        }
        Ok(())
    }

    /// The error for a row that has not as many cells as the first.
    fn misshapen(&self, fault: &csv::Error) -> DataError {
        let message = match fault.kind() {
            ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} cells, and the first row has {expected_len}"),
            _ => fault.to_string(),
        };
        self.wrong(fault.position().map_or(0, Position::byte), message)
    }

    /// The error for what stands at a byte.
    fn wrong(&self, at: u64, message: String) -> DataError {
        DataError::Table { path: self.path.into(), line: self.line(at), message }
    }

    /// The line of a byte, counted from 1; of ends of lines, that behind them. The reader's own count is one too few where lines end as on
    /// Windows.
    fn line(&self, at: u64) -> usize {
        let (before, rest) = self.bytes.split_at(self.bytes.len().min(at as usize));
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        1 + before.iter().chain(ends).filter(|byte| **byte == b'\n').count()
    }
}
