//! Values of BER as this server reads and writes them: tags of one byte, lengths of one to three. X.690, 8.1.

/// A value.
pub(super) fn value(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut value = vec![tag];
    match contents.len() {
        short @ ..=0x7F => value.push(short as u8),
        long => {
            value.push(0x82);
            value.extend(crate::numbers::stated16(long).to_be_bytes());
        }
    }
    value.extend(contents);
    value
}

/// The first value's tag and contents, and what stands behind it.
pub(super) fn first(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match length {
        ..=0x7F => (usize::from(length), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(crate::numbers::be16(rest, 0)?), rest.get(2..)?),
        _ => return None,
    };
    let (contents, behind) = rest.split_at_checked(length)?;
    Some((tag, contents, behind))
}

/// All values one behind the other; `None` where they do not fill the bytes exactly.
pub(super) fn all(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let (tag, contents, behind) = first(bytes)?;
        values.push((tag, contents));
        bytes = behind;
    }
    Some(values)
}

/// Down a way of tags, each the only value on its level with that tag.
pub(super) fn down<'a>(bytes: &'a [u8], way: &[u8]) -> Option<&'a [u8]> {
    way.iter().try_fold(bytes, |bytes, tag| {
        let found: Vec<&[u8]> = all(bytes)?.into_iter().filter(|(found, _)| found == tag).map(|(_, contents)| contents).collect();
        if let [one] = found.as_slice() { Some(*one) } else { None }
    })
}
