//! The page of one study, and the page over all of them.

use serde::{Deserialize, Serialize};

/// What a study found, as `study.json` keeps it.
#[derive(Serialize, Deserialize)]
pub struct Record {
    pub name: String,
    pub question: String,
    pub device: String,
    pub form: String,
    pub seconds: f64,
    pub checks: Vec<Check>,
    pub pictures: Vec<String>,
    pub files: Vec<String>,
}

impl Record {
    pub fn new(name: &str, question: &str, device: String, form: &str) -> Self {
        let (name, question, form) = (name.to_owned(), question.to_owned(), form.to_owned());
        Self { name, question, device, form, seconds: 0.0, checks: Vec::new(), pictures: Vec::new(), files: Vec::new() }
    }
}

/// One thing that had to hold.
#[derive(Serialize, Deserialize)]
pub struct Check {
    pub what: String,
    pub found: String,
    pub ok: bool,
}

/// What stands on a study's page, in the order in which it was made.
pub enum Item {
    Note(String),
    /// The number of the check.
    Check(usize),
    Table {
        title: String,
        html: String,
        file: String,
    },
    Picture {
        title: String,
        file: String,
    },
    File(String),
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str =
    "body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1e1e1e; background: #fff }
table { border-collapse: collapse; margin: 1rem 0 } th, td { border: 1px solid #bbb; padding: .2rem .6rem; text-align: left }
.number { text-align: right; font-variant-numeric: tabular-nums } img { max-width: 100%; height: auto; border: 1px solid #ddd }
.all img { width: 100% } .all { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem }
p.check { margin: .1rem 0; font-size: 14px } .failed { color: #b00000; font-weight: bold } h3 { margin-bottom: 0 }";

fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n{body}</html>\n"
    )
}

fn checks_line(record: &Record) -> String {
    let failed = record.checks.iter().filter(|c| !c.ok).count();
    let held = record.checks.len() - failed;
    let trouble = if failed > 0 { format!(", <span class=failed>{failed} failed</span>") } else { String::new() };
    format!("{held} checks hold{trouble}; {} form on {}, {:.1} s", record.form, escape(&record.device), record.seconds)
}

pub fn study(record: &Record, items: &[Item]) -> String {
    let mut body = format!("<p>{}</p>\n<p>{}</p>\n", escape(&record.question), checks_line(record));
    for item in items {
        body += &match item {
            Item::Note(text) => format!("<p>{}</p>\n", escape(text)),
            Item::Check(i) => {
                let Check { what, found, ok } = &record.checks[*i];
                let (class, mark) = if *ok { ("check", "✓") } else { ("check failed", "✗ failed:") };
                format!("<p class=\"{class}\">{mark} {}: {}</p>\n", escape(what), escape(found))
            }
            Item::Table { title, html, file } => {
                format!("<h3>{}</h3>\n{html}<p><a href=\"{file}\">{file}</a></p>\n", escape(title))
            }
            Item::Picture { title, file } => {
                format!("<p><a href=\"{file}\"><img src=\"{file}\" alt=\"{}\"></a></p>\n", escape(title))
            }
            Item::File(file) => format!("<p><a href=\"{file}\">{file}</a></p>\n"),
        };
    }
    document(&record.name.replace('_', " "), &body)
}

/// The page over all studies: `Err` has the name of one that did not come to its end.
pub fn all(records: &[Result<Record, String>], seconds: f64) -> String {
    let mut body = format!("<p>{} studies in {seconds:.0} s.</p>\n", records.len());
    for record in records {
        body += &match record {
            Err(name) => format!("<h2>{}</h2>\n<p class=failed>failed before its end</p>\n", escape(name)),
            Ok(record) => {
                let name = &record.name;
                let pictures =
                    record.pictures.iter().map(|p| format!("<a href=\"{name}/{p}\"><img src=\"{name}/{p}\" alt=\"{p}\"></a>\n"));
                format!(
                    "<h2><a href=\"{name}/index.html\">{}</a></h2>\n<p>{}</p>\n<p>{}</p>\n<div class=all>\n{}</div>\n",
                    escape(&name.replace('_', " ")),
                    escape(&record.question),
                    checks_line(record),
                    pictures.collect::<String>()
                )
            }
        };
    }
    document("Studies", &body)
}
