//! The workspace's only `unsafe`: a packet socket with a ring that the kernel fills (AF_PACKET, TPACKET_V3; packet(7) and Linux,
//! Documentation/networking/packet_mmap.rst), and giving up the capability that it took to open it.
//!
//! It never sends: there is no call here that could, the socket is opened for receiving alone, and once it is open the process may not open
//! another.
#![expect(unsafe_code, reason = "the ring is memory shared with the kernel, and these system calls have no safe wrapper")]

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use nameplate_wire::filter::kernel::Instruction;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, getsockopt, setsockopt, socket, sockopt};
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};

use super::block::STATUS_AT;

/// Bytes of one block: two of the largest frames that offloading makes (64 KiB), so that no usual frame is cut, and a multiple of any page. A block
/// that is not full is handed over, too: with few of them, a quiet wire would use up a ring in less time than a busy one.
const BLOCK_BYTES: usize = 128 * 1024;
/// Blocks in a mebibyte.
const BLOCKS_PER_MIB: usize = 1024 * 1024 / BLOCK_BYTES;
/// Nominal with this version, whose frames have the length they need; it has to divide a block.
const FRAME_BYTES: usize = 2048;
/// Milliseconds after which the kernel hands over a block that is not full: how late a frame on a quiet wire is heard.
const BLOCK_MS_MAX: u32 = 50;

const CAPABILITY_VERSION_3: u32 = 0x2008_0522;
/// CAP_NET_ADMIN and CAP_NET_RAW (capabilities(7)). The first is not needed; started by root it would be there.
const CAPABILITIES_OF_THE_NETWORK: u32 = 1 << 12 | 1 << 13;

sockopt_impl!(
    /// Which layout the ring has.
    Version, SetOnly, libc::SOL_PACKET, libc::PACKET_VERSION, libc::c_int
);
sockopt_impl!(
    /// Makes the ring.
    ReceiveRing, SetOnly, libc::SOL_PACKET, libc::PACKET_RX_RING, libc::tpacket_req3
);
sockopt_impl!(
    /// Frames that this machine sends itself are not heard.
    IgnoreOutgoing, SetOnly, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, libc::c_int
);
sockopt_impl!(
    /// Frames for others are heard, too, until the socket is closed.
    AddMembership, SetOnly, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, libc::packet_mreq
);
sockopt_impl!(
    /// Counters since they were read last.
    Statistics, GetOnly, libc::SOL_PACKET, libc::PACKET_STATISTICS, libc::tpacket_stats_v3
);

/// Blocks of memory that the kernel fills with frames, one after the other, and gets back.
pub struct Ring {
    socket: OwnedFd,
    /// `blocks` times `BLOCK_BYTES` bytes, mapped until this value is dropped, and known to nobody else in this process.
    memory: NonNull<u8>,
    blocks: usize,
    /// The block that the kernel hands over next.
    block: usize,
}

