//! XML as a spreadsheet uses it: tags by their local names, attributes, and text with the escapes of XML and of spreadsheets.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Texts of a workbook: more than its cells can refer to.
const STRINGS_MAX: usize = 8 << 20;

/// What comes next.
pub enum Tag<'a> {
    /// A tag opens. An empty one closes next.
    Open(BytesStart<'a>),
    /// A tag closes.
    Close(String),
    /// Text between tags, of which there may be several pieces.
    Text(String),
}

/// The tags of a part, in order.
pub struct Tags<'a>(Reader<&'a [u8]>);

impl<'a> Tags<'a> {
    /// Of the text of a part.
    pub fn of(xml: &'a str) -> Self {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().expand_empty_elements = true;
        Self(reader)
    }

    /// The next one; `None` at the end.
    ///
    /// # Errors
    /// It is no XML, or uses an entity that is not one of the five.
    pub fn next(&mut self) -> Result<Option<Tag<'a>>, String> {
        loop {
            let at = self.0.buffer_position();
            let wrong = |why: &dyn std::fmt::Display| format!("no XML at byte {at}: {why}");
            return Ok(Some(match self.0.read_event().map_err(|e| wrong(&e))? {
                Event::Start(tag) => Tag::Open(tag),
                Event::End(tag) => Tag::Close(tag.local_name().into_inner().to_owned()),
                Event::Text(text) => Tag::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Tag::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(entity) => {
                    let letter = entity.resolve_char_ref().map_err(|e| wrong(&e))?;
                    let named = || resolve_predefined_entity(&entity).map(str::to_owned);
                    Tag::Text(letter.map(String::from).or_else(named).ok_or_else(|| wrong(&"an entity that is not of XML"))?)
                }
                Event::Eof => return Ok(None),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            }));
        }
    }
}

/// An attribute, by its name without a prefix.
pub fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().with_checks(false).flatten().find(|one| one.key.local_name().into_inner() == name)?;
    found.normalized_value(XmlVersion::Explicit1_0).ok().map(|value| unescaped(&value))
}

/// A text without the escapes of spreadsheets: `_x000D_` is a character that XML cannot hold (ECMA-376 part 1, 22.9.2.19).
pub fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let escape = after.get(..5).and_then(|five| five.strip_suffix('_')).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match escape.and_then(char::from_u32) {
            Some(c) => {
                plain.push(c);
                rest = after.get(5..).unwrap_or_default();
            }
            None => {
                plain.push_str("_x");
                rest = after;
            }
        }
    }
    plain + rest
}

/// The shared strings: of each `si` its runs joined, without what says how it is pronounced.
///
/// # Errors
/// It is no XML, or there are too many.
pub fn strings(xml: &str) -> Result<Vec<String>, String> {
    let mut tags = Tags::of(xml);
    let mut strings = Vec::new();
    while let Some(tag) = tags.next()? {
        if let Tag::Open(tag) = tag
            && tag.local_name().into_inner() == "si"
        {
            if strings.len() == STRINGS_MAX {
                return Err("more texts than a workbook has cells".into());
            }
            strings.push(rich(&mut tags, "si")?);
        }
    }
    Ok(strings)
}

/// The text of a tag that is open: all `t` in it, without `rPh`.
pub fn rich(tags: &mut Tags<'_>, until: &str) -> Result<String, String> {
    let (mut text, mut in_text, mut in_phonetic) = (String::new(), false, false);
    loop {
        match tags.next()?.ok_or("it ends in the middle of a text")? {
            Tag::Open(tag) => match tag.local_name().into_inner() {
                "t" => in_text = true,
                "rPh" => in_phonetic = true,
                _ => {}
            },
            Tag::Text(piece) if in_text && !in_phonetic => text.push_str(&piece),
            Tag::Text(_) => {}
            Tag::Close(name) if name == until => return Ok(unescaped(&text)),
            Tag::Close(name) => match name.as_str() {
                "t" => in_text = false,
                "rPh" => in_phonetic = false,
                _ => {}
            },
        }
    }
}
