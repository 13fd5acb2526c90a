//! The identity in answers and announcements: tags (clause 20.2) down to the values of a device object's properties.

use core::ops::Range;

use crate::{Cursor, Malformed, Shape};

/// Object type of a device (clause 21, BACnetObjectType), and the instance that stands for any.
const DEVICE: u32 = 8;
const INSTANCE_BITS: u32 = 22;
pub(super) const INSTANCE_ANY: u32 = 0x3f_ffff;
/// Application tags. Clause 20.2.1.4.
const BOOLEAN: u8 = 1;
const UNSIGNED: u8 = 2;
const OCTETS: u8 = 6;
const CHARACTERS: u8 = 7;
const ENUMERATED: u8 = 9;
const OBJECT: u8 = 12;
/// Constructed values in one another: what BACnet's own data types need, twice over.
const LEVELS_MAX: u32 = 16;

/// Properties of the device object that say what it is: code (clause 21, BACnetPropertyIdentifier), name, application tag.
const PROPERTIES: [(u32, &str, u8); 16] = [
    (12, "application_software_version", CHARACTERS),
    (DESCRIPTION, "description", CHARACTERS),
    (44, "firmware_revision", CHARACTERS),
    (LOCATION, "location", CHARACTERS),
    (62, "max_apdu", UNSIGNED),
    (70, "model_name", CHARACTERS),
    (OBJECT_IDENTIFIER, "instance", OBJECT),
    (OBJECT_NAME, "object_name", CHARACTERS),
    (98, "protocol_version", UNSIGNED),
    (107, "segmentation", ENUMERATED),
    (120, "vendor_identifier", UNSIGNED),
    (121, "vendor_name", CHARACTERS),
    (139, "protocol_revision", UNSIGNED),
    (168, "profile_name", CHARACTERS),
    (372, "serial_number", CHARACTERS),
    (507, "uuid", OCTETS),
];
const DESCRIPTION: u32 = 28;
const LOCATION: u32 = 58;
const OBJECT_IDENTIFIER: u32 = 75;
pub(super) const OBJECT_NAME: u32 = 77;

/// One value of a device object, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub property: u32,
    /// The property's name in a fact's path.
    pub name: &'static str,
    pub shape: Shape,
    pub range: Range<usize>,
}

/// What an answer or announcement says about devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    IAm,
    IHave,
    WhoAmI,
    ReadProperty,
    ReadPropertyMultiple,
    /// A request: somebody else's idea of the device.
    WriteProperty,
}

impl Value {
    /// The fact's path.
    pub(super) fn path(&self) -> String {
        format!("bacnet.device.{}", self.name)
    }
}

impl Service {
    /// The question that it answers, as [`crate::Reading::question`] has it.
    pub(super) const fn question(self) -> &'static str {
        match self {
            Self::IAm => "bacnet.i_am",
            Self::IHave => "bacnet.i_have",
            Self::WhoAmI => "bacnet.who_am_i",
            Self::ReadProperty => "bacnet.read_property",
            Self::ReadPropertyMultiple => "bacnet.read_property_multiple",
            Self::WriteProperty => "bacnet.write_property",
        }
    }
}

/// What was read beside the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Device {
    /// The instance in the object identifier, where it is one device's own.
    pub instance: Option<u32>,
}

/// Where a tag's content is.
enum Content {
    Primitive(Range<usize>),
    Opening,
    Closing,
}

struct Tag {
    number: u8,
    context: bool,
    content: Content,
}

impl Tag {
    /// Clause 20.2.1.
    fn read(c: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let first = c.u8("a tag (20.2.1)")?;
        let number = if first >> 4 == 15 { c.u8("tag number (20.2.1.2)")? } else { first >> 4 };
        let (context, low) = (first & 8 != 0, first & 7);
        let length = match low {
            6 if context => return Ok(Self { number, context, content: Content::Opening }),
            7 if context => return Ok(Self { number, context, content: Content::Closing }),
            6 | 7 => return Err(c.wrong("opening and closing tags have context (20.2.1.3)")),
            // The length is the value.
            _ if !context && number == BOOLEAN => 0,
            5 => match c.u8("tag length (20.2.1.3)")? {
                254 => usize::from(c.u16_be("tag length (20.2.1.3)")?),
                255 => usize::try_from(c.u32_be("tag length (20.2.1.3)")?).unwrap_or(usize::MAX),
                length => usize::from(length),
            },
            length => usize::from(length),
        };
        Ok(Self { number, context, content: Content::Primitive(c.range(length, "tag length (20.2.1.3)")?) })
    }