// SAFETY: `memory` belongs to this value alone, as a Box's would; nothing of it is bound to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// A ring of so many mebibytes, at least 1, that hears nothing yet. Takes CAP_NET_RAW.
    pub fn new(mebibytes: u16) -> io::Result<Self> {
        let blocks = usize::from(mebibytes.max(1)) * BLOCKS_PER_MIB;
        let bytes = blocks * BLOCK_BYTES;
        // Without a protocol nothing is received before it is bound, so that no frame of another interface gets in.
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&socket, Version, &(libc::tpacket_versions::TPACKET_V3 as libc::c_int))?;
        // Linux 4.20 and later; before, own frames are heard like others.
        if let Err(e) = setsockopt(&socket, IgnoreOutgoing, &1)
            && e != Errno::ENOPROTOOPT
        {
            return Err(e.into());
        }
        let request = libc::tpacket_req3 {
            tp_block_size: BLOCK_BYTES as u32,
            tp_block_nr: blocks as u32,
            tp_frame_size: FRAME_BYTES as u32,
            tp_frame_nr: (bytes / FRAME_BYTES) as u32,
            tp_retire_blk_tov: BLOCK_MS_MAX,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        setsockopt(&socket, ReceiveRing, &request)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory that exists. The socket has a ring of this length.
        let memory = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, libc::MAP_SHARED, socket.as_raw_fd(), 0) };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { socket, memory, blocks, block: 0 })
    }

    /// Puts this program before the ring, instead of the one before.
    pub fn filter(&self, program: &[Instruction]) -> io::Result<()> {
        let step = |step: &Instruction| libc::sock_filter { code: step.code, jt: step.jump_true, jf: step.jump_false, k: step.operand };
        let mut steps: Vec<libc::sock_filter> = program.iter().map(step).collect();
        let program = libc::sock_fprog { len: u16::try_from(steps.len()).map_err(io::Error::other)?, filter: steps.as_mut_ptr() };
        // SAFETY: the kernel reads one sock_fprog and from there `len` instructions, checks them and keeps a copy; `steps` lives until then.
        let done = unsafe {
            let length = size_of::<libc::sock_fprog>() as libc::socklen_t;
            libc::setsockopt(self.socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, ptr::from_ref(&program).cast(), length)
        };
        Errno::result(done).map(drop).map_err(Into::into)
    }

    /// From here on what arrives at the interface of this number goes into the ring, whomever it is for.
    pub fn bind(&self, index: i32) -> io::Result<()> {
        // SAFETY: all of its fields are integers, for which zeros are values.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index;
        // SAFETY: the kernel reads one sockaddr_ll, which lives until then.
        let done = unsafe {
            let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            libc::bind(self.socket.as_raw_fd(), ptr::from_ref(&address).cast(), length)
        };
        Errno::result(done)?;
        let everything = libc::packet_mreq { mr_ifindex: index, mr_type: libc::PACKET_MR_PROMISC as u16, mr_alen: 0, mr_address: [0; 8] };
        setsockopt(&self.socket, AddMembership, &everything).map_err(Into::into)
    }

    /// Hands the next block to `each` and gives it back; false where the kernel still fills it.
    pub fn take(&mut self, each: &mut dyn FnMut(&[u8])) -> bool {
        let at = self.block * BLOCK_BYTES;
        // SAFETY: `block` is less than `blocks`, so the block lies in the mapping, which lives as long as this value; it begins at a multiple
        // of a page, so the status word is aligned. While others (the kernel) change the word, it is only reached as an atomic.
        let (block, status) = unsafe {
            let block = self.memory.add(at);
            (block, AtomicU32::from_ptr(block.add(STATUS_AT).as_ptr().cast()))
        };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return false;
        }
        // SAFETY: the block lies in the mapping. Its status said TP_STATUS_USER, and by the contract of the ring the kernel then writes
        // nothing in it, the status included, until we set it to TP_STATUS_KERNEL; the load orders its writes before our reads. We write
        // nothing either while the slice lives, which ends with the call: `each` takes it for any lifetime and can keep nothing of it.
        // `&mut self` keeps a second call away.
        each(unsafe { std::slice::from_raw_parts(block.as_ptr(), BLOCK_BYTES) });
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.block = (self.block + 1) % self.blocks;
        true
    }

    /// Waits until the kernel has a block for us, at most so many milliseconds.
    ///
    /// # Errors
    /// The operating system's; the interface went down or is gone.
    pub fn wait(&self, wait_ms: u16) -> io::Result<()> {
        let mut waits = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN | PollFlags::POLLERR)];
        match poll(&mut waits, PollTimeout::from(wait_ms)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
        match getsockopt(&self.socket, sockopt::SocketError)? {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Frames that passed the kernel's filter, of these dropped, and how often the ring was full, each since the last call.
    pub fn statistics(&self) -> io::Result<[u32; 3]> {
        let counted = getsockopt(&self.socket, Statistics)?;
        Ok([counted.tp_packets, counted.tp_drops, counted.tp_freeze_q_cnt])
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, of this length, and nothing reaches into it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.blocks * BLOCK_BYTES) };
    }
}

/// The kernel's `struct __user_cap_header_struct`.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

/// The kernel's `struct __user_cap_data_struct`, one for the capabilities below 32 and one for those above.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilitySets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up what takes raw packets and changes interfaces, for good: a later hole in a decoder opens no socket. Capabilities belong to
/// threads, so this comes before others are started; those inherit what is left.
///
/// # Errors
/// The operating system's, or another thread of this process still has them.
pub fn give_up_capabilities() -> io::Result<()> {
    let mut header = CapabilityHeader { version: CAPABILITY_VERSION_3, pid: 0 };
    let mut sets = [CapabilitySets::default(); 2];
    // SAFETY: the kernel reads the header, writes its version, and writes the two sets of version 3; all are ours and live until then.
    Errno::result(unsafe { libc::syscall(libc::SYS_capget, ptr::from_mut(&mut header), sets.as_mut_ptr()) })?;
    for set in [&mut sets[0].effective, &mut sets[0].permitted, &mut sets[0].inheritable] {
        *set &= !CAPABILITIES_OF_THE_NETWORK;
    }
    // SAFETY: the kernel reads the header and the two sets.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, ptr::from_ref(&header), sets.as_ptr()) })?;
    for thread in fs::read_dir("/proc/self/task")? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        let permitted = status.lines().find_map(|line| line.strip_prefix("CapPrm:")).map(str::trim);
        let left = permitted.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        if left.is_none_or(|left| left & u64::from(CAPABILITIES_OF_THE_NETWORK) != 0) {
            return Err(io::Error::other("a thread of this process keeps the capability CAP_NET_RAW"));
        }
    }
    Ok(())
}
