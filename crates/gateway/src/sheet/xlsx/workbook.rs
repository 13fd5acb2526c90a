//! Which worksheets there are, and in which parts they stand.

use std::collections::HashMap;

use super::tags::{Tag, Tags, attribute};

/// Day 0 of a workbook, in days from 1 January 1970: 30 December 1899, because spreadsheets believe in 29 February 1900, and
/// 1 January 1904 in those that were begun on a Macintosh (ECMA-376 part 1, 18.17.4.1).
const DAYS_FROM_1900: i64 = -25_569;
const DAYS_FROM_1904: i64 = -24_107;
/// Worksheets of one file; each of them is looked at.
const WORKSHEETS_MAX: usize = 256;

/// A worksheet.
pub struct Worksheet {
    /// Its name, as on its tab.
    pub name: String,
    /// The part that holds its cells.
    pub part: String,
    /// Nobody sees it.
    pub hidden: bool,
}

/// What a workbook says of its parts.
pub struct Workbook {
    pub worksheets: Vec<Worksheet>,
    /// Part of the shared strings.
    pub strings: String,
    /// Part of the styles.
    pub styles: String,
    /// Day 0, in days from 1 January 1970.
    pub days_from: i64,
}

/// Gives the text of a part.
type Parts<'a> = dyn Fn(&str) -> Result<Option<String>, String> + 'a;

impl Workbook {
    /// Of an archive's parts.
    ///
    /// # Errors
    /// It is no workbook.
    pub fn of(part: &Parts<'_>) -> Result<Self, String> {
        let none = || "this zip file is no XLSX workbook; save it as XLSX or CSV".to_owned();
        let root = relations(&part("_rels/.rels")?.ok_or_else(none)?, "")?;
        let name = root.into_values().find(|(kind, _)| kind == "officeDocument").map(|(_, target)| target).ok_or_else(none)?;
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
        let xml = part(&name)?.filter(|xml| xml.contains("workbook")).ok_or_else(none)?;
        let list = if folder.is_empty() { format!("_rels/{file}.rels") } else { format!("{folder}/_rels/{file}.rels") };
        let relations = relations(&part(&list)?.ok_or_else(none)?, folder)?;
        let of_kind = |kind: &str| relations.values().find(|(own, _)| own == kind).map(|(_, target)| target.clone()).unwrap_or_default();
        let mut workbook =
            Self { worksheets: Vec::new(), strings: of_kind("sharedStrings"), styles: of_kind("styles"), days_from: DAYS_FROM_1900 };
        let mut tags = Tags::of(&xml);
        while let Some(tag) = tags.next()? {
            let Tag::Open(tag) = tag else { continue };
            match tag.local_name().into_inner() {
                "workbookPr" if attribute(&tag, "date1904").is_some_and(|is| is == "1" || is == "true") => {
                    workbook.days_from = DAYS_FROM_1904
                }
                "sheet" => {
                    let target = attribute(&tag, "id").and_then(|id| relations.get(&id)).filter(|(kind, _)| kind == "worksheet");
                    let Some(((_, part), name)) = target.zip(attribute(&tag, "name")) else { continue };
                    let hidden = attribute(&tag, "state").is_some_and(|state| state != "visible");
                    workbook.worksheets.push(Worksheet { name, part: part.clone(), hidden });
                }
                _ => {}
            }
            if workbook.worksheets.len() > WORKSHEETS_MAX {
                return Err(format!("more than {WORKSHEETS_MAX} worksheets"));
            }
        }
        Ok(workbook)
    }
}

/// The relations of a part, by their ids: kind (the last word of its name) and the part they lead to.
fn relations(xml: &str, folder: &str) -> Result<HashMap<String, (String, String)>, String> {
    let mut tags = Tags::of(xml);
    let mut relations = HashMap::new();
    while let Some(tag) = tags.next()? {
        let Tag::Open(tag) = tag else { continue };
        if attribute(&tag, "TargetMode").is_some_and(|mode| mode == "External") {
            continue;
        }
        let Some(((id, kind), target)) = attribute(&tag, "Id").zip(attribute(&tag, "Type")).zip(attribute(&tag, "Target")) else {
            continue;
        };
        let target = match target.strip_prefix('/') {
            Some(whole) => whole.to_owned(),
            None if folder.is_empty() => target,
            None => format!("{folder}/{target}"),
        };
        relations.insert(id, (kind.rsplit('/').next().unwrap_or_default().to_owned(), target));
    }
    Ok(relations)
}
