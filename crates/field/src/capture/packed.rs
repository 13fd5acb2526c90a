//! What a capture file may be packed in: gzip (RFC 1952) and Zstandard (RFC 8878), both with several members or frames one behind the other.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Packed bytes read at a time.
const PACKED_BYTES: usize = 64 * 1024;
/// Largest window that a Zstandard frame may ask for: what `zstd` allows a decoder by default (`--long` asks for more).
const WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;

const MAGIC_GZIP: [u8; 2] = [0x1f, 0x8b];
const MAGIC_ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Magics of skippable frames (RFC 8878, 3.1.2), with which a file may begin.
const MAGIC_ZSTD_SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

type Input = Box<dyn Read + Send>;

/// The bytes inside, and whether they were packed.
///
/// # Errors
/// The operating system's.
pub(super) fn unpacked(mut input: Input) -> io::Result<(Input, bool)> {
    let (mut magic, mut had) = ([0; 4], 0);
    while had < magic.len() {
        match input.read(&mut magic[had..]) {
            Ok(0) => break,
            Ok(count) => had += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let whole = io::Cursor::new(magic).take(had as u64).chain(input);
    Ok(match magic {
        [a, b, ..] if [a, b] == MAGIC_GZIP => (Box::new(Gzip(MultiGzDecoder::new(BufReader::with_capacity(PACKED_BYTES, whole)))), true),
        _ if magic == MAGIC_ZSTD || magic[1..] == MAGIC_ZSTD_SKIPPABLE && magic[0] >> 4 == 5 => {
            let mut decoder = FrameDecoder::new();
            decoder.set_max_window_size(WINDOW_BYTES_MAX);
            (Box::new(Zstandard { input: BufReader::with_capacity(PACKED_BYTES, Box::new(whole)), decoder }), true)
        }
        _ => (Box::new(whole), false),
    })
}

/// Members of a gzip file; its errors say what they are about.
struct Gzip<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|e| io::Error::new(e.kind(), format!("gzip: {e}")))
    }
}

/// Frames of a Zstandard file, one after the other.
struct Zstandard {
    input: BufReader<Input>,
    decoder: FrameDecoder,
}

impl Read for Zstandard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { input, decoder } = self;
        while decoder.can_collect() == 0 {
            if !decoder.is_finished() {
                decoder.decode_blocks(&mut *input, BlockDecodingStrategy::UptoBlocks(1)).map_err(invalid)?;
                continue;
            }
            if let (Some(said), Some(found)) = (decoder.get_checksum_from_data(), decoder.get_calculated_checksum())
                && said != found
            {
                return Err(invalid("its checksum is that of other bytes (RFC 8878, 3.1.1)"));
            }
            if input.fill_buf()?.is_empty() {
                return Ok(0);
            }
            match decoder.reset(&mut *input) {
                Ok(()) => {}
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut input.by_ref().take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(e) => return Err(invalid(e)),
            }
        }
        decoder.read(buffer)
    }
}

fn invalid(e: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("Zstandard: {e}"))
}
