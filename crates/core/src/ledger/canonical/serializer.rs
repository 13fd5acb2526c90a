//! What serde asks of a format, kind by kind.

use std::borrow::Cow;
use std::fmt::Display;

use serde::ser::{self, Serialize, Serializer};

use super::{Member, NotCanonical, Page, beginning};

type Written = Result<(), NotCanonical>;

impl ser::Error for NotCanonical {
    fn custom<T: Display>(why: T) -> Self {
        Self { why: why.to_string() }
    }
}

/// An array that has not ended.
pub struct Array<'a> {
    page: &'a mut Page,
    empty: bool,
    /// It is the value of an object's only member, a variant's name.
    of_variant: bool,
}

/// An object that has not ended.
pub struct Object<'a> {
    page: &'a mut Page,
    /// How many members stood on the page before it.
    first: usize,
    /// The key that waits for its value, and where it stands.
    key: (Cow<'static, str>, usize),
    /// As [`Array::of_variant`].
    of_variant: bool,
}

impl Page {
    fn array(&mut self, of_variant: bool) -> Result<Array<'_>, NotCanonical> {
        self.open(b'[')?;
        Ok(Array { page: self, empty: true, of_variant })
    }

    fn object(&mut self, of_variant: bool) -> Result<Object<'_>, NotCanonical> {
        self.open(b'{')?;
        let first = self.members.len();
        Ok(Object { page: self, first, key: (Cow::Borrowed(""), 0), of_variant })
    }

    /// Begins the object around a variant: its name is the only key.
    fn variant(&mut self, name: &str) -> Written {
        self.open(b'{')?;
        self.string(name)?;
        self.bytes.push(b':');
        Ok(())
    }
}

impl Array<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Written {
        if !std::mem::take(&mut self.empty) {
            self.page.bytes.push(b',');
        }
        item.serialize(&mut *self.page)
    }

    fn close(self) {
        self.page.close(b']');
        if self.of_variant {
            self.page.close(b'}');
        }
    }
}

impl Object<'_> {
    /// Where the next key stands.
    fn next(&mut self) -> usize {
        if self.page.members.len() > self.first {
            self.page.bytes.push(b',');
        }
        self.page.bytes.len()
    }

    /// The value of a key that stands from `start` on.
    fn value<T: Serialize + ?Sized>(&mut self, key: Cow<'static, str>, start: usize, value: &T) -> Written {
        value.serialize(&mut *self.page)?;
        self.page.members.push(Member { beginning: beginning(&key), key, start, end: self.page.bytes.len() });
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        let start = self.next();
        let bytes = &mut self.page.bytes;
        // A field's name has nothing to escape.
        bytes.reserve(key.len() + 3);
        bytes.push(b'"');
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(b"\":");
        self.value(Cow::Borrowed(key), start, value)
    }

    fn close(self) -> Written {
        self.page.order(self.first)?;
        self.page.close(b'}');
        if self.of_variant {
            self.page.close(b'}');
        }
        Ok(())
    }
}

/// Methods for values that serde_json writes as they should stand.
macro_rules! words {
    ($($method:ident $kind:ty),*) => { $(fn $method(self, value: $kind) -> Written { self.word(&value) })* };
}

impl<'a> Serializer for &'a mut Page {
    type Ok = ();
    type Error = NotCanonical;
    type SerializeSeq = Array<'a>;
    type SerializeTuple = Array<'a>;
    type SerializeTupleStruct = Array<'a>;
    type SerializeTupleVariant = Array<'a>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    words!(serialize_bool bool, serialize_char char, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64);
    words!(serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64);

    fn serialize_f32(self, value: f32) -> Written {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Written {
        Err(NotCanonical { why: format!("{value} is no integer of 64 bits") })
    }

    fn serialize_str(self, text: &str) -> Written {
        self.string(text)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        bytes.serialize(self)
    }

    fn serialize_none(self) -> Written {
        self.word(&())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.word(&())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.word(&())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Written {
        self.string(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, name: &'static str, value: &T) -> Written {
        self.variant(name)?;
        value.serialize(&mut *self)?;
        self.close(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Array<'a>, NotCanonical> {
        self.array(false)
    }

    fn serialize_tuple(self, _: usize) -> Result<Array<'a>, NotCanonical> {
        self.array(false)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Array<'a>, NotCanonical> {
        self.array(false)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<Array<'a>, NotCanonical> {
        self.variant(name)?;
        self.array(true)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'a>, NotCanonical> {
        self.object(false)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'a>, NotCanonical> {
        self.object(false)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<Object<'a>, NotCanonical> {
        self.variant(name)?;
        self.object(true)
    }
}

/// The four kinds of arrays differ in the names of their methods only.
macro_rules! arrays {
    ($($kind:ident $method:ident),*) => { $(
        impl ser::$kind for Array<'_> {
            type Ok = ();
            type Error = NotCanonical;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Written {
                self.item(item)
            }

            fn end(self) -> Written {
                self.close();
                Ok(())
            }
        }
    )* };
}

arrays!(SerializeSeq serialize_element, SerializeTuple serialize_element);
arrays!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);

/// The two kinds of objects whose keys the program knows.
macro_rules! structs {
    ($($kind:ident),*) => { $(
        impl ser::$kind for Object<'_> {
            type Ok = ();
            type Error = NotCanonical;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
                self.field(key, value)
            }

            fn end(self) -> Written {
                self.close()
            }
        }
    )* };
}

structs!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        let start = self.next();
        key.serialize(&mut *self.page)?;
        let written = self.page.bytes.get(start..).unwrap_or_default();
        let text = serde_json::from_slice(written).map_err(|_| NotCanonical { why: "a key that is no string".to_owned() })?;
        self.key = (Cow::Owned(text), start);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.page.bytes.push(b':');
        let (key, start) = std::mem::take(&mut self.key);
        self.value(key, start, value)
    }

    fn end(self) -> Written {
        self.close()
    }
}
