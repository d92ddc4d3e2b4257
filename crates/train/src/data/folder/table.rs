//! Which pictures a table names: a CSV file with a row for each, its path and its class or classes.
//!
//! Under `path` stands where it lies, below the folder of the table; under `label` its class, or under `labels` all that it has, with `|`
//! between; under `split`, which may be left out, train, val or test. Other columns mean nothing here, and neither does the order of the
//! rows. What is wrong is told with its line.

use super::found::{Found, Picture, VAL, in_turn};
use crate::data::error::DataError;
use crate::data::file;
use crate::data::label_sets::LabelSets;
use crate::data::split::Split;
use csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};
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
    let (rows, is_multi_label) = table.rows()?;
    if let Some(row) = rows.iter().find(|row| !skip_bad && !root.join(&row.name).is_file()) {
        let message = format!("there is no file {} (--skip-bad leaves such pictures out)", root.join(&row.name).display());
        return Err(table.wrong(row.at, message));
    }
    let learned = rows.iter().filter(|row| row.split == Split::Train).flat_map(|row| row.labels.iter().cloned());
    let classes: Vec<String> = learned.collect::<BTreeSet<_>>().into_iter().collect();
    if classes.is_empty() {
        return Err(DataError::Pictures { path: path.into(), message: "it names no picture to learn from".into() });
    }
    let sets = rows.iter().map(|row| table.numbers(row, &classes)).collect::<Result<Vec<_>, _>>()?;
    // Of pictures with one label each the sets are the classes.
    let distinct: Vec<&Vec<u32>> = sets.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut by_split = [(); 3].map(|()| vec![Vec::new(); distinct.len()]);
    for (row, set) in rows.into_iter().zip(&sets) {
        let label = distinct.binary_search(&set).expect("it is one of them");
        let picture = Picture { path: root.join(&row.name), name: row.name, label: label as u32, mask: None };
        by_split[row.split as usize][label].push(picture);
    }
    let sets = is_multi_label.then(|| LabelSets::new(distinct.into_iter().cloned().collect(), classes.len()));
    let [train, val, test] = by_split.map(|mut by_class| {
        by_class.iter_mut().for_each(|class| class.sort_by(|a, b| a.name.cmp(&b.name)));
        in_turn(by_class)
    });
    let some = |pictures: Vec<Picture>| Some(pictures).filter(|pictures| !pictures.is_empty());
    Ok(Found { classes, sets, train, val: some(val), test: some(test), ..Found::default() })
}

/// A row, with the byte at which it begins.
struct Row {
    at: u64,
    name: PathBuf,
    /// In their order, each once.
    labels: Vec<String>,
    split: Split,
}

/// The numbers of the columns.
struct Columns {
    path: usize,
    label: usize,
    /// Whether there may be several in a cell.
    is_multi_label: bool,
    split: Option<usize>,
}

struct Table<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl Table<'_> {
    /// All rows, and whether pictures may have several labels.
    fn rows(&self) -> Result<(Vec<Row>, bool), DataError> {
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
        Ok((rows, columns.is_multi_label))
    }

    fn columns(&self, head: &StringRecord) -> Result<Columns, DataError> {
        let column = |name: &str| {
            let mut fitting = (0..head.len()).filter(|&at| head[at].eq_ignore_ascii_case(name));
            match (fitting.next(), fitting.next()) {
                (_, Some(_)) => Err(self.wrong(0, format!("two columns are called {name}"))),
                (found, None) => Ok(found),
            }
        };
        let missing = |name: &str| {
            let has = head.iter().collect::<Vec<_>>().join(", ");
            self.wrong(0, format!("a first row with the columns path and label is wanted; {name} is not in \"{has}\""))
        };
        let path = column("path")?.ok_or_else(|| missing("path"))?;
        let (label, is_multi_label) = match (column("label")?, column("labels")?) {
            (Some(label), None) => (label, false),
            (None, Some(labels)) => (labels, true),
            (None, None) => return Err(missing("label")),
            (Some(_), Some(_)) => return Err(self.wrong(0, "there are two columns of labels, label and labels".into())),
        };
        Ok(Columns { path, label, is_multi_label, split: column("split")? })
    }

    fn row(&self, columns: &Columns, record: &StringRecord) -> Result<Row, DataError> {
        let at = record.position().map_or(0, Position::byte);
        let [path, label] = [columns.path, columns.label].map(|column| &record[column]);
        // As the names of a folder's files are: without what means nothing, such as ./
        let name: PathBuf = Path::new(path).components().filter(|part| *part != Component::CurDir).collect();
        if name.as_os_str().is_empty() {
            return Err(self.wrong(at, "the path is empty".into()));
        }
        let labels: BTreeSet<&str> = label.split('|').map(str::trim).collect();
        if labels.contains("") {
            return Err(self.wrong(at, format!("the label of {path} is empty")));
        }
        if labels.len() > 1 && !columns.is_multi_label {
            return Err(self.wrong(at, format!("{path} has several labels ({label}): call the column labels")));
        }
        let split = match columns.split.map(|column| record[column].to_lowercase()).as_deref() {
            None | Some("train") => Split::Train,
            Some("test") => Split::Test,
            Some(word) if VAL.contains(&word) => Split::Val,
            Some(word) => return Err(self.wrong(at, format!("the split is \"{word}\": train, val or test is wanted"))),
        };
        Ok(Row { at, name, labels: labels.into_iter().map(str::to_owned).collect(), split })
    }

    /// The classes of a row by their numbers.
    fn numbers(&self, row: &Row, classes: &[String]) -> Result<Vec<u32>, DataError> {
        let number = |label: &String| match classes.binary_search(label) {
            Ok(class) => Ok(class as u32),
            Err(_) => Err(self.wrong(row.at, format!("no picture to learn from has the label {label}"))),
        };
        row.labels.iter().map(number).collect()
    }

    /// Refuses a picture that stands there twice, and labels that are one but for capitals.
    fn expect_each_once(&self, rows: &[Row]) -> Result<(), DataError> {
        let (mut seen, mut spelled) = (HashMap::new(), HashMap::new());
        for row in rows {
            if let Some(before) = seen.insert(&row.name, row.at) {
                let message = format!("{} stands in line {} already", row.name.display(), self.line(before));
                return Err(self.wrong(row.at, message));
            }
            for label in &row.labels {
                let (first, at) = *spelled.entry(label.to_lowercase()).or_insert((label, row.at));
                if first != label {
                    let message = format!("the label {label} is {first} of line {} but for capitals", self.line(at));
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