    fn primitive(&self, context: bool, number: u8) -> Option<Range<usize>> {
        match &self.content {
            Content::Primitive(range) if (self.context, self.number) == (context, number) => Some(range.clone()),
            _ => None,
        }
    }

    fn opens(&self, number: u8) -> bool {
        self.context && self.number == number && matches!(self.content, Content::Opening)
    }

    fn closes(&self, number: u8) -> bool {
        self.context && self.number == number && matches!(self.content, Content::Closing)
    }
}

/// Reads an answer's or announcement's parameters from `c` on. Values go to `each` in the order in which they stand.
pub(super) fn read(service: Service, c: &mut Cursor<'_>, each: &mut dyn FnMut(Value)) -> Result<Device, Malformed> {
    let mut reader = Reader { start: *c, device: Device::default(), each };
    match service {
        Service::IAm => reader.sequence(c, &[OBJECT_IDENTIFIER, 62, 107, 120])?,
        Service::WhoAmI => reader.sequence(c, &[120, 70, 372])?,
        Service::IHave => reader.i_have(c)?,
        Service::ReadProperty | Service::WriteProperty => reader.property(c, None, 0)?,
        Service::ReadPropertyMultiple => {
            while !c.is_empty() {
                reader.object(c)?;
            }
        }
    }
    Ok(reader.device)
}

/// True where the answer cannot be about a device object: most of a site's traffic is present values.
pub(super) fn is_about_others(service: Service, parameters: &[u8]) -> bool {
    let about_device = |object: &[u8; 4]| u32::from_be_bytes(*object) >> INSTANCE_BITS == DEVICE;
    match (service, parameters) {
        (Service::ReadProperty | Service::WriteProperty, [0x0c, rest @ ..]) => !rest.first_chunk().is_some_and(about_device),
        _ => false,
    }
}

struct Reader<'a, 'b> {
    start: Cursor<'a>,
    device: Device,
    each: &'b mut dyn FnMut(Value),
}

impl Reader<'_, '_> {
    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.start.from(range.start).rest().get(..range.len()).unwrap_or_default()
    }

    /// An unsigned number of up to four bytes. Clause 20.2.4.
    fn number(&self, range: &Range<usize>) -> Option<u32> {
        let bytes = self.bytes(range);
        (1..=4).contains(&bytes.len()).then(|| bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    /// An object identifier that stands next. Clause 20.2.14.
    fn object_identifier(&self, tag: &Tag, context: Option<u8>, at: &Cursor<'_>) -> Result<u32, Malformed> {
        let range = tag.primitive(context.is_some(), context.unwrap_or(OBJECT)).filter(|range| range.len() == 4);
        range.and_then(|range| self.number(&range)).ok_or(at.wrong("an object identifier (20.2.14)"))
    }

    /// Notes which device it is; true where the object is one.
    fn is_device(&mut self, object: u32) -> bool {
        let own = object >> INSTANCE_BITS == DEVICE;
        let instance = object & INSTANCE_ANY;
        if own && instance != INSTANCE_ANY {
            self.device.instance.get_or_insert(instance);
        }
        own
    }

    /// Application-tagged values that stand for these properties, in this order.
    fn sequence(&mut self, c: &mut Cursor<'_>, properties: &[u32]) -> Result<(), Malformed> {
        for property in properties {
            let tag = Tag::read(c)?;
            if *property == OBJECT_IDENTIFIER && self.object_identifier(&tag, None, c)? >> INSTANCE_BITS != DEVICE {
                return Err(c.wrong("a device's object identifier (16.10.2)"));
            }
            self.value(*property, &tag, c)?;
        }
        Ok(())
    }

    /// Clause 16.9.2: the device, the object, its name; told only where the object is the device.
    fn i_have(&mut self, c: &mut Cursor<'_>) -> Result<(), Malformed> {
        let (tag, of) = (Tag::read(c)?, Tag::read(c)?);
        let device = self.object_identifier(&tag, None, c)?;
        let object = self.object_identifier(&of, None, c)?;
        let name = Tag::read(c)?;
        if self.is_device(device) && object == device {
            self.value(OBJECT_NAME, &name, c)?;
        }
        Ok(())
    }

    /// One object of ReadPropertyMultiple-ACK. Clause 15.7.2.
    fn object(&mut self, c: &mut Cursor<'_>) -> Result<(), Malformed> {
        let tag = Tag::read(c)?;
        let object = self.object_identifier(&tag, Some(0), c)?;
        if !Tag::read(c)?.opens(1) {
            return Err(c.wrong("a list of results (15.7.2)"));
        }
        loop {
            let mut next = *c;
            if Tag::read(&mut next)?.closes(1) {
                *c = next;
                return Ok(());
            }
            self.property(c, Some(object), 2)?;
        }
    }

    /// A property and its value, in an object that was named before or is named here; its tags count from `base`. Clause 15.5.2.
    fn property(&mut self, c: &mut Cursor<'_>, object: Option<u32>, base: u8) -> Result<(), Malformed> {
        let (object, base) = match object {
            Some(object) => (object, base),
            None => (self.object_identifier(&Tag::read(c)?, Some(0), c)?, 1),
        };
        let identifier = Tag::read(c)?.primitive(true, base).and_then(|range| self.number(&range));
        let property = identifier.ok_or(c.wrong("a property identifier (15.5.2)"))?;
        let mut tag = Tag::read(c)?;
        let indexed = tag.primitive(true, base + 1).is_some();
        if indexed {
            tag = Tag::read(c)?;
        }
        let failed = base == 2 && tag.opens(5);
        if !failed && !tag.opens(base + 2) {
            return Err(c.wrong("a property value (15.5.2)"));
        }
        let closing = if failed { 5 } else { base + 2 };
        let value = Self::only_value(c, closing)?;
        let own = self.is_device(object);
        if let Some(value) = value.filter(|_| own && !failed && !indexed) {
            self.value(property, &value, c)?;
        }
        Ok(())
    }

    /// Passes values up to the closing tag; returns the value where there is exactly one, and that one is primitive.
    fn only_value(c: &mut Cursor<'_>, closing: u8) -> Result<Option<Tag>, Malformed> {
        let (mut depth, mut count, mut only) = (0_u32, 0_u32, None);
        loop {
            let tag = Tag::read(c)?;
            match tag.content {
                Content::Closing if depth == 0 && tag.number == closing => return Ok(only.filter(|_| count == 1)),
                Content::Closing => depth = depth.checked_sub(1).ok_or(c.wrong("a closing tag that was opened (20.2.1.3)"))?,
                Content::Opening if depth == LEVELS_MAX => return Err(c.wrong("values in values in values")),
                Content::Opening => (depth, count) = (depth + 1, 2),
                Content::Primitive(_) => (count, only) = (count.saturating_add(1), Some(tag)),
            }
        }
    }

    /// Hands a value on where it is one that says what the device is.
    fn value(&mut self, property: u32, tag: &Tag, c: &Cursor<'_>) -> Result<(), Malformed> {
        let Some(&(_, name, kind)) = PROPERTIES.iter().find(|(code, ..)| *code == property) else { return Ok(()) };
        let Some(mut range) = tag.primitive(false, kind) else { return Err(c.wrong("a value of the property's own type (12.11)")) };
        let shape = match kind {
            CHARACTERS => {
                let (shape, header) = characters(self.bytes(&range)).ok_or(c.wrong("a character set (20.2.9)"))?;
                range.start += header;
                // People write these two, over several lines.
                if shape == Shape::Utf8 && matches!(property, DESCRIPTION | LOCATION) { Shape::Lines } else { shape }
            }
            OBJECT => {
                let object = self.object_identifier(tag, None, c)?;
                // Who stands for any device tells no instance.
                if !self.is_device(object) || object & INSTANCE_ANY == INSTANCE_ANY {
                    return Ok(());
                }
                // The type's last two bits, which are 0 in a device's, stand above the instance.
                range.start += 1;
                Shape::Number
            }
            OCTETS => Shape::Hex,
            _ => Shape::Number,
        };
        (self.each)(Value { property, name, shape, range });
        Ok(())
    }
}

/// How a character string is coded, and how many octets say so. Clause 20.2.9. UTF-8 was ANSI X3.4 before 2008, and many devices put
/// ISO 8859-1 there.
fn characters(string: &[u8]) -> Option<(Shape, usize)> {
    match string {
        [0, ..] => Some((Shape::Utf8, 1)),
        // A code page of IBM or Microsoft, by its number.
        [1, _, _, ..] => Some((Shape::Ascii, 3)),
        // JIS X 0208: two octets a character, both of which look like ASCII.
        [2, ..] => Some((Shape::Hex, 1)),
        [3, ..] => Some((Shape::Utf32Be, 1)),
        [4, ..] => Some((Shape::Utf16Be, 1)),
        [5, ..] => Some((Shape::Latin1, 1)),
        _ => None,
    }
}
